//! The past of a deal: points over time, and the changes between two moments.

use crate::app::Comparison;
use crate::app::Trend;
use crate::domain::difference::Difference;
use crate::domain::difference::End;
use crate::domain::difference::Seen;
use crate::domain::ledger::Ledger;
use crate::domain::scale::Modifier;
use crate::domain::time::Instant;
use crate::domain::topic::Topic;
use crate::domain::trend::Point;
use crate::domain::walk::Change;
use crate::domain::walk::Citation;
use crate::wire::listed::number;
use crate::wire::listed::number_or_unset;
use crate::wire::pb;
use crate::wire::value::encode_moment;

pub fn encode_trend(trend: Trend) -> pb::GetScoreHistoryResponse {
    let Trend {
        deal_id,
        revision,
        model_version,
        points,
    } = trend;
    pb::GetScoreHistoryResponse {
        deal_id: deal_id.into(),
        revision,
        model_version,
        points: points.into_iter().map(encode_point).collect(),
    }
}

pub fn encode_comparison(comparison: Comparison) -> pb::CompareScoresResponse {
    let Comparison {
        deal_id,
        revision,
        model_version,
        difference,
    } = comparison;
    let Difference {
        from,
        to,
        ledger,
        changes,
    } = difference;
    let (from, score_before, gate_before) = encode_end(from);
    let (to, score_after, gate_after) = encode_end(to);
    pb::CompareScoresResponse {
        deal_id: deal_id.into(),
        revision,
        model_version,
        from: Some(from),
        to: Some(to),
        score_before,
        score_after,
        difference: ledger.total,
        by_line: Some(encode_ledger(&ledger)),
        changes: changes.into_iter().map(encode_change).collect(),
        gate_before,
        gate_after,
    }
}

fn encode_point(point: Point) -> pb::ScorePoint {
    let Point {
        at,
        revision,
        score,
        base,
        band,
        state,
        top_cause,
        changes,
    } = point;
    pb::ScorePoint {
        at: Some(encode_moment(at)),
        score,
        base,
        band: number(band),
        state: number(state),
        top_cause: number_or_unset(top_cause),
        revision,
        changes: changes.into_iter().map(encode_change).collect(),
    }
}

/// An end as asked for, its score and the gate that binds.
fn encode_end(end: End) -> (pb::Seen, f64, i32) {
    let End {
        seen: Seen { as_of, known_at },
        ledger,
        binding,
    } = end;
    let seen = pb::Seen {
        as_of: Some(encode_moment(as_of)),
        known_at: (known_at < Instant::MAX).then(|| encode_moment(known_at)),
    };
    (seen, ledger.total, number_or_unset(binding))
}

fn encode_change(change: Change) -> pb::ScoreChange {
    let Change {
        kind,
        at,
        ledger,
        entry,
        person,
        citation,
        summary,
    } = change;
    pb::ScoreChange {
        kind: number(kind),
        points: ledger.total,
        summary,
        at: Some(encode_moment(at)),
        by_line: Some(encode_ledger(&ledger)),
        revision: entry.map(|entry| entry.revision),
        recorded_at: entry.map(|entry| encode_moment(entry.recorded_at)),
        learned_later: entry.is_some_and(|entry| entry.learned_later),
        stakeholder_id: person.map_or_else(String::new, |id| id.as_str().into()),
        statement: citation.map(encode_citation),
    }
}

fn encode_ledger(ledger: &Ledger) -> pb::ScoreLines {
    let Ledger {
        total: _,
        criteria,
        modifiers,
        cap,
    } = *ledger;
    let criteria = Topic::CRITERIA.into_iter().zip(criteria);
    let modifiers = Modifier::ALL.into_iter().zip(modifiers);
    pb::ScoreLines {
        criteria: criteria
            .filter(|(_, points)| *points != 0.0)
            .map(|(topic, points)| pb::CriterionPoints {
                topic: number(topic),
                points,
            })
            .collect(),
        modifiers: modifiers
            .filter(|(_, points)| *points != 0.0)
            .map(|(modifier, points)| pb::ModifierPoints {
                modifier: number(modifier),
                points,
            })
            .collect(),
        cap,
    }
}

fn encode_citation(citation: Citation) -> pb::Citation {
    let Citation {
        statement,
        speaker,
        display_name,
        said_at,
        quote,
        attribution,
    } = citation;
    pb::Citation {
        statement_id: statement.as_str().into(),
        stakeholder_id: speaker.as_str().into(),
        display_name: display_name.map_or_else(String::new, |name| name.as_str().into()),
        said_at: Some(encode_moment(said_at)),
        quote: quote.as_str().into(),
        attribution: number(attribution),
    }
}
