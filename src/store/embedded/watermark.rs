//! The newest durable change sequence, kept outside sled's log, so that a tail lost from the log is noticed.
//!
//! After damage to the end of its log sled opens as if the last groups had never been. The watermark says otherwise.
//!
//! Two slots, written in turn, each with its own checksum: a write torn by a crash spoils the older one only.
//!
//! Its limits:
//!
//! 1. It is written after each group is durable but synced only at open and close. After a power loss it may be some
//!    groups behind the log; a tail of up to that length could then be lost unseen. A killed process loses nothing.
//! 2. Damage to the newer slot puts it one group behind, in the same way.
//! 3. It counts; it does not know the bytes. What is inside the log is for checksums and for `check`.
//! 4. Without the file the store opens with what is there: removing it is how an operator accepts a loss.

use std::fs;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;

use crate::store::embedded::OpenError;
use crate::store::embedded::disk::sync_directory;

const MAGIC: [u8; 4] = *b"vwm1";
const SLOT_BYTES: usize = 16;

// Slots lie in blocks of their own, since a disk writes at least 512 bytes at once.
const SLOT_DISTANCE: u64 = 4096;

/// The open watermark file.
pub struct Watermark {
    file: File,
    slot: u64,
}

/// What the file at `path` says: the highest sequence it holds, or `None` without a file.
pub fn read(directory: &Path) -> Result<Option<u64>, OpenError> {
    let path = path(directory);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io(&path, "read", error)),
    };
    let second = bytes.get(SLOT_DISTANCE as usize..).unwrap_or_default();
    match parse(&bytes).max(parse(second)) {
        Some(sequence) => Ok(Some(sequence)),
        None => Err(OpenError::Corrupt {
            directory: directory.to_owned(),
            place: "watermark".to_owned(),
            problem: "neither of its slots checks".to_owned(),
        }),
    }
}

impl Watermark {
    /// Writes `sequence` into both slots, durably, creating the file if need be.
    pub fn create(directory: &Path, sequence: u64) -> io::Result<Watermark> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path(directory))?;
        let mut watermark = Watermark { file, slot: 0 };
        // Synced in between, so that one slot is whole at any time.
        for _ in 0..2 {
            watermark.write(sequence)?;
            watermark.sync()?;
        }
        sync_directory(directory)?;
        Ok(watermark)
    }

    /// Writes `sequence`, which is durable in the log.
    pub fn write(&mut self, sequence: u64) -> io::Result<()> {
        let mut slot = [0; SLOT_BYTES];
        slot[..4].copy_from_slice(&MAGIC);
        slot[4..12].copy_from_slice(&sequence.to_be_bytes());
        let crc = crc32fast::hash(&slot[..12]);
        slot[12..].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all_at(&slot, self.slot * SLOT_DISTANCE)?;
        self.slot = 1 - self.slot;
        Ok(())
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join("watermark")
}

fn parse(bytes: &[u8]) -> Option<u64> {
    let (slot, _) = bytes.split_first_chunk::<SLOT_BYTES>()?;
    let (magic, rest) = slot.split_first_chunk::<4>()?;
    let (sequence, crc) = rest.split_first_chunk::<8>()?;
    if *magic != MAGIC || *crc != crc32fast::hash(&slot[..12]).to_le_bytes() {
        return None;
    }
    Some(u64::from_be_bytes(*sequence))
}
