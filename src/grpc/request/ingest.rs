//! An item of a stream of writes: what is wrong with it is told under the name that it has in the item.

use crate::app::ingest::Entry;
use crate::app::ingest::Item;
use crate::app::ingest::Step;
use crate::app::ingest::What;
use crate::domain::time::Instant;
use crate::grpc::request;
use crate::grpc::request::Write;
use crate::wire::pb;
use crate::wire::pb::ingest_request::Item as Given;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;

/// Bytes of a caller's mark.
const TAG_BYTES_MAX: usize = 128;

pub fn item(request: pb::IngestRequest, now: Instant) -> Item {
    let pb::IngestRequest { tag, item } = request;
    let bytes = tag.len();
    let step = if TAG_BYTES_MAX < bytes {
        let allowed = format!("must have at most {TAG_BYTES_MAX} bytes, got {bytes}");
        Err(Violations::one("tag", allowed))
    } else {
        match item {
            Some(item) => step(item, now),
            None => Err(Violations::one("item", "must be set")),
        }
    };
    Item {
        tag: tag.into(),
        step,
    }
}

fn step(item: Given, now: Instant) -> Result<Step, Violations> {
    let (field, step) = match item {
        Given::UpsertDeal(given) => (
            "upsert_deal",
            request::upsert_deal(given, now).map(|write| entry(write, What::Deal)),
        ),
        Given::UpsertStakeholders(given) => (
            "upsert_stakeholders",
            request::upsert_stakeholders(given, now).map(|write| entry(write, What::People)),
        ),
        Given::UpsertMilestones(given) => (
            "upsert_milestones",
            request::upsert_milestones(given, now).map(|write| entry(write, What::Plan)),
        ),
        Given::RecordOutcome(given) => (
            "record_outcome",
            request::record_outcome(given, now).map(|write| entry(write, What::Ending)),
        ),
        Given::RetractBuyerStatement(given) => (
            "retract_buyer_statement",
            request::retract(given, now).map(|write| entry(write, What::Retraction)),
        ),
        Given::ConfirmClaims(given) => (
            "confirm_claims",
            request::claims::confirm(given, now).map(|write| entry(write, What::Confirmation)),
        ),
        Given::RecordBuyerStatement(given) => ("record_buyer_statement", record(given, now)),
        Given::BeginGroup(given) => ("begin_group", begin(&given, now)),
        Given::CommitGroup(pb::CommitGroup {}) => ("commit_group", Ok(Step::Commit)),
    };
    step.map_err(|violations| violations.within(field))
}

fn record(given: pb::RecordBuyerStatementRequest, now: Instant) -> Result<Step, Violations> {
    let recording = request::record(given, now)?;
    if recording.validate_only {
        return Err(Violations::one(
            "validate_only",
            "must not be set in a stream",
        ));
    }
    Ok(Step::Write(Entry {
        deal: recording.deal,
        expected_revision: recording.expected_revision,
        what: What::Statement {
            statement: Box::new(recording.statement),
            said_at_defaulted: recording.said_at_defaulted,
        },
    }))
}

fn begin(given: &pb::BeginGroup, now: Instant) -> Result<Step, Violations> {
    let pb::BeginGroup { deal_id } = given;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = request::key(&mut reading, &Path::ROOT.field("deal_id"), deal_id);
    reading.end(deal.map(Step::Begin))
}

fn entry<T>(write: Write<T>, what: fn(T) -> What) -> Step {
    let Write {
        deal,
        facts,
        expected_revision,
    } = write;
    Step::Write(Entry {
        deal,
        expected_revision,
        what: what(facts),
    })
}
