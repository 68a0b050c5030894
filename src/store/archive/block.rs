//! Appends as the bytes of a block, and back.
//!
//! A block: sequence of its first append (8), then each append: lengths of tenant and deal (1 each), these names,
//! revision after it (8), events (4), and of each event its length (4) and bytes.

use crate::store::Change;
use crate::store::DealKey;
use crate::store::archive::Append;

/// Adds an append to the bytes of a block.
pub fn put(block: &mut Vec<u8>, append: &Append) {
    let Append { change, events } = append;
    let Change {
        sequence,
        deal,
        revision,
        events: count,
    } = change;
    if block.is_empty() {
        block.extend_from_slice(&sequence.to_be_bytes());
    }
    for name in [&deal.tenant, &deal.deal] {
        block.push(u8::try_from(name.len()).expect("check_append lets 128 bytes through"));
    }
    block.extend_from_slice(deal.tenant.as_bytes());
    block.extend_from_slice(deal.deal.as_bytes());
    block.extend_from_slice(&revision.to_be_bytes());
    block.extend_from_slice(&count.to_be_bytes());
    for event in events {
        let length = u32::try_from(event.len()).expect("check_append lets 256 KiB through");
        block.extend_from_slice(&length.to_be_bytes());
        block.extend_from_slice(event);
    }
}

/// The appends in a block, or `None` if these are not appends.
pub fn take(block: &[u8]) -> Option<Vec<Append>> {
    let (first, mut rest) = number(block)?;
    let mut appends = Vec::new();
    while !rest.is_empty() {
        let sequence = first.checked_add(appends.len() as u64)?;
        let (append, behind) = take_one(rest, sequence)?;
        appends.push(append);
        rest = behind;
    }
    Some(appends)
}

fn take_one(bytes: &[u8], sequence: u64) -> Option<(Append, &[u8])> {
    let (lengths, rest) = bytes.split_first_chunk::<2>()?;
    let (tenant, rest) = rest.split_at_checked(usize::from(lengths[0]))?;
    let (deal, rest) = rest.split_at_checked(usize::from(lengths[1]))?;
    let (revision, rest) = number(rest)?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let count = u32::from_be_bytes(*count);
    let mut events = Vec::new();
    for _ in 0..count {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (event, behind) = behind.split_at_checked(length)?;
        events.push(event.to_vec());
        rest = behind;
    }
    let tenant = std::str::from_utf8(tenant).ok()?;
    let deal = std::str::from_utf8(deal).ok()?;
    let change = Change {
        sequence,
        deal: DealKey::new(tenant, deal),
        revision,
        events: count,
    };
    Some((Append { change, events }, rest))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}
