//! Why a database was not opened.

use crate::store::postgres::address::Address;

/// In order of precedence. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL, or what it names, cannot be read.
    #[error("{0}")]
    Address(String),
    #[error("{at}: {problem}")]
    Unreachable { at: String, problem: String },
    #[error(
        "{at}: the schema is at version {found}, this build needs {needed}; run `verbatim migrate`"
    )]
    Behind { at: String, found: i32, needed: i32 },
    #[error("{at}: the schema is at version {found}, this build knows {known}; run a newer build")]
    Ahead { at: String, found: i32, known: i32 },
    #[error(
        "{at}: synchronous_commit is off for this user or database, so that a crash would take back what was acknowledged; set it to on"
    )]
    Unsafe { at: String },
    #[error("{at}: a copy into it was begun and has not ended; run the same command again")]
    Unfinished { at: String },
    #[error("{at}: it holds deals already")]
    NotEmpty { at: String },
}

impl OpenError {
    pub(in crate::store::postgres) fn unreachable(address: &Address, problem: String) -> OpenError {
        OpenError::Unreachable {
            at: address.shown().to_owned(),
            problem,
        }
    }

    pub(in crate::store::postgres) fn ahead(address: &Address, found: i32) -> OpenError {
        OpenError::Ahead {
            at: address.shown().to_owned(),
            found,
            known: crate::store::postgres::schema::VERSION,
        }
    }
}
