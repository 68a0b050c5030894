//! Why an embedded store does not open: for the operator, who reads it where the process ended.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::guard;

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has it open.
    #[error("{}: the store is held by {holder}", directory.display())]
    Held { directory: PathBuf, holder: String },
    /// A newer build wrote it. Nothing was touched.
    #[error("{}: the store has format {found}, this build reads up to {supported}", directory.display())]
    Newer {
        directory: PathBuf,
        found: u64,
        supported: u8,
    },
    /// It is not a store of ours. Nothing was touched.
    #[error("{}: this is not a store: {problem}", directory.display())]
    Foreign { directory: PathBuf, problem: String },
    /// A restore into it was interrupted. Nothing was touched.
    #[error("{}: a restore into it was interrupted; do it again, or remove the directory", directory.display())]
    Unfinished { directory: PathBuf },
    /// A store is begun in an empty directory only. Nothing was touched.
    #[error("{}: the directory is not empty", directory.display())]
    NotEmpty { directory: PathBuf },
    /// A record that was acknowledged is not there, or does not check.
    #[error("{}: {place}: {problem}", directory.display())]
    Corrupt {
        directory: PathBuf,
        place: String,
        problem: String,
    },
    /// The newest groups are gone from the log. To go on with what is there, remove the file `watermark`.
    #[error("{}: {expected} appends were acknowledged, {found} are there: the end of the log is lost", directory.display())]
    Tail {
        directory: PathBuf,
        expected: u64,
        found: u64,
    },
    /// sled refused, or panicked.
    #[error("{}: sled cannot open it: {problem}", directory.display())]
    Sled { directory: PathBuf, problem: String },
    /// A call to the system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        path: PathBuf,
        action: &'static str,
        source: io::Error,
    },
}

impl OpenError {
    pub(in crate::store::embedded) fn io(
        path: &Path,
        action: &'static str,
        source: io::Error,
    ) -> OpenError {
        OpenError::Io {
            path: path.to_owned(),
            action,
            source,
        }
    }

    pub(in crate::store::embedded) fn sled(directory: &Path, problem: &str) -> OpenError {
        OpenError::Sled {
            directory: directory.to_owned(),
            problem: problem.to_owned(),
        }
    }

    pub(in crate::store::embedded) fn unreadable(
        directory: &Path,
        unreadable: Unreadable,
    ) -> OpenError {
        match unreadable {
            Unreadable::Broken { place, problem } => OpenError::Corrupt {
                directory: directory.to_owned(),
                place,
                problem,
            },
            Unreadable::Sled(error) => OpenError::sled(directory, &guard::told(&error)),
        }
    }
}
