//! Whether a deal in memory is as new as it has to be, when other processes write to the same store.
//!
//! This process follows the change sequence (`follow`). A deal in memory carries how far that was before it was read; a
//! change that is seen later marks the deal's place here, so that it is brought forward before it is used again.
//!
//! 1. A deal is used without asking the store only while no change to it was seen since it was read, and the sequence was
//!    looked at within the last [`STALE_MAX`].
//! 2. Places are shared by deals whose hashes meet: that costs a question to the store, never an answer.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::store::DealKey;

/// What other processes acknowledged so long ago is in every answer; after that the store is asked each time.
pub const STALE_MAX: Duration = Duration::from_secs(2);

/// Places of deals. 8 bytes each.
const PLACES: usize = 1 << 16;

/// Nothing was followed yet.
const NOT_YET: u64 = u64::MAX;

pub struct Fresh {
    /// Where following began: what was read before that has to be asked for again.
    begun: AtomicU64,
    /// Up to which change all is marked here.
    followed: AtomicU64,
    /// The newest change seen of the deals of each place.
    changed: Vec<AtomicU64>,
    hasher: RandomState,
    made: Instant,
    /// When the sequence was looked at, in ms since it was made.
    looked_ms: AtomicU64,
}

impl Fresh {
    pub fn new() -> Fresh {
        Fresh {
            begun: AtomicU64::new(NOT_YET),
            followed: AtomicU64::new(0),
            changed: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            made: Instant::now(),
            looked_ms: AtomicU64::new(0),
        }
    }

    /// Begins to follow behind this change, unless that was done.
    pub fn begin(&self, sequence: u64) {
        self.followed.fetch_max(sequence, Ordering::AcqRel);
        let begun = &self.begun;
        // An error means that it was done.
        let _ = begun.compare_exchange(NOT_YET, sequence, Ordering::AcqRel, Ordering::Acquire);
    }

    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire) != NOT_YET
    }

    /// Up to which change all is marked. To be asked for before a deal is read.
    pub fn followed(&self) -> u64 {
        self.followed.load(Ordering::Acquire)
    }

    /// Whether a deal that was read when so much was followed may be used without asking.
    pub fn is_current(&self, key: &DealKey, read_at: u64) -> bool {
        let looked = Duration::from_millis(self.looked_ms.load(Ordering::Acquire));
        self.begun.load(Ordering::Acquire) <= read_at
            && self.place(key).load(Ordering::Acquire) <= read_at
            && self.made.elapsed() <= looked + STALE_MAX
    }

    /// Marks a deal that is not as new in memory as this change.
    pub fn changed(&self, key: &DealKey, sequence: u64) {
        self.place(key).fetch_max(sequence, Ordering::AcqRel);
    }

    /// All changes up to this one are marked.
    pub fn reached(&self, sequence: u64) {
        self.followed.fetch_max(sequence, Ordering::AcqRel);
    }

    /// All changes that were there at `moment` are marked.
    pub fn looked(&self, moment: Instant) {
        let at = moment.saturating_duration_since(self.made);
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX / 2);
        self.looked_ms.fetch_max(at, Ordering::AcqRel);
    }

    fn place(&self, key: &DealKey) -> &AtomicU64 {
        &self.changed[self.hasher.hash_one(key) as usize % PLACES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deal_is_current_until_a_later_change_to_it_is_seen() {
        let fresh = Fresh::new();
        let key = DealKey::new("t", "d");
        fresh.looked(Instant::now());
        assert!(!fresh.is_current(&key, 9), "nothing is followed");
        fresh.begin(5);
        fresh.begin(7);
        assert!(!fresh.is_current(&key, 4), "it was read before");
        assert!(fresh.is_current(&key, 5));
        fresh.changed(&key, 8);
        assert!(!fresh.is_current(&key, 7));
        assert!(fresh.is_current(&key, 8));
    }

    #[test]
    fn nothing_is_current_when_the_sequence_was_not_looked_at_for_long() {
        let fresh = Fresh::new();
        let key = DealKey::new("t", "d");
        fresh.begin(0);
        fresh.looked(fresh.made);
        assert!(fresh.is_current(&key, 0));
        let long_ago = Fresh {
            made: Instant::now().checked_sub(STALE_MAX * 2).unwrap(),
            ..fresh
        };
        assert!(!long_ago.is_current(&key, 0));
    }
}
