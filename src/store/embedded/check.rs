//! Compares the events with the change feed when a store is opened.
//!
//! sled skips a damaged piece in the middle of its log without a word, and the keys written there are gone or back at
//! an older value. A hole inside a history shows when it is read; a history cut short does not. But each append is
//! written twice, as events and in the change feed, and the two must tell the same.
//!
//! The comparison is a sum of hashes over all (deal, revision, sequence), so that it needs two scans and no memory.
//! It finds damage, not forgery.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

use crate::store::DealKey;
use crate::store::Revision;
use crate::store::embedded::frames;
use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::keys;
use crate::store::embedded::reads;

/// The newest revision of each deal, by what the keys of its events begin with. About 70 bytes a deal.
pub type Heads = BTreeMap<Box<[u8]>, Revision>;

#[derive(Default, PartialEq)]
struct Tally {
    events: u64,
    sum: u64,
}

impl Tally {
    /// `deal` is what the keys of its events begin with.
    fn add(&mut self, deal: &[u8], revision: Revision, sequence: u64) {
        let mut hasher = DefaultHasher::new();
        (deal, revision, sequence).hash(&mut hasher);
        self.events += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
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

/// Reads every event and every change, and compares them. Answers where the history of each deal ends.
pub fn whole(facts: &sled::Tree) -> Result<Heads, Unreadable> {
    let changed = tally_changes(facts)?;
    let (kept, heads) = tally_events(facts)?;
    if changed == kept {
        return Ok(heads);
    }
    Err(name_the_deal(facts)?)
}

fn tally_changes(facts: &sled::Tree) -> Result<Tally, Unreadable> {
    let mut tally = Tally::default();
    let mut expected = 1;
    let mut scan = facts.range(keys::ALL_CHANGES.to_vec()..keys::behind(keys::ALL_CHANGES));
    while let Some((first, entries)) = reads::next_group(&mut scan)? {
        if first != expected {
            let place = keys::changes(expected);
            return Err(Unreadable::at(&place, "the group is missing"));
        }
        for (sequence, entry) in (first..).zip(&entries) {
            let before = entry.revision.saturating_sub(u64::from(entry.events));
            let deal = keys::deal(&entry.deal);
            for revision in before + 1..=entry.revision {
                tally.add(&deal, revision, sequence);
            }
        }
        expected += entries.len() as u64;
    }
    Ok(tally)
}

fn tally_events(facts: &sled::Tree) -> Result<(Tally, Heads), Unreadable> {
    let mut tally = Tally::default();
    let mut heads: Vec<(Box<[u8]>, Revision)> = Vec::new();
    // The deal and revision before, kept in one place: a string for each of millions of events would be most of the work.
    let mut before: (Vec<u8>, Revision) = (Vec::new(), 0);
    let mut scan = facts.range(keys::EVENTS.to_vec()..keys::behind(keys::EVENTS));
    while let Some(record) = frames::next(&mut scan)? {
        let Some((deal, revision)) = keys::split_event(&record.key) else {
            let problem = "the key is not one of an event";
            return Err(Unreadable::at(&record.key, problem));
        };
        let expected = match before.0 == deal {
            true => before.1 + 1,
            false => 1,
        };
        if revision != expected {
            let place = keys::event(deal, expected);
            return Err(Unreadable::at(&place, "the event is missing"));
        }
        tally.add(deal, revision, record.stamp);
        if expected == 1 {
            if 0 < before.1 {
                heads.push((before.0.as_slice().into(), before.1));
            }
            before.0.clear();
            before.0.extend_from_slice(deal);
        }
        before.1 = revision;
    }
    if 0 < before.1 {
        heads.push((before.0.into(), before.1));
    }
    // They come in order of their keys, of which a tree is made without gaps.
    Ok((tally, heads.into_iter().collect()))
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
