//! What is asked of a deal's past: every violation at once.

use crate::app::ComparisonQuery;
use crate::app::TrendQuery;
use crate::domain::difference::Seen;
use crate::domain::time::Instant;
use crate::domain::trend::Knowledge;
use crate::domain::trend::TrendStep;
use crate::grpc::request::key;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;
use crate::wire::value;

pub fn score_history(
    request: pb::GetScoreHistoryRequest,
    now: Instant,
) -> Result<TrendQuery, Violations> {
    let pb::GetScoreHistoryRequest {
        deal_id,
        from,
        to,
        step,
        knowledge,
        min_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let from_path = Path::ROOT.field("from");
    let from = value::moment(&mut reading, &from_path, from);
    let to = value::moment(&mut reading, &Path::ROOT.field("to"), to);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let description = format_args!("must not be later than `to`, {to}, got {from}");
        reading.refuse(&from_path, description);
    }
    let step = listed::optional(&mut reading, &Path::ROOT.field("step"), step);
    let knowledge = listed::optional(&mut reading, &Path::ROOT.field("knowledge"), knowledge);
    reading.end(deal.map(|deal| TrendQuery {
        deal,
        from,
        to,
        step: step.unwrap_or(TrendStep::Daily),
        knowledge: knowledge.unwrap_or(Knowledge::Now),
        min_revision,
    }))
}

pub fn compare(
    request: pb::CompareScoresRequest,
    now: Instant,
) -> Result<ComparisonQuery, Violations> {
    let pb::CompareScoresRequest {
        deal_id,
        from,
        to,
        min_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let from_path = Path::ROOT.field("from");
    let given = from.unwrap_or_default();
    if given.as_of.is_none() {
        reading.refuse(&from_path.field("as_of"), "must be set");
    }
    let (as_of, known_at) = seen(&mut reading, &from_path, given);
    let (to_as_of, to_known_at) = seen(
        &mut reading,
        &Path::ROOT.field("to"),
        to.unwrap_or_default(),
    );
    reading.end(deal.zip(as_of).map(|(deal, as_of)| ComparisonQuery {
        deal,
        from: Seen { as_of, known_at },
        to_as_of,
        to_known_at,
        min_revision,
    }))
}

fn seen(reading: &mut Reading, path: &Path<'_>, given: pb::Seen) -> (Option<Instant>, Instant) {
    let pb::Seen { as_of, known_at } = given;
    let as_of = value::moment(reading, &path.field("as_of"), as_of);
    let known_at = value::moment(reading, &path.field("known_at"), known_at);
    (as_of, known_at.unwrap_or(Instant::MAX))
}
