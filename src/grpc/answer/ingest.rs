//! The answer to an item of a stream of writes.

use tonic::Status;
use tonic_types::StatusExt;

use crate::app::Written;
use crate::app::ingest::Answer;
use crate::grpc::status;
use crate::wire::pb;
use crate::wire::pb::ingest_response::Outcome;

pub fn encode(answer: Answer) -> pb::IngestResponse {
    let Answer {
        tag,
        sequence,
        statement_id,
        outcome,
    } = answer;
    let outcome = match outcome {
        Ok(Written { revision, already }) => Outcome::Recorded(pb::IngestRecorded {
            revision,
            already_recorded: already,
            statement_id: statement_id.map_or_else(String::new, |id| id.as_str().into()),
        }),
        Err(refused) => Outcome::Refused(encode_status(&status::streams::of_refused(refused))),
    };
    pb::IngestResponse {
        tag: tag.into(),
        sequence,
        outcome: Some(outcome),
    }
}

/// A status as part of an answer: the same words as at the end of a single call.
fn encode_status(status: &Status) -> pb::IngestRefused {
    let (reason, metadata) = match status.get_details_error_info() {
        Some(info) => (info.reason, info.metadata),
        None => Default::default(),
    };
    let violations = status
        .get_details_bad_request()
        .map_or_else(Vec::new, |bad| bad.field_violations);
    pb::IngestRefused {
        code: status.code() as i32,
        message: status.message().into(),
        reason,
        metadata,
        violations: violations
            .into_iter()
            .map(|violation| pb::IngestViolation {
                field: violation.field,
                description: violation.description,
            })
            .collect(),
    }
}
