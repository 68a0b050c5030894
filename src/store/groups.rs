//! The record of one group commit in the change feed: which deals got events, in the order they got them.
//!
//! One record a group, and not one an append, so that the feed costs each append a few bytes and no key of its own.

use crate::store::DealKey;
use crate::store::Revision;

/// One append of a group. Its sequence is that of the group and its place in it.
#[derive(Debug)]
pub struct Entry {
    pub deal: DealKey,
    /// The deal's revision after the append.
    pub revision: Revision,
    /// How many events the append had.
    pub events: u32,
}

/// The entries as bytes: lengths of the names (1 byte each), names, revision (8, big-endian), events (4, big-endian).
pub fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * 48);
    for entry in entries {
        let Entry {
            deal,
            revision,
            events,
        } = entry;
        for name in [&deal.tenant, &deal.deal] {
            let length = u8::try_from(name.len()).expect("check_append lets 128 bytes through");
            bytes.push(length);
        }
        bytes.extend_from_slice(deal.tenant.as_bytes());
        bytes.extend_from_slice(deal.deal.as_bytes());
        bytes.extend_from_slice(&revision.to_be_bytes());
        bytes.extend_from_slice(&events.to_be_bytes());
    }
    bytes
}

/// The entries in `bytes`, or `None` if these are not entries.
pub fn decode(mut bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (lengths, rest) = bytes.split_first_chunk::<2>()?;
        let (tenant, rest) = rest.split_at_checked(usize::from(lengths[0]))?;
        let (deal, rest) = rest.split_at_checked(usize::from(lengths[1]))?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let (events, rest) = rest.split_first_chunk::<4>()?;
        entries.push(Entry {
            deal: DealKey::new(
                std::str::from_utf8(tenant).ok()?,
                std::str::from_utf8(deal).ok()?,
            ),
            revision: u64::from_be_bytes(*revision),
            events: u32::from_be_bytes(*events),
        });
        bytes = rest;
    }
    Some(entries)
}
