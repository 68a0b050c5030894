//! Why a use case was not carried out.

use crate::domain::decide::Refusal;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::store;
use crate::store::DealKey;
use crate::wire::reading::Violations;

/// In order of precedence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent holds what cannot be taken.
    #[error("{0}")]
    Unfit(Violations),
    #[error("there is no deal {0}")]
    DealNotFound(Box<str>),
    #[error("deal {deal} has no statement {statement}")]
    StatementNotFound { deal: Box<str>, statement: Id },
    #[error("statement {statement} was taken back; there is nothing of it to confirm")]
    StatementRetracted { statement: Id },
    #[error("statement {statement} was recorded before with another {}", .differs.join(", "))]
    StatementDiffers {
        statement: Id,
        differs: Vec<&'static str>,
    },
    #[error("the deal closed at {closed_at}; a statement said after that is not recorded")]
    DealClosed { closed_at: Instant },
    #[error("the deal holds {limit} {what}, which is the most it may")]
    DealFull { what: &'static str, limit: usize },
    #[error("the deal is at revision {actual}, not {expected}")]
    RevisionMismatch { expected: u64, actual: u64 },
    #[error("the deal is at revision {actual}, which is before min_revision {min_revision}")]
    RevisionAhead { min_revision: u64, actual: u64 },
    #[error("from must not be later than to, {to}, got {from}")]
    FromAfterTo { from: Instant, to: Instant },
    #[error("from must leave at most {limit} {what} up to `to`, not {count}: take a shorter span")]
    SpanTooLong {
        what: &'static str,
        count: usize,
        limit: usize,
    },
    #[error("the resume token is ahead of this store: it is of another one")]
    PlaceUnknown,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// The same, of an answer that could not be made once its write was: nobody may say then that nothing was done.
    pub fn behind_a_write(self) -> Error {
        match self {
            Error::Store(store::Error::Fault(cause) | store::Error::Unavailable(cause)) => {
                store::Error::Unknown(cause).into()
            }
            Error::Store(store::Error::Closed) => {
                store::Error::Unknown(store::Error::Closed.to_string()).into()
            }
            other => other,
        }
    }
}

/// Refuses a write to a deal that is elsewhere than the caller expects.
pub(super) fn expect(expected: Option<u64>, actual: u64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::RevisionMismatch { expected, actual }),
        _ => Ok(()),
    }
}

/// What the domain's refusal is to the caller.
pub(super) fn refused(key: &DealKey, refusal: Refusal) -> Error {
    match refusal {
        Refusal::StatementUnknown(statement) => Error::StatementNotFound {
            deal: key.deal.clone(),
            statement,
        },
        Refusal::Retracted(statement) => Error::StatementRetracted { statement },
        Refusal::Closed { closed_at } => Error::DealClosed { closed_at },
        Refusal::Full { what, limit } => Error::DealFull { what, limit },
    }
}
