//! The numbers in force.

use crate::domain::model::Model;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::scale::Gate;
use crate::domain::stakeholder::BuyingRole;
use crate::domain::topic::Topic;
use crate::wire::listed::number;
use crate::wire::pb;

pub fn encode(model: &Model) -> pb::Model {
    let [acknowledged, owned, committed] = model.convictions;
    pb::Model {
        version: model.version.clone(),
        topics: Topic::ALL.map(|topic| encode_topic(model, topic)).into(),
        conviction: Some(pb::ConvictionModel {
            acknowledged,
            owned,
            committed,
        }),
        attribution: Some(pb::AttributionModel {
            verbatim: model.verbatim,
            paraphrased: model.paraphrased,
        }),
        standings: BuyingRole::ALL
            .map(|role| pb::RoleModel {
                role: number(role),
                standing: model.standings[role as usize],
            })
            .into(),
        standing_unknown: model.standing_unknown,
        departed_factor: model.departed_factor,
        undated_go_live_half_life_days: model.undated_go_live_half_life_days,
        deferral_factor: model.deferral_factor,
        consensus: Some(pb::ConsensusModel {
            said_share: model.consensus_said_share,
            standing_min: model.consensus_standing_min,
        }),
        modifiers: Some(encode_modifiers(model)),
        gates: Gate::ALL
            .map(|gate| pb::GateModel {
                gate: number(gate),
                cap: model.cap(gate),
            })
            .into(),
        level_unvoiced: model.level_unvoiced,
        bands: encode_bands(model),
        forecast_categories: encode_categories(model),
        seller_stages: model
            .seller_stages
            .iter()
            .map(|stage| pb::SellerStageModel {
                name: stage.name.clone(),
                presumed_step: stage.presumes.step().into(),
            })
            .collect(),
        stage_probabilities: model
            .stage_probabilities
            .iter()
            .map(|stage| pb::StageProbabilityModel {
                name: stage.name.clone(),
                probability: stage.probability,
            })
            .collect(),
        stage_rungs: Some(encode_rungs(model)),
        states: Some(pb::StateModel {
            dark_days: model.dark_days,
            unheard_days: model.unheard_days,
            stalled_days: model.stalled_days,
            stalled_slips: model.stalled_slips as i32,
            slowing_days: model.slowing_days,
            slowing_momentum: model.slowing_momentum,
        }),
        momentum_days: model.momentum_days,
        value_taken: model.value_taken,
    }
}

fn encode_topic(model: &Model, topic: Topic) -> pb::TopicModel {
    let numbers = model.topic(topic);
    pb::TopicModel {
        topic: number(topic),
        weight: numbers.weight,
        half_life_days: numbers.half_life_days,
    }
}

fn encode_modifiers(model: &Model) -> pb::ModifierModel {
    pb::ModifierModel {
        stage_misalignment_per_step: model.misalignment_per_step,
        derived_gap_max: model.derived_gap_max.into(),
        slip_factor: model.slip_factor,
        slip_factor_min: model.slip_factor_min,
        slip_days_min: model.slip_days_min,
        overdue_factor: model.overdue_factor,
        overdue_factor_min: model.overdue_factor_min,
        priority_weight: model.priority_weight,
        priority_deferral_weight: model.priority_deferral_weight,
        alternative_weight: model.alternative_weight,
        engagement_weight: model.engagement_weight,
    }
}

/// The lowest band and category have no least score: they begin at 0.
fn encode_bands(model: &Model) -> Vec<pb::BandModel> {
    let least = [0.0].into_iter().chain(model.bands);
    Band::ALL
        .into_iter()
        .zip(least)
        .map(|(band, score_min)| pb::BandModel {
            band: number(band),
            score_min,
        })
        .collect()
}

/// CLOSED has no least score and is not among them.
fn encode_categories(model: &Model) -> Vec<pb::CategoryModel> {
    let least = [0.0].into_iter().chain(model.categories);
    ForecastCategory::ALL
        .into_iter()
        .zip(least)
        .map(|(category, score_min)| pb::CategoryModel {
            category: number(category),
            score_min,
        })
        .collect()
}

fn encode_rungs(model: &Model) -> pb::StageRungModel {
    let [
        problem_identification,
        solution_exploration,
        requirements_building,
        supplier_selection,
        consensus_creation,
        approval,
    ] = model.rungs;
    pb::StageRungModel {
        problem_identification,
        solution_exploration,
        requirements_building,
        supplier_selection,
        consensus_creation,
        approval,
    }
}
