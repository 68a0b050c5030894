//! What the store asks of the disk beyond sled's own reads and writes: a seam, so that tests can fail and watch it.

use std::fs::File;
use std::io;
use std::path::Path;

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
