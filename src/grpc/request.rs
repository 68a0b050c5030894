//! Requests, from the wire to what the app is asked: every violation at once.

pub mod claims;
mod conversation;
pub mod ingest;
pub mod past;
pub mod pipeline;
pub mod watch;

use std::collections::HashSet;

use prost_types::Timestamp;
use tracing::span::EnteredSpan;
use uuid::Uuid;

use crate::app::Query;
use crate::app::Recording;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::text::Prose;
use crate::domain::time::Instant;
pub use crate::grpc::request::conversation::import_transcript;
use crate::store::DealKey;
use crate::wire::facts;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;
use crate::wire::statement;
use crate::wire::value;

/// Whose deals these are, until callers have identities.
pub(in crate::grpc) const TENANT: &str = "default";

/// The most people or milestones of one request.
const UPSERTS_MAX: usize = 200;

/// The most planned next steps of one request.
const STEPS_MAX: usize = 20;

const PAGE_SIZE_MAX: i32 = 1_000;
const PAGE_SIZE_DEFAULT: usize = 100;

/// A write of facts.
#[derive(Debug)]
pub struct Write<T> {
    pub deal: DealKey,
    pub facts: T,
    pub expected_revision: Option<u64>,
}

/// A page of a deal's history.
#[derive(Debug)]
pub struct PageQuery {
    pub deal: DealKey,
    pub page_size: usize,
    pub page_token: String,
}

pub fn record(
    request: pb::RecordBuyerStatementRequest,
    now: Instant,
) -> Result<Recording, Violations> {
    let _decoding = decoding();
    let pb::RecordBuyerStatementRequest {
        statement,
        expected_revision,
        validate_only,
    } = request;
    let Some(mut given) = statement else {
        return Err(Violations::one("statement", "must be set"));
    };
    let mut reading = Reading::of(Origin::Caller { now });
    let path = Path::ROOT.field("statement");
    if given.statement_id.is_empty() {
        given.statement_id = new_id(now);
    }
    let said_at_defaulted = given.said_at.is_none();
    let deal = key(&mut reading, &path.field("deal_id"), &given.deal_id);
    let statement = statement::decode(&mut reading, &path, given);
    let recording = deal.zip(statement).map(|(deal, statement)| Recording {
        deal,
        statement,
        said_at_defaulted,
        expected_revision,
        validate_only,
    });
    reading.end(recording)
}

