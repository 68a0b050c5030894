//! A score: every point accounted for.

use crate::app::Scored;
use crate::domain::score::CriterionScore;
use crate::domain::score::GateScore;
use crate::domain::score::ModifierScore;
use crate::domain::score::Score;
use crate::domain::stage::BuyersStep;
use crate::grpc::answer::evidence::Sources;
use crate::wire::listed::number;
use crate::wire::pb;
use crate::wire::value::encode_moment;

pub fn encode(scored: &Scored) -> pb::DealScore {
    let Scored {
        deal_id,
        revision,
        model_version,
        score,
        reasons,
        people,
        words,
    } = scored;
    let Score {
        as_of,
        score,
        band,
        category,
        momentum,
        base,
        criteria,
        modifiers,
        gates,
        cap_points,
        step,
        seller_stage,
        hypotheses,
        heard,
        active,
    } = score;
    let BuyersStep { stage, source, gap } = *step;
    let sources = Sources { people, words };
    pb::DealScore {
        deal_id: deal_id.to_string(),
        score: *score,
        band: number(*band),
        forecast_category: number(*category),
        momentum: *momentum,
        as_of: Some(encode_moment(*as_of)),
        revision: *revision,
        model_version: model_version.clone(),
        base: *base,
        criteria: criteria
            .iter()
            .map(|criterion| encode_criterion(criterion, &sources))
            .collect(),
        modifiers: modifiers
            .iter()
            .zip(reasons)
            .map(|(modifier, reason)| encode_modifier(modifier, reason))
            .collect(),
        gates: gates.iter().map(encode_gate).collect(),
        cap_points: *cap_points,
        buyer_stage: number(stage),
        buyer_stage_source: number(source),
        seller_stage: seller_stage
            .as_ref()
            .map_or("", |seller_stage| seller_stage.as_str())
            .into(),
        stage_gap: gap.into(),
        hypotheses: hypotheses
            .iter()
            .map(|hypothesis| sources.hypothesis(hypothesis))
            .collect(),
        stakeholders_heard: *heard as i32,
        stakeholders_active: *active as i32,
    }
}

fn encode_criterion(criterion: &CriterionScore, sources: &Sources) -> pb::CriterionScore {
    let CriterionScore {
        topic,
        weight,
        level,
        points,
        support,
        opposition,
        evidence,
    } = criterion;
    pb::CriterionScore {
        topic: number(*topic),
        weight: *weight,
        level: *level,
        points: *points,
        support: *support,
        opposition: *opposition,
        evidence: sources.all(evidence),
    }
}

fn encode_modifier(modifier: &ModifierScore, reason: &str) -> pb::ModifierScore {
    let ModifierScore {
        modifier,
        factor,
        points,
    } = *modifier;
    pb::ModifierScore {
        modifier: number(modifier),
        factor,
        points,
        reason: reason.into(),
    }
}

fn encode_gate(gate: &GateScore) -> pb::GateScore {
    let GateScore { gate, cap, binding } = *gate;
    pb::GateScore {
        gate: number(gate),
        cap,
        binding,
    }
}
