//! Compares the events with the change feed when a store is opened.
//!
//! sled skips a damaged piece in the middle of its log without a word, and the keys written there are gone or back at
//! an older value. A hole inside a history shows when it is read; a history cut short does not. But each append is
//! written twice, as events and in the change feed, and the two must tell the same.
//!
//! The comparison is a sum of hashes over all (deal, revision, sequence), so that it needs two scans and no memory; and
//! sums add up, so each scan is done in pieces, on all cores. It finds damage, not forgery.

mod pieces;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hasher;
use std::ops::Range;

use crate::store::DealKey;
use crate::store::Revision;
use crate::store::embedded::check::pieces::Piece;
use crate::store::embedded::frames;
use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::keys;
use crate::store::embedded::reads;

/// The newest revision of each deal, by what the keys of its events begin with. About 70 bytes a deal.
pub type Heads = BTreeMap<Box<[u8]>, Revision>;

/// The same of some deals, in order.
type Ends = Vec<(Box<[u8]>, Revision)>;

/// What is known of a store that was read as a whole.
#[derive(Debug)]
pub struct Whole {
    pub heads: Heads,
    /// The length of all events together, without keys, checksums and what else it takes to keep them.
    pub event_bytes: u64,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Tally {
    events: u64,
    sum: u64,
}

/// The hash of what the keys of a deal's events begin with: made once for all of them that come together.
#[derive(Clone, Copy)]
struct DealHash(u64);

impl DealHash {
    fn of(deal: &[u8]) -> DealHash {
        let mut hasher = DefaultHasher::new();
        hasher.write(deal);
        DealHash(hasher.finish())
    }
}

impl Tally {
    fn add(&mut self, deal: DealHash, revision: Revision, sequence: u64) {
        self.events += 1;
        let place = mixed(deal.0 ^ mixed(revision) ^ mixed(sequence).rotate_left(32));
        self.sum = self.sum.wrapping_add(place);
    }

    fn and(self, other: Tally) -> Tally {
        Tally {
            events: self.events + other.events,
            sum: self.sum.wrapping_add(other.sum),
        }
    }
}

/// Spreads what differs in a few bits over all of them: the finish of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The newest change sequence; 0 in an empty store.
pub fn last_sequence(facts: &sled::Tree) -> Result<u64, Unreadable> {
    let end = keys::behind(keys::ALL_CHANGES);
    for item in facts.range(keys::changes(0)..end.clone()).rev() {
        let (key, _) = item?;
        if key.len() != keys::changes(0).len() {
            continue;
        }
        let group = reads::next_group(&mut facts.range(key..end.into()))?;
        return Ok(group.map_or(0, |(first, entries)| first + entries.len() as u64 - 1));
    }
    Ok(0)
}

/// Reads every event and every change, and compares them. Answers what was seen on the way.
pub fn whole(facts: &sled::Tree) -> Result<Whole, Unreadable> {
    let changed = tally_changes(facts)?;
    let (kept, whole) = tally_events(facts)?;
    if changed == kept {
        return Ok(whole);
    }
    Err(name_the_deal(facts)?)
}

/// The tally of the whole feed.
fn tally_changes(facts: &sled::Tree) -> Result<Tally, Unreadable> {
    let mut tally = Tally::default();
    let mut expected = 1;
    for scanned in pieces::scan(pieces::of_changes(facts)?, |piece| changes_in(facts, piece))? {
        let Some((tallied, sequences)) = scanned else {
            continue;
        };
        if sequences.start != expected {
            return Err(missing_group(expected));
        }
        expected = sequences.end;
        tally = tally.and(tallied);
    }
    Ok(tally)
}

/// The tally of the groups that begin in a piece, and the sequences that they cover; `None` without any.
fn changes_in(facts: &sled::Tree, piece: Piece) -> Result<Option<(Tally, Range<u64>)>, Unreadable> {
    let mut tally = Tally::default();
    let mut sequences: Option<Range<u64>> = None;
    let mut scan = facts.range(piece);
    while let Some((first, entries)) = reads::next_group(&mut scan)? {
        let covered = sequences.get_or_insert(first..first);
        if first != covered.end {
            return Err(missing_group(covered.end));
        }
        for (sequence, entry) in (first..).zip(&entries) {
            let before = entry.revision.saturating_sub(u64::from(entry.events));
            let deal = DealHash::of(&keys::deal(&entry.deal));
            for revision in before + 1..=entry.revision {
                tally.add(deal, revision, sequence);
            }
        }
        covered.end += entries.len() as u64;
    }
    Ok(sequences.map(|sequences| (tally, sequences)))
}

fn missing_group(first: u64) -> Unreadable {
    Unreadable::at(&keys::changes(first), "the group is missing")
}

/// The tally of all events, and what is known of them.
fn tally_events(facts: &sled::Tree) -> Result<(Tally, Whole), Unreadable> {
    let mut tally = Tally::default();
    let mut heads = Vec::new();
    let mut event_bytes = 0;
    for (tallied, ends, bytes) in
        pieces::scan(pieces::of_events(facts)?, |piece| events_in(facts, piece))?
    {
        tally = tally.and(tallied);
        heads.extend(ends);
        event_bytes += bytes;
    }
    // They come in order of their keys, of which a tree is made without gaps.
    let heads = heads.into_iter().collect();
    Ok((tally, Whole { heads, event_bytes }))
}

/// The same of the deals of a piece: a piece holds each of them whole.
fn events_in(facts: &sled::Tree, piece: Piece) -> Result<(Tally, Ends, u64), Unreadable> {
    let mut tally = Tally::default();
    let mut heads = Ends::new();
    let mut event_bytes = 0;
    // Of the deal that is read: a string for each of millions of events would be most of the work.
    let mut hash = DealHash(0);
    let mut scan = facts.range(piece);
    while let Some((key, stamp, bytes)) = frames::next_checked(&mut scan)? {
        let Some((deal, revision)) = keys::split_event(&key) else {
            return Err(Unreadable::at(&key, "the key is not one of an event"));
        };
        match heads.last_mut() {
            Some((last, head)) if **last == *deal => {
                *head += 1;
            }
            _ => {
                hash = DealHash::of(deal);
                heads.push((deal.into(), 1));
            }
        }
        let expected = heads.last().map_or(1, |(_, head)| *head);
        if revision != expected {
            let place = keys::event(deal, expected);
            return Err(Unreadable::at(&place, "the event is missing"));
        }
        tally.add(hash, revision, stamp);
        event_bytes += bytes as u64;
    }
    Ok((tally, heads, event_bytes))
}

// Only reached with damage at hand, so it may use memory: it finds the first deal that differs.
fn name_the_deal(facts: &sled::Tree) -> Result<Unreadable, Unreadable> {
    let mut heads: HashMap<DealKey, Revision> = HashMap::new();
    let mut scan = facts.range(keys::ALL_CHANGES.to_vec()..keys::behind(keys::ALL_CHANGES));
    while let Some((_, entries)) = reads::next_group(&mut scan)? {
        heads.extend(
            entries
                .into_iter()
                .map(|entry| (entry.deal, entry.revision)),
        );
    }

    for (deal, changed) in heads {
        let prefix = keys::deal(&deal);
        let kept = reads::revision(facts, &prefix, u64::MAX)?;
        if kept != changed {
            return Ok(Unreadable::Broken {
                place: keys::place_of(&deal),
                problem: format!("{changed} events were appended, they end at {kept}"),
            });
        }
    }
    Ok(Unreadable::Broken {
        place: "events".to_owned(),
        problem: "they are not those of the change feed".to_owned(),
    })
}