pub fn score(request: pb::ScoreDealRequest, now: Instant) -> Result<Query, Violations> {
    let _decoding = decoding();
    let pb::ScoreDealRequest {
        deal_id,
        as_of,
        known_at,
        min_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let query = query(&mut reading, &deal_id, as_of, known_at, min_revision);
    reading.end(query)
}

pub fn explain(
    request: pb::ExplainStallRequest,
    now: Instant,
) -> Result<(Query, Vec<String>), Violations> {
    let _decoding = decoding();
    let pb::ExplainStallRequest {
        deal_id,
        as_of,
        known_at,
        min_revision,
        planned_next_steps,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let query = query(&mut reading, &deal_id, as_of, known_at, min_revision);
    let path = Path::ROOT.field("planned_next_steps");
    if STEPS_MAX < planned_next_steps.len() {
        let got = planned_next_steps.len();
        reading.refuse(
            &path,
            format_args!("must be at most {STEPS_MAX}, got {got}"),
        );
    } else {
        for (place, step) in planned_next_steps.iter().enumerate() {
            let _: Option<Prose<1024>> = value::spoken(&mut reading, &path.index(place), step);
        }
    }
    reading.end(query.map(|query| (query, planned_next_steps)))
}

pub fn upsert_deal(
    request: pb::UpsertDealRequest,
    now: Instant,
) -> Result<Write<DealFacts>, Violations> {
    let _decoding = decoding();
    let pb::UpsertDealRequest {
        deal,
        expected_revision,
    } = request;
    let Some(given) = deal else {
        return Err(Violations::one("deal", "must be set"));
    };
    let mut reading = Reading::of(Origin::Caller { now });
    let path = Path::ROOT.field("deal");
    let deal = key(&mut reading, &path.field("deal_id"), &given.deal_id);
    let facts = facts::decode_deal(&mut reading, &path, given);
    end_write(reading, deal, facts, expected_revision)
}

pub fn upsert_stakeholders(
    request: pb::UpsertStakeholdersRequest,
    now: Instant,
) -> Result<Write<Vec<StakeholderFacts>>, Violations> {
    let _decoding = decoding();
    let pb::UpsertStakeholdersRequest {
        deal_id,
        stakeholders,
        expected_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let path = Path::ROOT.field("stakeholders");
    let ids = stakeholders
        .iter()
        .map(|stakeholder| stakeholder.stakeholder_id.as_str());
    let mut decoded = Vec::with_capacity(stakeholders.len().min(UPSERTS_MAX));
    if each_once(&mut reading, &path, "stakeholder_id", ids) {
        for (place, stakeholder) in stakeholders.into_iter().enumerate() {
            let path = path.index(place);
            decoded.extend(facts::decode_stakeholder(&mut reading, &path, stakeholder));
        }
    }
    end_write(reading, deal, Some(decoded), expected_revision)
}

pub fn upsert_milestones(
    request: pb::UpsertMilestonesRequest,
    now: Instant,
) -> Result<Write<Vec<MilestoneFacts>>, Violations> {
    let _decoding = decoding();
    let pb::UpsertMilestonesRequest {
        deal_id,
        milestones,
        expected_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let path = Path::ROOT.field("milestones");
    let ids = milestones
        .iter()
        .map(|milestone| milestone.milestone_id.as_str());
    let mut decoded = Vec::with_capacity(milestones.len().min(UPSERTS_MAX));
    if each_once(&mut reading, &path, "milestone_id", ids) {
        for (place, milestone) in milestones.into_iter().enumerate() {
            let path = path.index(place);
            decoded.extend(facts::decode_milestone(&mut reading, &path, milestone));
        }
    }
    end_write(reading, deal, Some(decoded), expected_revision)
}

pub fn record_outcome(
    request: pb::RecordOutcomeRequest,
    now: Instant,
) -> Result<Write<Ending>, Violations> {
    let _decoding = decoding();
    let pb::RecordOutcomeRequest {
        deal_id,
        outcome,
        expected_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let path = Path::ROOT.field("outcome");
    if outcome.is_none() {
        reading.refuse(&path, "must be set");
    }
    let ending = outcome.and_then(|outcome| facts::decode_ending(&mut reading, &path, outcome));
    end_write(reading, deal, ending, expected_revision)
}

pub fn retract(
    request: pb::RetractBuyerStatementRequest,
    now: Instant,
) -> Result<Write<Retraction>, Violations> {
    let _decoding = decoding();
    let pb::RetractBuyerStatementRequest {
        deal_id,
        statement_id,
        reason,
        expected_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let retraction = pb::Retraction {
        statement_id,
        reason,
    };
    let retraction = facts::decode_retraction(&mut reading, &Path::ROOT, retraction);
    end_write(reading, deal, retraction, expected_revision)
}

pub fn get_deal(request: pb::GetDealRequest, now: Instant) -> Result<DealKey, Violations> {
    let _decoding = decoding();
    let pb::GetDealRequest { deal_id } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    reading.end(deal)
}

pub fn list_history(
    request: pb::ListDealHistoryRequest,
    now: Instant,
) -> Result<PageQuery, Violations> {
    let _decoding = decoding();
    let pb::ListDealHistoryRequest {
        deal_id,
        page_size,
        page_token,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    let page_size = match page_size {
        0 => PAGE_SIZE_DEFAULT,
        1..=PAGE_SIZE_MAX => page_size.unsigned_abs() as usize,
        _ => {
            reading.refuse(
                &Path::ROOT.field("page_size"),
                format_args!("must be from 0 to {PAGE_SIZE_MAX}, got {page_size}"),
            );
            PAGE_SIZE_DEFAULT
        }
    };
    reading.end(deal.map(|deal| PageQuery {
        deal,
        page_size,
        page_token,
    }))
}

fn query(
    reading: &mut Reading,
    deal_id: &str,
    as_of: Option<Timestamp>,
    known_at: Option<Timestamp>,
    min_revision: Option<u64>,
) -> Option<Query> {
    let deal = key(reading, &Path::ROOT.field("deal_id"), deal_id);
    let as_of = value::moment(reading, &Path::ROOT.field("as_of"), as_of);
    let known_at = value::moment(reading, &Path::ROOT.field("known_at"), known_at);
    Some(Query {
        deal: deal?,
        as_of,
        known_at,
        min_revision,
    })
}

fn key(reading: &mut Reading, path: &Path<'_>, deal_id: &str) -> Option<DealKey> {
    let id = value::id(reading, path, deal_id)?;
    Some(DealKey {
        tenant: TENANT.into(),
        deal: id.as_str().into(),
    })
}

/// Whether there are neither none nor too many; ids that come twice are noted.
fn each_once<'a>(
    reading: &mut Reading,
    path: &Path<'_>,
    field: &'static str,
    ids: impl ExactSizeIterator<Item = &'a str>,
) -> bool {
    let count = ids.len();
    if count == 0 || UPSERTS_MAX < count {
        reading.refuse(
            path,
            format_args!("must be 1 to {UPSERTS_MAX}, got {count}"),
        );
        return false;
    }
    let mut seen = HashSet::with_capacity(count);
    for (place, id) in ids.enumerate() {
        // Two empty ids are each refused as empty; that they are alike is no news.
        if !id.is_empty() && !seen.insert(id) {
            let path = path.index(place);
            reading.refuse(&path.field(field), "must not come twice in one request");
        }
    }
    true
}

fn end_write<T>(
    reading: Reading,
    deal: Option<DealKey>,
    facts: Option<T>,
    expected_revision: Option<u64>,
) -> Result<Write<T>, Violations> {
    reading.end(deal.zip(facts).map(|(deal, facts)| Write {
        deal,
        facts,
        expected_revision,
    }))
}

/// A UUIDv7 of the service's clock, which a test may set.
fn new_id(now: Instant) -> String {
    let seconds = now.unix_seconds().unsigned_abs();
    let nanos = now.subsecond_nanos().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix_time(seconds, nanos, 0, 0)).to_string()
}

/// The time from here to the end of the block, in the trace of the call.
fn decoding() -> EnteredSpan {
    tracing::debug_span!("decode").entered()
}
