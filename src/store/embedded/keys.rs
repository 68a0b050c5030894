//! The keys of the embedded store, built and taken apart in one place.
//!
//! | key | record |
//! | --- | --- |
//! | `e` tenant `0` deal `0` revision | one event; the revision is 8 big-endian bytes, so that a scan yields oldest first |
//! | `c` sequence | the changes of one group; the sequence of its first, 8 big-endian bytes |
//! | `p` tenant `0` deal `0` | the newest projection of a deal |
//!
//! Names hold no NUL, so the NUL after each keeps a deal apart from one whose id continues it, and deals in the order
//! of their ids. A record that needs more than one value goes on under its key and a part number of 2 big-endian bytes.

use crate::store::DealKey;
use crate::store::Revision;

const EVENT: u8 = b'e';
const CHANGES: u8 = b'c';
const PROJECTION: u8 = b'p';

/// What all keys of events begin with.
pub const EVENTS: &[u8] = &[EVENT];

/// What all keys of changes begin with.
pub const ALL_CHANGES: &[u8] = &[CHANGES];

/// What all keys of a deal's events begin with.
pub fn deal(deal: &DealKey) -> Vec<u8> {
    named(EVENT, deal)
}

/// The key of an event, given what the keys of its deal begin with.
pub fn event(deal: &[u8], revision: Revision) -> Vec<u8> {
    let mut key = Vec::with_capacity(deal.len() + 8);
    key.extend_from_slice(deal);
    key.extend_from_slice(&revision.to_be_bytes());
    key
}

/// The first key behind everything that begins with `prefix`, which must not end in 255.
pub fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    if let Some(last) = key.last_mut() {
        *last = last.saturating_add(1);
    }
    key
}

/// What all keys of events of a tenant begin with.
pub fn tenant(tenant: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(tenant.len() + 2);
    key.push(EVENT);
    key.extend_from_slice(tenant.as_bytes());
    key.push(0);
    key
}

/// The key of the group of changes whose first is `sequence`.
pub fn changes(sequence: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(9);
    key.push(CHANGES);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The key of a deal's projection.
pub fn projection(deal: &DealKey) -> Vec<u8> {
    named(PROJECTION, deal)
}

/// The key of part `number` of the record at `key`.
pub fn part(key: &[u8], number: u16) -> Vec<u8> {
    let mut part = Vec::with_capacity(key.len() + 2);
    part.extend_from_slice(key);
    part.extend_from_slice(&number.to_be_bytes());
    part
}

/// The deal and revision in the key of an event or of one of its parts.
pub fn parse_event(key: &[u8]) -> Option<(DealKey, Revision)> {
    let (deal, rest) = parse_named(key.strip_prefix(&[EVENT])?)?;
    Some((deal, number(rest)?))
}

/// The deal whose keys of events begin with `prefix`.
pub fn parse_deal(prefix: &[u8]) -> Option<DealKey> {
    let (deal, rest) = parse_named(prefix.strip_prefix(&[EVENT])?)?;
    rest.is_empty().then_some(deal)
}

/// What all keys of the deal's events begin with, and the revision, in the key of an event or of one of its parts.
pub fn split_event(key: &[u8]) -> Option<(&[u8], Revision)> {
    if key.first() != Some(&EVENT) {
        return None;
    }
    let mut ends = key.iter().enumerate().filter(|(_, byte)| **byte == 0);
    let (end_of_deal, _) = ends.nth(1)?;
    let (deal, rest) = key.split_at(end_of_deal + 1);
    Some((deal, number(rest)?))
}

/// The sequence in the key of a group of changes or of one of its parts.
pub fn parse_changes(key: &[u8]) -> Option<u64> {
    number(key.strip_prefix(&[CHANGES])?)
}

/// The place of a key, for people: `tenant/deal@revision`.
pub fn place(key: &[u8]) -> String {
    if let Some((deal, revision)) = parse_event(key) {
        return format!("{}@{revision}", place_of(&deal));
    }
    if let Some(sequence) = parse_changes(key) {
        return format!("changes from {sequence}");
    }
    match key.strip_prefix(&[PROJECTION]).and_then(parse_named) {
        Some((deal, _)) => format!("{} (projection)", place_of(&deal)),
        None => format!("key {}", key.escape_ascii()),
    }
}

/// The place of a deal, for people: `tenant/deal`.
pub fn place_of(deal: &DealKey) -> String {
    format!("{}/{}", deal.tenant, deal.deal)
}

fn named(kind: u8, deal: &DealKey) -> Vec<u8> {
    let mut key = Vec::with_capacity(deal.tenant.len() + deal.deal.len() + 13);
    key.push(kind);
    key.extend_from_slice(deal.tenant.as_bytes());
    key.push(0);
    key.extend_from_slice(deal.deal.as_bytes());
    key.push(0);
    key
}

fn parse_named(key: &[u8]) -> Option<(DealKey, &[u8])> {
    let mut pieces = key.splitn(3, |byte| *byte == 0);
    let tenant = std::str::from_utf8(pieces.next()?).ok()?;
    let deal = std::str::from_utf8(pieces.next()?).ok()?;
    Some((DealKey::new(tenant, deal), pieces.next()?))
}

// A part number may follow.
fn number(rest: &[u8]) -> Option<u64> {
    let (number, part) = rest.split_first_chunk::<8>()?;
    if !matches!(part.len(), 0 | 2) {
        return None;
    }
    Some(u64::from_be_bytes(*number))
}
