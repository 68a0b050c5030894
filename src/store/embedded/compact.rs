//! Gives back the space that sled keeps: everything recorded is copied to a store beside it, which takes its place.
//!
//! 1. The copy is made, closed, opened again with every check, and compared event by event before it counts.
//! 2. The two directories are exchanged in one step of the file system: at any moment the path holds a whole store.
//! 3. A process that dies at any step leaves the store as it was, or as it will be, and `DIR.compact` beside it, which
//!    the next `compact` removes.
//! 4. Nobody else can open either of the two meanwhile.
//!
//! Projections are not copied: they are made anew.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::CWD;
use rustix::fs::RenameFlags;

use crate::store::Error;
use crate::store::Store;
use crate::store::archive;
use crate::store::archive::ReplayError;
use crate::store::archive::Totals;
use crate::store::embedded::Check;
use crate::store::embedded::Embedded;
use crate::store::embedded::OpenError;
use crate::store::embedded::Options;
use crate::store::embedded::directory;
use crate::store::embedded::disk::sync_directory;
use crate::store::embedded::watermark;

/// How far it is. The last step that was told has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What was left of an earlier one is gone.
    Cleared,
    /// Copied up to `sequence` of `last`.
    Copying { sequence: u64, last: u64 },
    /// The copy is whole, closed and durable.
    Copied,
    /// It was opened again, checked, and compared.
    Compared,
    /// It has taken the place of the store; the old one is beside it.
    Exchanged,
    /// The old one is gone.
    Removed,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compacted {
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub totals: Totals,
}

/// Why a store was not compacted. Where nothing else is said it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The directory beside it, which the copy needs, holds what no store left there.
    #[error("{}: the copy needs this place, and it holds something else", .0.display())]
    Taken(PathBuf),
    #[error("the copy failed: {0}")]
    Copy(#[from] ReplayError),
    #[error("the store cannot be read: {0}")]
    Read(#[from] Error),
    /// What was written meanwhile is in the store and not in the copy.
    #[error("the store was written to by another process meanwhile; nothing was exchanged")]
    WrittenTo,
    /// A call to the system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        path: PathBuf,
        action: &'static str,
        source: io::Error,
    },
    /// Who was told of the progress stopped it. What was done stands.
    #[error("stopped")]
    Stopped,
}

/// Compacts the store in `directory`, telling each [`Step`] to `reached`, which may stop it.
///
/// # Errors
///
/// [`CompactError`]. An error of the system after [`Step::Exchanged`] leaves the compacted store in place.
pub async fn compact(
    directory: &Path,
    options: &Options,
    mut reached: impl FnMut(Step) -> ControlFlow<()>,
) -> Result<Compacted, CompactError> {
    // The real path, so that what is beside it is on the same file system as it is.
    let directory = directory
        .canonicalize()
        .map_err(failed("find", directory))?;
    let beside = beside(&directory)?;
    // Opening makes a directory where there is none, and a store where there is a directory.
    if !directory.join("db").exists() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        return Err(failed("find the store of", &directory)(source));
    }
    let store = Embedded::open(&directory, options.clone())?;
    let bytes_before = bytes_in(&directory).map_err(failed("measure", &directory))?;
    clear(&beside)?;
    go_on(reached(Step::Cleared))?;

    let last = store.newest_sequence().await?;
    let tidy = Options {
        is_tidy: true,
        ..options.clone()
    };
    let copy = Embedded::open(&beside, tidy)?;
    let copied = archive::copy(&store, &copy, last, |sequence| {
        reached(Step::Copying { sequence, last })
    });
    let totals = copied.await?.totals;
    copy.close().await;
    drop(copy);
    go_on(reached(Step::Copied))?;

    let checked = Options {
        check: Check::Whole,
        ..options.clone()
    };
    let copy = Embedded::open(&beside, checked)?;
    // All of it is there, so this compares and appends nothing.
    archive::copy(&store, &copy, last, |_| ControlFlow::Continue(())).await?;
    copy.close().await;
    store.close().await;
    drop((copy, store));
    go_on(reached(Step::Compared))?;

    // Claimed again, both, since closing gave them up: whoever came between has written to the old one, or holds it.
    let claims = (directory::claim(&directory)?, directory::claim(&beside)?);
    if watermark::read(&directory)? != Some(last) {
        return Err(CompactError::WrittenTo);
    }
    exchange(&directory, &beside)?;
    go_on(reached(Step::Exchanged))?;

    fs::remove_dir_all(&beside).map_err(failed("remove", &beside))?;
    go_on(reached(Step::Removed))?;
    let bytes_after = bytes_in(&directory).map_err(failed("measure", &directory))?;
    drop(claims);
    Ok(Compacted {
        bytes_before,
        bytes_after,
        totals,
    })
}

/// Bytes of all files of a store.
///
/// # Errors
///
/// Those of the system.
pub fn bytes_in(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += match metadata.is_dir() {
            true => bytes_in(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(bytes)
}

/// `DIR.compact`, beside `DIR`.
fn beside(directory: &Path) -> Result<PathBuf, CompactError> {
    let Some(name) = directory.file_name() else {
        let source = io::Error::from(io::ErrorKind::InvalidInput);
        return Err(failed("put a copy beside", directory)(source));
    };
    let mut name = name.to_owned();
    name.push(".compact");
    Ok(directory.with_file_name(name))
}

fn clear(beside: &Path) -> Result<(), CompactError> {
    if !beside.exists() {
        return Ok(());
    }
    if !beside.is_dir() || directory::is_foreign(beside).map_err(failed("read", beside))? {
        return Err(CompactError::Taken(beside.to_owned()));
    }
    let _claim = directory::claim(beside)?;
    fs::remove_dir_all(beside).map_err(failed("remove", beside))
}

fn go_on(told: ControlFlow<()>) -> Result<(), CompactError> {
    match told {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(CompactError::Stopped),
    }
}

fn exchange(directory: &Path, beside: &Path) -> Result<(), CompactError> {
    rustix::fs::renameat_with(CWD, beside, CWD, directory, RenameFlags::EXCHANGE)
        .map_err(|errno| failed("exchange for its copy", directory)(errno.into()))?;
    match directory.parent() {
        Some(parent) => sync_directory(parent).map_err(failed("sync", parent)),
        None => Ok(()),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CompactError {
    let path = path.to_owned();
    move |source| CompactError::Io {
        path,
        action,
        source,
    }
}
