//! An explanation: every lost point with its one cause.

use crate::app::Explained;
use crate::domain::contradiction::Contradiction;
use crate::domain::contradiction::Kind;
use crate::domain::loss::Cell;
use crate::domain::loss::CellOf;
use crate::domain::loss::StallCause;
use crate::domain::phrase::CauseTold;
use crate::domain::phrase::Told;
use crate::domain::stall::Cause;
use crate::domain::stall::Stall;
use crate::domain::tactic::Warning;
use crate::grpc::answer::evidence::Sources;
use crate::wire::listed::number;
use crate::wire::listed::number_or_unset;
use crate::wire::pb;
use crate::wire::value::encode_moment;

pub fn encode(explained: &Explained) -> pb::StallExplanation {
    let Explained {
        deal_id,
        revision,
        model_version,
        as_of,
        stall,
        told,
        warnings,
        planned,
        people,
        words,
    } = explained;
    let Stall {
        state,
        score,
        causes,
        next_steps,
        contradictions,
        walk_away,
        reminders,
    } = stall;
    let sources = Sources { people, words };
    pb::StallExplanation {
        deal_id: deal_id.to_string(),
        state: number(state.state),
        state_since: state.since.map(encode_moment),
        headline: told.headline.clone(),
        score: *score,
        as_of: Some(encode_moment(*as_of)),
        revision: *revision,
        causes: causes
            .iter()
            .zip(&told.causes)
            .map(|(cause, told)| encode_cause(cause, told, *score, &sources))
            .collect(),
        next_steps: next_steps
            .iter()
            .map(|(cause, score_after)| pb::NextStep {
                cause: number(*cause),
                score_after: *score_after,
                question: first_question(*cause, causes, told),
            })
            .collect(),
        contradictions: contradictions
            .iter()
            .zip(&told.contradictions)
            .map(|(pair, summary)| encode_contradiction(pair, summary, &sources))
            .collect(),
        walk_away: Some(pb::WalkAway {
            recommended: walk_away.is_some(),
            reason: told.walk_away.clone(),
        }),
        tactic_warnings: warnings
            .iter()
            .map(|warning| encode_warning(warning, planned))
            .collect(),
        reminders: reminders
            .iter()
            .zip(&told.reminders)
            .map(|((_, evidence), why)| pb::Reminder {
                why: why.clone(),
                evidence: Some(sources.evidence(evidence)),
            })
            .collect(),
        model_version: model_version.clone(),
    }
}

fn encode_cause(cause: &Cause, told: &CauseTold, score: f64, sources: &Sources) -> pb::Cause {
    let Cause {
        cause,
        points,
        score_if_resolved,
        cells,
        evidence,
        hypotheses,
    } = cause;
    let CauseTold {
        summary,
        missing,
        who_should_say_it,
        questions,
        remedy,
    } = told;
    let mut evidence = sources.all(evidence);
    evidence.extend(hypotheses.iter().map(|guess| sources.unasked(guess)));
    pb::Cause {
        cause: number(*cause),
        points: *points,
        score_if_resolved: *score_if_resolved,
        lift: score_if_resolved - score,
        summary: summary.clone(),
        evidence,
        missing: missing.clone(),
        who_should_say_it: who_should_say_it
            .iter()
            .map(|place| sources.person(*place))
            .collect(),
        questions: questions.clone(),
        remedy: remedy.clone(),
        cells: cells.iter().map(encode_cell).collect(),
    }
}

fn encode_cell(cell: &Cell) -> pb::LossCell {
    let Cell {
        of,
        cause: _,
        points,
    } = *cell;
    let of = match of {
        CellOf::Criterion(topic, impairment) => pb::loss_cell::Of::Criterion(pb::CriterionLoss {
            topic: number(topic),
            impairment: number(impairment),
        }),
        CellOf::Modifier(modifier) => pb::loss_cell::Of::Modifier(number(modifier)),
        CellOf::Gate(gate) => pb::loss_cell::Of::Gate(number(gate)),
    };
    pb::LossCell {
        of: Some(of),
        points,
    }
}

fn first_question(cause: StallCause, causes: &[Cause], told: &Told) -> String {
    causes
        .iter()
        .zip(&told.causes)
        .find(|(of, _)| of.cause == cause)
        .and_then(|(_, told)| told.questions.first())
        .cloned()
        .unwrap_or_default()
}

fn encode_contradiction(
    pair: &Contradiction,
    summary: &str,
    sources: &Sources,
) -> pb::Contradiction {
    let Contradiction {
        topic,
        earlier,
        later,
        kind,
    } = pair;
    pb::Contradiction {
        topic: number(*topic),
        earlier: Some(sources.evidence(earlier)),
        later: Some(sources.evidence(later)),
        same_person: *kind == Kind::ChangeOfMind,
        summary: summary.into(),
    }
}

fn encode_warning(warning: &Warning, planned: &[String]) -> pb::TacticWarning {
    let Warning {
        planned: place,
        tactic,
        basis,
        missed_earlier,
        missed_cause,
        instead,
    } = warning;
    pb::TacticWarning {
        planned_next_step: planned[*place].clone(),
        tactic: number(*tactic),
        missed_earlier: missed_earlier.clone(),
        missed_cause: number_or_unset(*missed_cause),
        instead: instead.clone(),
        basis: basis.clone(),
    }
}
