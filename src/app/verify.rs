//! Looks through all that is kept: whether it is whole, reads, and folds to what was derived from it.
//!
//! Goes on behind a fault, so that all of them are named at once. Nothing is changed.

use std::collections::BTreeMap;
use std::io::Read;

use crate::app::deals::place;
use crate::app::projection;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::time::Instant;
use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Store;
use crate::store::StoredEvent;
use crate::store::archive::Append;
use crate::store::archive::Reader;
use crate::store::archive::Totals;
use crate::store::archive::Unreadable;
use crate::wire;

/// Faults that are named; further ones are counted.
pub const FAULTS_MAX: usize = 100;

/// Changes, events and deals that are read at once.
const PAGE: usize = 512;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    pub totals: Totals,
    /// Projections that were compared with the events.
    pub projections: u64,
    /// What is wrong, by its place; the first [`FAULTS_MAX`].
    pub faults: Vec<String>,
    /// Those that are not named.
    pub faults_more: u64,
}

/// The revision at which each deal was left, by the changes.
type Heads = BTreeMap<DealKey, Revision>;

impl Findings {
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, place: impl std::fmt::Display, problem: impl std::fmt::Display) {
        match self.faults.len() < FAULTS_MAX {
            true => self.faults.push(format!("{place}: {problem}")),
            false => self.faults_more += 1,
        }
    }

    /// Names broken bytes and goes on; any other error ends the look.
    fn broken<T>(&mut self, outcome: Result<T, Error>) -> Result<Option<T>, Error> {
        match outcome {
            Ok(found) => Ok(Some(found)),
            Err(Error::Corrupt { place, problem }) => {
                self.fault(place, problem);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn follow(&mut self, heads: &mut Heads, change: &Change) {
        let head = heads.entry(change.deal.clone()).or_default();
        let before = change.revision_before();
        if *head != before {
            let problem = format!("change {} goes on from {before}", change.sequence);
            self.fault(place(&change.deal, *head), problem);
        }
        *head = change.revision;
    }
}

/// Looks through a store that nobody writes to.
///
/// # Errors
///
/// What keeps it from looking on, such as [`Error::Fault`]. What is broken is a finding.
pub async fn store(store: &dyn Store) -> Result<Findings, Error> {
    let mut findings = Findings::default();
    let heads = changes(store, &mut findings).await?;
    let mut tenants: Vec<&str> = heads.keys().map(|deal| &*deal.tenant).collect();
    tenants.dedup();
    for (deal, revision) in &heads {
        history(store, deal, *revision, &mut findings).await?;
    }
    for tenant in tenants {
        unknown_deals(store, tenant, &heads, &mut findings).await?;
    }
    Ok(findings)
}

/// Looks through an archive.
///
/// # Errors
///
/// [`Unreadable`] when it cannot be read to its end; what came before is in `findings`.
pub fn archive<R: Read>(reader: &mut Reader<R>, findings: &mut Findings) -> Result<(), Unreadable> {
    let mut heads = Heads::new();
    while let Some(block) = reader.next_block()? {
        for append in block {
            let Append { change, events } = append;
            findings.follow(&mut heads, &change);
            let before = change.revision_before();
            for (revision, bytes) in (before + 1..).zip(events) {
                let stored = StoredEvent { revision, bytes };
                if let Err(problem) = read(&stored) {
                    findings.fault(place(&change.deal, revision), problem);
                }
            }
        }
    }
    findings.totals = reader.totals().clone();
    Ok(())
}

/// When the last event of an append was recorded.
///
/// # Errors
///
/// What is wrong with it, by its place.
pub fn recorded_at(append: &Append) -> Result<Instant, String> {
    let Append { change, events } = append;
    let bytes = events.last().cloned().unwrap_or_default();
    let revision = change.revision;
    let event = read(&StoredEvent { revision, bytes });
    event
        .map(|event| event.recorded_at)
        .map_err(|problem| format!("{}: {problem}", place(&change.deal, revision)))
}

/// The change sequence: without gaps, and each deal going on where it was left.
async fn changes(store: &dyn Store, findings: &mut Findings) -> Result<Heads, Error> {
    let mut heads = Heads::new();
    let mut after = 0;
    loop {
        let page = findings.broken(store.changes(after, PAGE).await)?;
        let page = page.unwrap_or_default();
        if page.is_empty() {
            return Ok(heads);
        }
        for change in page {
            if change.sequence != after + 1 {
                let place = format_args!("change {}", after + 1);
                findings.fault(place, "it is missing");
            }
            after = change.sequence;
            findings.totals.appends += 1;
            findings.follow(&mut heads, &change);
        }
    }
}

/// The events of one deal: each there, each reads, and together what its projection says.
async fn history(
    store: &dyn Store,
    key: &DealKey,
    head: Revision,
    findings: &mut Findings,
) -> Result<(), Error> {
    let kept = findings.broken(store.projection(key).await)?.flatten();
    let kept = kept.filter(projection::is_of_this_fold);
    let mut deal = Deal::default();
    let mut after = 0;
    let mut compared = compare(kept.as_ref(), key, &deal, findings);
    loop {
        let page = findings.broken(store.events(key, after, PAGE).await)?;
        let Some(page) = page else {
            return Ok(());
        };
        if page.is_empty() {
            break;
        }
        for stored in page {
            after += 1;
            findings.totals.events += 1;
            findings.totals.event_bytes += stored.bytes.len() as u64;
            match read(&stored) {
                Ok(event) => deal.apply(&event),
                Err(problem) => {
                    findings.fault(place(key, stored.revision), problem);
                    return Ok(());
                }
            }
            compared |= compare(kept.as_ref(), key, &deal, findings);
        }
    }
    findings.totals.deals += 1;
    let of_tenant = &mut findings.totals.tenants;
    *of_tenant.entry(key.tenant.clone()).or_default() += after;
    if after != head {
        findings.fault(
            place(key, after),
            format!("the changes say {head} events, {after} are there"),
        );
    }
    if kept.is_some() && !compared {
        let problem = "it is ahead of the events";
        findings.fault(format!("{} (projection)", place(key, after)), problem);
    }
    Ok(())
}

/// Compares at the revision of the projection. Answers whether this was it.
fn compare(kept: Option<&Projection>, key: &DealKey, deal: &Deal, findings: &mut Findings) -> bool {
    let Some(kept) = kept.filter(|kept| kept.revision == deal.revision()) else {
        return false;
    };
    findings.projections += 1;
    if projection::unpack(kept).as_ref() != Some(deal) {
        let place = format!("{} (projection)", place(key, kept.revision));
        findings.fault(place, "it is not what the events fold to");
    }
    true
}

/// Deals with events of which the changes know nothing.
async fn unknown_deals(
    store: &dyn Store,
    tenant: &str,
    heads: &Heads,
    findings: &mut Findings,
) -> Result<(), Error> {
    let mut after: Option<Box<str>> = None;
    loop {
        let page = store.deals(tenant, after.as_deref(), PAGE).await;
        let page = findings.broken(page)?.unwrap_or_default();
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = Some(last.deal.clone());
        for (deal, revision) in &page {
            if !heads.contains_key(deal) {
                findings.fault(place(deal, *revision), "no change tells of its events");
            }
        }
    }
}

fn read(stored: &StoredEvent) -> Result<Event, String> {
    let event = wire::event::decode(&stored.bytes)?;
    match event.revision == stored.revision {
        true => Ok(event),
        false => Err(format!("says revision {}", event.revision)),
    }
}
