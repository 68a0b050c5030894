//! The directory of a store: who holds it, and in which format it is.
//!
//! | file | content |
//! | --- | --- |
//! | `lock` | held with flock while the store is open; the holder's process id |
//! | `format` | `verbatim-store 1` |
//! | `watermark` | see `watermark` |
//! | `unfinished` | empty; there while a restore is under way |
//! | `db`, `conf`, `snap.*`, `blobs` | sled's |
//!
//! Both checks come before sled opens, because sled writes as it opens.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::store::embedded::OpenError;
use crate::store::embedded::disk::sync_directory;
use crate::store::embedded::frames::FORMAT;

const NAME: &str = "verbatim-store";

/// The right to use a directory, given up when dropped or when the process ends, however it ends.
pub struct Claim {
    lock: File,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Said, not left to the close: a child process that is just being started has the descriptor too, for a moment.
        let _ = rustix::fs::flock(&self.lock, FlockOperation::Unlock);
    }
}

/// Creates the directory if there is none, and claims it.
pub fn claim(directory: &Path) -> Result<Claim, OpenError> {
    let failed = |source| OpenError::io(directory, "claim", source);
    fs::create_dir_all(directory).map_err(failed)?;
    let mut lock = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(directory.join("lock"))
        .map_err(failed)?;

    if let Err(errno) = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        if errno != rustix::io::Errno::WOULDBLOCK {
            return Err(failed(errno.into()));
        }
        return Err(OpenError::Held {
            directory: directory.to_owned(),
            holder: holder(&mut lock),
        });
    }

    // Another store may have taken the place of the one whose lock this is (see `compact`).
    if !is_at(&lock, &directory.join("lock")).map_err(failed)? {
        return Err(OpenError::Held {
            directory: directory.to_owned(),
            holder: "another process".to_owned(),
        });
    }

    // The number only informs: the lock is what holds, so it need not be durable.
    lock.set_len(0).map_err(failed)?;
    lock.write_all(std::process::id().to_string().as_bytes())
        .map_err(failed)?;
    Ok(Claim { lock })
}

/// Writes the format of a new store, or checks that of an old one.
pub fn check_format(directory: &Path) -> Result<(), OpenError> {
    let path = directory.join("format");
    let failed = |source| OpenError::io(&path, "read", source);
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return create_format(directory);
        }
        Err(error) => return Err(failed(error)),
    };

    let format = text
        .trim_end()
        .strip_prefix(NAME)
        .and_then(|rest| rest.strip_prefix(' '))
        .and_then(|number| number.parse::<u64>().ok());
    match format {
        Some(format) if format == u64::from(FORMAT) => Ok(()),
        Some(found) if u64::from(FORMAT) < found => Err(OpenError::Newer {
            directory: directory.to_owned(),
            found,
            supported: FORMAT,
        }),
        _ => Err(OpenError::Foreign {
            directory: directory.to_owned(),
            problem: format!("its format file says {text:?}"),
        }),
    }
}

// The format is durable before sled creates anything, so a database without one was not made here.
fn create_format(directory: &Path) -> Result<(), OpenError> {
    if directory.join("db").exists() {
        return Err(OpenError::Foreign {
            directory: directory.to_owned(),
            problem: "it has a database but no format file".to_owned(),
        });
    }
    let create = || -> io::Result<()> {
        // Renamed into place: a file of half a line would lock the store out for ever.
        let half = directory.join("format.new");
        let mut file = File::create(&half)?;
        writeln!(file, "{NAME} {FORMAT}")?;
        file.sync_all()?;
        fs::rename(&half, directory.join("format"))?;
        sync_directory(directory)?;
        match directory.canonicalize()?.parent() {
            Some(parent) => sync_directory(parent),
            None => Ok(()),
        }
    };
    create().map_err(|source| OpenError::io(directory, "create the format file in", source))
}

/// Whether there is something in the directory that no store left there.
pub fn is_foreign(directory: &Path) -> io::Result<bool> {
    const OURS: [&str; 6] = [
        "lock",
        "format",
        "format.new",
        "watermark",
        "unfinished",
        "conf",
    ];
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let of_sled = ["db", "blobs"].contains(&&*name) || name.starts_with("snap.");
        if !of_sled && !OURS.contains(&&*name) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    let there = fs::metadata(path)?;
    Ok((held.dev(), held.ino()) == (there.dev(), there.ino()))
}

fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => format!("process {text}"),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_given_up_although_a_child_process_has_the_descriptor_too() {
        let home = tempfile::tempdir().unwrap();
        let first = claim(home.path()).unwrap();
        let of_the_child = first.lock.try_clone().unwrap();
        drop(first);

        let second = claim(home.path()).unwrap();
        drop(of_the_child);
        assert!(matches!(claim(home.path()), Err(OpenError::Held { .. })));
        drop(second);
    }
}
