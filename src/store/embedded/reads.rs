//! Reads of the trees: each of a few microseconds, each checking what it returns.
//!
//! `durable` is the newest change sequence a reader may see. sled shows a batch as soon as it is applied, which is
//! before it is durable; the stamp on each record tells, so nothing is read that a power loss could take back.

use crate::store::Change;
use crate::store::DealKey;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::StoredEvent;
use crate::store::embedded::frames;
use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::keys;
use crate::store::groups;
use crate::store::groups::Entry;

/// The newest revision of the deal whose keys begin with `deal`; 0 without events.
pub fn revision(facts: &sled::Tree, deal: &[u8], durable: u64) -> Result<Revision, Unreadable> {
    for item in facts.range(deal.to_vec()..keys::behind(deal)).rev() {
        let (key, value) = item?;
        // Parts of a long event come after its beginning, which has the stamp.
        if key.len() != deal.len() + 8 {
            continue;
        }
        let (stamp, _) = frames::head(&key, &value)?;
        if stamp <= durable {
            return revision_in(&key);
        }
    }
    Ok(0)
}

/// Up to `events_max` events after the first `after` ones.
pub fn events(
    facts: &sled::Tree,
    deal: &[u8],
    after: Revision,
    events_max: usize,
    durable: u64,
) -> Result<Vec<StoredEvent>, Unreadable> {
    let mut page = Vec::new();
    let Some(first) = after.checked_add(1) else {
        return Ok(page);
    };
    let mut scan = facts.range(keys::event(deal, first)..keys::behind(deal));
    for expected in (first..).take(events_max) {
        let Some(record) = frames::next(&mut scan)? else {
            break;
        };
        if durable < record.stamp {
            break;
        }
        // Without this a hole in the history would pass for a shorter history.
        if revision_in(&record.key)? != expected {
            let place = keys::event(deal, expected);
            return Err(Unreadable::at(&place, "the event is missing"));
        }
        page.push(StoredEvent {
            revision: expected,
            bytes: record.payload,
        });
    }
    Ok(page)
}

/// Up to `deals_max` deals of a tenant, by id, after `after`.
pub fn deals(
    facts: &sled::Tree,
    tenant: &str,
    after: Option<&str>,
    deals_max: usize,
    durable: u64,
) -> Result<Vec<(DealKey, Revision)>, Unreadable> {
    let all = keys::tenant(tenant);
    let end = keys::behind(&all);
    let mut from = match after {
        Some(after) => keys::behind(&keys::deal(&DealKey::new(tenant, after))),
        None => all,
    };

    let mut page = Vec::new();
    // From deal to deal, over their events: two seeks a deal, however long its history.
    while page.len() < deals_max && from < end {
        let Some(item) = facts.range(from..end.clone()).next() else {
            break;
        };
        let (key, _) = item?;
        let Some((deal, _)) = keys::parse_event(&key) else {
            return Err(Unreadable::at(&key, "the key is not one of an event"));
        };
        let prefix = keys::deal(&deal);
        let revision = revision(facts, &prefix, durable)?;
        if 0 < revision {
            page.push((deal, revision));
        }
        from = keys::behind(&prefix);
    }
    Ok(page)
}

/// Up to `changes_max` changes after sequence `after`.
pub fn changes(
    facts: &sled::Tree,
    after: u64,
    changes_max: usize,
    durable: u64,
) -> Result<Vec<Change>, Unreadable> {
    let mut page = Vec::new();
    if durable <= after {
        return Ok(page);
    }

    let wanted = keys::changes(after + 1);
    let mut from = None;
    // The group of the first wanted change begins at it or before it.
    for item in facts.range(keys::changes(0)..=wanted.clone()).rev() {
        let (key, _) = item?;
        if key.len() == wanted.len() {
            from = Some(key);
            break;
        }
    }
    let Some(from) = from else {
        return Err(Unreadable::at(&wanted, "the group is missing"));
    };

    let mut expected = None;
    let mut scan = facts.range(from..keys::behind(keys::ALL_CHANGES).into());
    while page.len() < changes_max {
        let Some((first, entries)) = next_group(&mut scan)? else {
            break;
        };
        if expected.is_some_and(|expected| expected != first) {
            return Err(missing_group(expected));
        }
        expected = Some(first + entries.len() as u64);
        let visible = (first..)
            .zip(entries)
            .take_while(|(sequence, _)| *sequence <= durable);
        page.extend(
            visible
                .filter(|(sequence, _)| after < *sequence)
                .take(changes_max - page.len())
                .map(|(sequence, entry)| Change {
                    sequence,
                    deal: entry.deal,
                    revision: entry.revision,
                    events: entry.events,
                }),
        );
        if expected.is_some_and(|expected| durable < expected) {
            return Ok(page);
        }
    }
    if page.len() < changes_max {
        return Err(missing_group(expected));
    }
    Ok(page)
}

/// The next group of a scan over the change feed: its first sequence and its entries.
pub fn next_group(
    scan: &mut impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
) -> Result<Option<(u64, Vec<Entry>)>, Unreadable> {
    let Some(record) = frames::next(scan)? else {
        return Ok(None);
    };
    let first = keys::parse_changes(&record.key);
    match (first, groups::decode(&record.payload)) {
        (Some(first), Some(entries)) if first == record.stamp => Ok(Some((first, entries))),
        _ => Err(Unreadable::at(&record.key, "this is not a group")),
    }
}

/// The projection at `key`.
pub fn projection(projections: &sled::Tree, key: &[u8]) -> Result<Option<Projection>, Unreadable> {
    let mut scan = projections.range(key.to_vec()..keys::behind(key));
    let record = frames::next(&mut scan)?;
    Ok(record.map(|record| Projection {
        revision: record.stamp,
        bytes: record.payload,
    }))
}

/// The revision in the key of an event.
pub fn revision_in(key: &[u8]) -> Result<Revision, Unreadable> {
    match key.last_chunk::<8>() {
        Some(revision) => Ok(u64::from_be_bytes(*revision)),
        None => Err(Unreadable::at(key, "the key is too short")),
    }
}

fn missing_group(first: Option<u64>) -> Unreadable {
    let place = keys::changes(first.unwrap_or_default());
    Unreadable::at(&place, "the group is missing")
}
