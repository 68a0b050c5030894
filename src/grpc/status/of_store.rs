//! What a caller is told of a fault of the store; its cause goes to the log.

use tonic::Code;
use tonic::Status;
use tonic_types::StatusExt;

use crate::grpc::status::RETRY_BUSY;
use crate::grpc::status::RETRY_FAULT;
use crate::grpc::status::details::info;
use crate::grpc::status::mismatch;
use crate::grpc::status::retry;
use crate::store;
use crate::wire::pb::ErrorReason;

/// The status of a call that the store did not carry out.
pub fn of_store(error: store::Error) -> Status {
    match error {
        store::Error::Closed => retry(
            Code::Unavailable,
            "the service is shutting down; nothing was done",
            info(ErrorReason::ShuttingDown, &[]),
            RETRY_BUSY,
        ),
        store::Error::Fault(cause) => {
            tracing::error!(cause, "a write was refused: the store has a fault");
            retry(
                Code::Unavailable,
                "the store refuses writes since a fault; nothing was done",
                info(ErrorReason::StoreFault, &[]),
                RETRY_FAULT,
            )
        }
        store::Error::Full { .. } => {
            tracing::error!(cause = %error, "a write was refused: the disk is full");
            retry(
                Code::Unavailable,
                "the store refuses writes since its disk is full; nothing was done",
                info(ErrorReason::StoreFault, &[]),
                RETRY_FAULT,
            )
        }
        store::Error::OutOfRange(problem) => {
            tracing::error!(problem, "the store was asked for what it cannot hold");
            Status::with_error_details(
                Code::Internal,
                "the service could not do this; its log says why; nothing was done",
                info(ErrorReason::Internal, &[]),
            )
        }
        store::Error::Busy { waiting } => retry(
            Code::ResourceExhausted,
            format!("{waiting} writes are waiting, which is the limit; nothing was done"),
            info(
                ErrorReason::WriteQueueFull,
                &[("limit", waiting.to_string())],
            ),
            RETRY_BUSY,
        ),
        store::Error::Unavailable(cause) => {
            tracing::error!(cause, "the store cannot be reached");
            retry(
                Code::Unavailable,
                "the store cannot be reached now; nothing was done",
                info(ErrorReason::StoreFault, &[]),
                RETRY_FAULT,
            )
        }
        store::Error::Conflict { expected, actual } => mismatch(expected, actual),
        store::Error::Unknown(cause) => {
            tracing::error!(cause, "the outcome of a write is unknown");
            retry(
                Code::Unavailable,
                "the write may or may not be there; ask again with the same ids",
                info(ErrorReason::OutcomeUnknown, &[]),
                RETRY_FAULT,
            )
        }
        store::Error::Corrupt { place, problem } => {
            tracing::error!(place, problem, "stored bytes are broken");
            Status::with_error_details(
                Code::DataLoss,
                "stored bytes are broken; the service's log names the place",
                info(ErrorReason::DataLoss, &[]),
            )
        }
    }
}
