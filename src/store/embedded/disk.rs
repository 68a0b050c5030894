//! What the store asks of the disk beyond sled's own reads and writes: a seam, so that tests can fail and watch it.

use std::fs;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::FlockOperation;

/// What `st_blocks` counts in, whatever the file system does.
const BLOCK_BYTES: u64 = 512;

/// The two calls that decide whether a write is acknowledged.
pub trait Disk: Send + Sync {
    /// Makes what was written to `log` durable. No append is acknowledged before it returned `Ok`.
    fn sync(&self, log: &File) -> io::Result<()>;

    /// Bytes that may still be written to the file system of `log`.
    fn free_bytes(&self, log: &File) -> io::Result<u64>;
}

/// The disk as it is.
pub struct RealDisk;

impl Disk for RealDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        log.sync_data()
    }

    fn free_bytes(&self, log: &File) -> io::Result<u64> {
        let figures = rustix::fs::fstatvfs(log)?;
        Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
    }
}

/// Makes the entries of a directory durable: a new file that is synced but not entered is lost with the power.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Bytes of disk that the files below `directory` take; not their lengths, which count holes, too.
pub fn bytes_below(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // A file may be gone by now: sled replaces its snapshots.
        match entry.metadata() {
            Ok(found) if found.is_dir() => bytes += bytes_below(&entry.path())?,
            Ok(found) => bytes += found.blocks() * BLOCK_BYTES,
            Err(_) => {}
        }
    }
    Ok(bytes)
}

/// Waits for the lock of sled's log, half a second at most.
///
/// A store just closed in this process may have a sled thread at its last write, which holds the lock a moment longer.
/// The claim says that nobody else is in here, so this is worth waiting for; sled itself would just refuse.
pub fn wait_for_log(directory: &Path) {
    let Ok(log) = File::open(directory.join("db")) else {
        return;
    };
    for _ in 0..500 {
        if rustix::fs::flock(&log, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
