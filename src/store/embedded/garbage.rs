//! What sled has replaced and not freed yet.
//!
//! sled leaves the old form of a page to its collector (crossbeam-epoch), which frees at most 512 of them each 128th time
//! that somebody enters sled. A batch enters once, whatever is in it, so large batches leave more behind than is freed:
//! filling a store of 4,000,000 statements held 11 GiB. So whoever writes cleans up in step with what was written.

/// Old forms that one call of the collector frees at most: 8 bags of 64.
const FREED_AT_ONCE: usize = 512;

/// Old forms that a record is reckoned to leave: its own page, those that a split or a merge touches, and what is chained
/// to them. A guess to the safe side, not counted; with it that fill held 0.7 GiB (`bench --mode pipeline` tells).
const LEFT_BY_RECORD: usize = 8;

/// Frees what the last `records` records have left, as far as no reader holds it.
pub fn collect(records: usize) {
    for _ in 0..=records * LEFT_BY_RECORD / FREED_AT_ONCE {
        crossbeam_epoch::pin().flush();
    }
}
