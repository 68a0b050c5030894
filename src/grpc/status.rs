//! What a caller is told when a call fails. Codes are chosen here and nowhere else.
//!
//! The message is a plain sentence; the details are those of `google.rpc`. Causes from below go to the log and are
//! never told.

mod details;
mod of_store;
pub mod streams;

use std::time::Duration;

use tonic::Code;
use tonic::Status;
use tonic_types::ErrorDetails;
use tonic_types::StatusExt;

use crate::app;
use crate::grpc::status::details::info;
use crate::grpc::status::details::list;
use crate::grpc::status::of_store::of_store;
use crate::wire::pb::ErrorReason;
use crate::wire::reading::Violations;

/// Another writer was first: reading again and deciding anew takes about this long.
const RETRY_CONFLICT: Duration = Duration::from_millis(10);
/// A queue drains in milliseconds, but many callers retry at once.
const RETRY_BUSY: Duration = Duration::from_millis(100);
/// Somebody has to restart something.
const RETRY_FAULT: Duration = Duration::from_secs(5);

/// The status of a use case that was not carried out.
pub fn of(error: app::Error) -> Status {
    let message = error.to_string();
    match error {
        app::Error::Unfit(violations) => of_violations(&violations),
        app::Error::DealNotFound(deal) => {
            let mut details = info(ErrorReason::DealNotFound, &[]);
            details.set_resource_info("verbatim.v1.Deal", &*deal, "", message.as_str());
            Status::with_error_details(Code::NotFound, message, details)
        }
        app::Error::StatementNotFound { deal: _, statement } => {
            let mut details = info(ErrorReason::StatementNotFound, &[]);
            let kind = "verbatim.v1.BuyerStatement";
            details.set_resource_info(kind, statement.as_str(), "", message.as_str());
            Status::with_error_details(Code::NotFound, message, details)
        }
        app::Error::StatementRetracted { statement: _ } => {
            let details = info(ErrorReason::StatementRetracted, &[]);
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
        app::Error::StatementDiffers {
            statement: _,
            differs,
        } => {
            let metadata = [("differs", differs.join(","))];
            let details = info(ErrorReason::StatementDiffers, &metadata);
            Status::with_error_details(Code::AlreadyExists, message, details)
        }
        app::Error::DealClosed { closed_at } => {
            let details = info(
                ErrorReason::DealClosed,
                &[("closed_at", closed_at.to_string())],
            );
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
        app::Error::DealFull { what, limit } => {
            let metadata = [("what", what.into()), ("limit", limit.to_string())];
            let details = info(ErrorReason::DealFull, &metadata);
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
        app::Error::RevisionMismatch { expected, actual } => mismatch(expected, actual),
        app::Error::RevisionAhead {
            min_revision,
            actual,
        } => {
            let metadata = [
                ("min_revision", min_revision.to_string()),
                ("actual", actual.to_string()),
            ];
            let details = info(ErrorReason::RevisionAhead, &metadata);
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
        app::Error::FromAfterTo { from, to } => of_violations(&Violations::one(
            "from",
            format_args!("must not be later than `to`, {to}, got {from}"),
        )),
        app::Error::SpanTooLong { what, count, limit } => of_violations(&Violations::one(
            "from",
            format_args!(
                "must leave at most {limit} {what} up to `to`, got {count}: take a shorter span"
            ),
        )),
        app::Error::PlaceUnknown => {
            let mut details = info(ErrorReason::ResumeToken, &[]);
            details.add_bad_request_violation("resume_token", message.as_str());
            Status::with_error_details(Code::InvalidArgument, message, details)
        }
        app::Error::Store(error) => of_store(error),
    }
}

fn mismatch(expected: u64, actual: u64) -> Status {
    let metadata = [
        ("expected", expected.to_string()),
        ("actual", actual.to_string()),
    ];
    retry(
        Code::Aborted,
        format!("the deal is at revision {actual}, not {expected}; nothing was done"),
        info(ErrorReason::RevisionMismatch, &metadata),
        RETRY_CONFLICT,
    )
}

/// Fields are not what they may be.
pub fn of_violations(violations: &Violations) -> Status {
    let mut details = info(ErrorReason::InvalidFields, &[]);
    list(&mut details, violations);
    Status::with_error_details(Code::InvalidArgument, violations.to_string(), details)
}

/// The page token is not one of this call.
pub fn page_token() -> Status {
    let allowed = "must be empty or the next_page_token of the page before, of the same request";
    let mut details = info(ErrorReason::PageToken, &[]);
    details.add_bad_request_violation("page_token", allowed);
    let message = format!("page_token {allowed}");
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// Too many calls are in flight.
pub fn too_many_calls(limit: usize) -> Status {
    retry(
        Code::ResourceExhausted,
        format!("{limit} calls are in flight, which is the limit; nothing was done"),
        info(ErrorReason::TooManyCalls, &[("limit", limit.to_string())]),
        RETRY_BUSY,
    )
}

/// It took too long.
pub fn deadline(limit: Duration) -> Status {
    let limit_ms = limit.as_millis();
    Status::with_error_details(
        Code::DeadlineExceeded,
        format!(
            "it took longer than {limit_ms} ms; a write may or may not be there, ask again with the same ids"
        ),
        info(ErrorReason::Deadline, &[("limit_ms", limit_ms.to_string())]),
    )
}

/// The service has a fault of its own.
pub fn internal() -> Status {
    Status::with_error_details(
        Code::Internal,
        "the service has a fault of its own; its log has the cause. A write may or may not be there",
        info(ErrorReason::Internal, &[]),
    )
}

/// There is no such call.
pub fn unknown_call(path: &str) -> Status {
    let path: String = path.chars().take(128).collect();
    Status::with_error_details(
        Code::Unimplemented,
        format!("there is no call {path}"),
        info(ErrorReason::UnknownCall, &[]),
    )
}

/// What tonic itself refused before a handler was asked, in the words and codes of this service.
///
/// tonic calls a message that does not decode INTERNAL, and one that is too large OUT_OF_RANGE or RESOURCE_EXHAUSTED
/// depending on compression; a caller cannot act on either.
pub fn of_transport(status: Status, path: &str, message_bytes_max: usize) -> Status {
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => {
            let limit = message_bytes_max.to_string();
            Status::with_error_details(
                Code::ResourceExhausted,
                format!(
                    "the message is larger than {limit} bytes, which is the limit; nothing was done"
                ),
                info(ErrorReason::MessageTooLarge, &[("limit", limit)]),
            )
        }
        Code::Unimplemented if status.message().is_empty() => unknown_call(path),
        // An encoding that is not supported: tonic's answer says which are.
        Code::Unimplemented => status,
        Code::Internal | Code::InvalidArgument | Code::Unknown | Code::DataLoss => {
            let cause: String = status.message().chars().take(256).collect();
            let mut details = info(ErrorReason::InvalidFields, &[]);
            details.add_bad_request_violation("", cause.as_str());
            let message = format!("the request cannot be read: {cause}");
            Status::with_error_details(Code::InvalidArgument, message, details)
        }
        Code::Ok
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unavailable
        | Code::Unauthenticated => status,
    }
}

fn retry(
    code: Code,
    message: impl Into<String>,
    mut details: ErrorDetails,
    delay: Duration,
) -> Status {
    details.set_retry_info(Some(delay));
    Status::with_error_details(code, message, details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Id;
    use crate::domain::time::Instant;
    use crate::store;

    #[track_caller]
    fn check(error: app::Error, code: Code, reason: &str, metadata: &[(&str, &str)]) -> Status {
        let status = of(error);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((status.code(), info.reason.as_str()), (code, reason));
        assert_eq!(info.domain, "verbatim.v1");
        assert_eq!(info.metadata.len(), metadata.len(), "{info:?}");
        for (key, value) in metadata {
            assert_eq!(info.metadata.get(*key).map(String::as_str), Some(*value));
        }
        status
    }

    #[test]
    fn every_refusal_has_its_code_and_reason() {
        let id = |text| Id::new(text).unwrap();
        let status = check(
            app::Error::DealNotFound("d1".into()),
            Code::NotFound,
            "DEAL_NOT_FOUND",
            &[],
        );
        let resource = status.get_details_resource_info().unwrap();
        assert_eq!(resource.resource_name, "d1");
        let not_said = app::Error::StatementNotFound {
            deal: "d1".into(),
            statement: id("s1"),
        };
        check(not_said, Code::NotFound, "STATEMENT_NOT_FOUND", &[]);
        let retracted = app::Error::StatementRetracted {
            statement: id("s1"),
        };
        let code = Code::FailedPrecondition;
        check(retracted, code, "STATEMENT_RETRACTED", &[]);
        let differs = app::Error::StatementDiffers {
            statement: id("s1"),
            differs: vec!["quote", "said_at"],
        };
        check(
            differs,
            Code::AlreadyExists,
            "STATEMENT_DIFFERS",
            &[("differs", "quote,said_at")],
        );
        check(
            app::Error::DealClosed {
                closed_at: Instant::MIN,
            },
            Code::FailedPrecondition,
            "DEAL_CLOSED",
            &[("closed_at", "1970-01-01T00:00:00Z")],
        );
        let full = app::Error::DealFull {
            what: "statements",
            limit: 7,
        };
        let metadata = [("what", "statements"), ("limit", "7")];
        check(full, Code::FailedPrecondition, "DEAL_FULL", &metadata);
        let ahead = app::Error::RevisionAhead {
            min_revision: 9,
            actual: 3,
        };
        let metadata = [("min_revision", "9"), ("actual", "3")];
        check(ahead, Code::FailedPrecondition, "REVISION_AHEAD", &metadata);
    }

    #[test]
    fn what_the_store_says_is_told_without_its_cause() {
        let mismatch = [("expected", "1"), ("actual", "2")];
        let conflict = store::Error::Conflict {
            expected: 1,
            actual: 2,
        };
        let cases = [
            (
                store::Error::Closed,
                Code::Unavailable,
                "SHUTTING_DOWN",
                &[][..],
            ),
            (
                store::Error::Fault("/dev/sda".into()),
                Code::Unavailable,
                "STORE_FAULT",
                &[],
            ),
            (
                store::Error::Busy { waiting: 5 },
                Code::ResourceExhausted,
                "WRITE_QUEUE_FULL",
                &[("limit", "5")],
            ),
            (conflict, Code::Aborted, "REVISION_MISMATCH", &mismatch),
            (
                store::Error::Unknown("/dev/sda".into()),
                Code::Unavailable,
                "OUTCOME_UNKNOWN",
                &[],
            ),
        ];
        for (error, code, reason, metadata) in cases {
            let status = check(app::Error::Store(error), code, reason, metadata);
            assert!(status.get_details_retry_info().is_some(), "{reason}");
            assert!(!status.message().contains("/dev/sda"));
        }
        let corrupt = store::Error::Corrupt {
            place: "/dev/sda".into(),
            problem: "crc".into(),
        };
        let status = check(app::Error::Store(corrupt), Code::DataLoss, "DATA_LOSS", &[]);
        assert!(!status.message().contains("/dev/sda"));
    }
}
