//! How streams, and single items of them, end.

use tonic::Code;
use tonic::Status;
use tonic_types::StatusExt;

use crate::app::ingest::Refused;
use crate::app::watch::Ended;
use crate::grpc::request::watch::token;
use crate::grpc::status::RETRY_BUSY;
use crate::grpc::status::RETRY_FAULT;
use crate::grpc::status::details::info;
use crate::grpc::status::of;
use crate::grpc::status::of_transport;
use crate::grpc::status::of_violations;
use crate::grpc::status::retry;
use crate::wire::pb::ErrorReason;

/// The status with which a watcher's stream ends.
pub fn of_watch(ended: Ended) -> Status {
    let (code, message, reason, place) = match ended {
        Ended::Failed(error) => return of(error),
        Ended::TooSlow(place) => (
            Code::ResourceExhausted,
            "the reader is too slow; nothing is lost: go on from resume_token",
            ErrorReason::ReaderTooSlow,
            place,
        ),
        Ended::Closing(place) => (
            Code::Unavailable,
            "the service is shutting down; go on from resume_token",
            ErrorReason::ShuttingDown,
            place,
        ),
    };
    let metadata = [("resume_token", token(&place))];
    retry(code, message, info(reason, &metadata), RETRY_BUSY)
}

/// The status of an item of a stream for which nothing was recorded.
pub fn of_refused(refused: Refused) -> Status {
    let (message, because) = match refused {
        Refused::Unreadable(violations) => return of_violations(&violations),
        Refused::Decided(error) => return of(error),
        Refused::WithGroup { because } => {
            let message = format!("nothing of the group was recorded, because of item {because}");
            (message, because)
        }
        Refused::NotCommitted => {
            let message = "nothing of the group was recorded: it was not committed";
            (message.into(), "".into())
        }
    };
    let metadata = [("because", because.into())];
    let details = info(ErrorReason::GroupRefused, &metadata);
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// The end of a stream of which an item could not be read.
pub fn of_item(refused: Status, message_bytes_max: usize) -> Status {
    // With details it is of this service: the JSON door has named the line.
    match refused.details().is_empty() {
        true => of_transport(refused, "", message_bytes_max),
        false => refused,
    }
}

/// The end of a stream of writes at shutdown: what was read was answered.
pub fn closing() -> Status {
    retry(
        Code::Unavailable,
        "the service is shutting down; send again what was not answered",
        info(ErrorReason::ShuttingDown, &[]),
        RETRY_BUSY,
    )
}

/// The end of a backup at shutdown.
pub fn backup_cut() -> Status {
    retry(
        Code::Unavailable,
        "the service is shutting down; the archive is not whole: begin again",
        info(ErrorReason::ShuttingDown, &[]),
        RETRY_FAULT,
    )
}

/// Too many streaming calls are open.
pub fn too_many(limit: usize) -> Status {
    retry(
        Code::ResourceExhausted,
        format!("{limit} streaming calls are open, which is the limit; nothing was done"),
        info(ErrorReason::TooManyCalls, &[("limit", limit.to_string())]),
        RETRY_FAULT,
    )
}
