//! What was recorded, as one compressed file: every append in the order over all deals, up to one sequence.
//!
//! 1. An archive is a prefix of the change sequence, so it is consistent whatever is written meanwhile.
//! 2. Restoring appends the same bytes in the same order: revisions and sequences come out the same.
//! 3. Every byte is covered by a checksum. A flip is named by its place, and a file that was cut off never passes for a
//!    shorter one. This finds damage, not forgery.
//! 4. Writing and reading take the memory of one block, however much was recorded.
//!
//! Projections are derived and not kept here.
//!
//! | piece | content |
//! | --- | --- |
//! | preamble | 0x89 `vrbatim`, format (2 bytes), last sequence (8), crc32 of these (4) |
//! | frame of a block | `b`, number from 1 (4), packed length (4), crc32 of these and of the packed bytes (4), packed bytes |
//! | frame of the end | the same with `e`: the totals and the crc32 of all bytes before it |
//!
//! Numbers are big-endian. A block is packed with zlib; unpacked it holds appends one after the other (`block`). A reader
//! of any later format finds the preamble as it is here.
//!
//! The files in reading order: `block`, `frame`, `packer` (to bytes), `reader` (from bytes), `source` (from a
//! store), `export`, `replay` (into a store).

mod block;
mod export;
mod frame;
mod packer;
mod reader;
mod replay;
mod source;

use std::collections::BTreeMap;
use std::io;

pub use crate::store::archive::export::Export;
pub use crate::store::archive::export::Piece;
pub use crate::store::archive::packer::Packer;
pub use crate::store::archive::reader::Reader;
pub use crate::store::archive::replay::ReplayError;
pub use crate::store::archive::replay::Replayed;
pub use crate::store::archive::replay::copy;
pub use crate::store::archive::replay::replay;

use crate::store::Change;
use crate::store::EVENT_BYTES_MAX;
use crate::store::EVENTS_MAX;
use crate::store::Error;
use crate::store::Span;
use crate::store::Store;

/// The format of what this build writes, and the newest it reads.
pub const FORMAT: u16 = 1;

/// Bytes of events after which a block ends. A block of one larger append is larger.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// Appends in one block, at most: as many are restored at once.
pub const BLOCK_APPENDS_MAX: usize = 512;

/// Bytes of a block before it is packed, at most: a reader refuses more.
const UNPACKED_BYTES_MAX: u64 = (BLOCK_BYTES + (EVENTS_MAX + 1) * (EVENT_BYTES_MAX + 512)) as u64;

/// One append as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub change: Change,
    /// Oldest first; as many as the change says.
    pub events: Vec<Vec<u8>>,
}

/// What an archive holds. Told at its end, and counted again by who reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub appends: u64,
    pub deals: u64,
    pub events: u64,
    /// Bytes of the events, as they are kept.
    pub event_bytes: u64,
    /// The events of each tenant.
    pub tenants: BTreeMap<Box<str>, u64>,
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It begins like nothing of ours.
    #[error("this is not an archive: it does not begin like one")]
    Foreign,
    /// A newer build wrote it.
    #[error("the archive has format {found}, this build reads up to {FORMAT}")]
    Newer { found: u16 },
    /// It ends before its end.
    #[error("{place}: the archive is cut off")]
    CutOff { place: String },
    /// Bytes are not those that were written. Names the place.
    #[error("{place}: {problem}")]
    Broken { place: String, problem: String },
    /// The system could not read.
    #[error("the archive cannot be read: {0}")]
    Io(io::Error),
}

impl Totals {
    fn add(&mut self, append: &Append) {
        let Append { change, events } = append;
        let count = events.len() as u64;
        self.appends += 1;
        self.deals += u64::from(change.is_first_of_deal());
        self.events += count;
        self.event_bytes += events.iter().map(|event| event.len() as u64).sum::<u64>();
        match self.tenants.get_mut(&change.deal.tenant) {
            Some(of_tenant) => *of_tenant += count,
            None => {
                self.tenants.insert(change.deal.tenant.clone(), count);
            }
        }
    }
}

impl Change {
    /// The deal's revision before the append.
    pub fn revision_before(&self) -> u64 {
        self.revision.saturating_sub(u64::from(self.events))
    }

    fn is_first_of_deal(&self) -> bool {
        self.revision_before() == 0
    }
}

/// Reads the events of each of these changes from the store that has them.
///
/// # Errors
///
/// Those of [`Store::events_of`]; [`Error::Corrupt`] when there are fewer than a change says.
async fn events_of(store: &dyn Store, changes: &[Change]) -> Result<Vec<Vec<Vec<u8>>>, Error> {
    let spans: Vec<Span> = changes
        .iter()
        .map(|change| Span {
            deal: change.deal.clone(),
            after: change.revision_before(),
            events_max: change.events as usize,
        })
        .collect();
    let found = store.events_of(&spans).await?;
    let mut all = Vec::with_capacity(changes.len());
    for (change, found) in changes.iter().zip(found) {
        let (due, there) = (change.events as usize, found.len());
        if there != due {
            let Change { deal, sequence, .. } = change;
            let first = change.revision_before() + 1;
            return Err(Error::Corrupt {
                place: format!("{}/{}@{first}", deal.tenant, deal.deal),
                problem: format!("change {sequence} has {due} events here, {there} are there"),
            });
        }
        all.push(found.into_iter().map(|event| event.bytes).collect());
    }
    Ok(all)
}
