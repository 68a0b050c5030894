//! The mark of a store that is being filled: with it in the directory the store does not open, so that a restore which
//! was interrupted never passes for a whole one.

use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::store::embedded::OpenError;
use crate::store::embedded::disk::sync_directory;

/// Refuses a directory with the mark.
pub fn refuse(directory: &Path) -> Result<(), OpenError> {
    match mark_in(directory).exists() {
        true => Err(OpenError::Unfinished {
            directory: directory.to_owned(),
        }),
        false => Ok(()),
    }
}

/// Refuses a directory that has something in it, but for one with the mark.
pub fn refuse_others(directory: &Path) -> Result<(), OpenError> {
    if mark_in(directory).exists() {
        return Ok(());
    }
    let empty = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(OpenError::io(directory, "read", error)),
    };
    match empty {
        true => Ok(()),
        false => Err(OpenError::NotEmpty {
            directory: directory.to_owned(),
        }),
    }
}

/// Sets the mark, durably.
pub fn mark(directory: &Path) -> Result<(), OpenError> {
    let path = mark_in(directory);
    let set = || -> io::Result<()> {
        File::create(&path)?.sync_all()?;
        sync_directory(directory)
    };
    set().map_err(|source| OpenError::io(&path, "create", source))
}

/// Takes the mark away, durably.
pub fn unmark(directory: &Path) -> Result<(), OpenError> {
    let path = mark_in(directory);
    let take = || -> io::Result<()> {
        fs::remove_file(&path)?;
        sync_directory(directory)
    };
    take().map_err(|source| OpenError::io(&path, "remove", source))
}

fn mark_in(directory: &Path) -> PathBuf {
    directory.join("unfinished")
}
