//! Keeps everything in memory: the model the other stores are compared with, and the store of tests.
//!
//! One lock, no cleverness: what this store does is what a store should do. Nothing survives the process.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use async_trait::async_trait;

use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Fault;
use crate::store::PROJECTION_BYTES_MAX;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Store;
use crate::store::StoredEvent;
use crate::store::check_append;

/// A store in memory.
#[derive(Default)]
pub struct Memory {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    closed: bool,
    deals: BTreeMap<DealKey, Vec<Vec<u8>>>,
    projections: BTreeMap<DealKey, Projection>,
    changes: Vec<Change>,
}

impl Memory {
    pub fn new() -> Memory {
        Memory::default()
    }

    fn open(&self) -> Result<MutexGuard<'_, Kept>, Error> {
        let kept = self.kept();
        if kept.closed {
            return Err(Error::Closed);
        }
        Ok(kept)
    }

    // No step below can panic between two halves of a change, so a poisoned lock guards whole values.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Memory {
    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        Ok(revision(self.open()?.deals.get(deal)))
    }

    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error> {
        let kept = self.open()?;
        let Some(history) = kept.deals.get(deal) else {
            return Ok(Vec::new());
        };
        let page = (1..)
            .zip(history)
            .filter(|(revision, _)| after < *revision)
            .map(|(revision, bytes)| StoredEvent {
                revision,
                bytes: bytes.clone(),
            });
        Ok(page.take(events_max).collect())
    }

    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        let mut kept = self.open()?;
        check_append(deal, &events)?;
        let actual = revision(kept.deals.get(deal));
        if actual != expected {
            return Err(Error::Conflict { expected, actual });
        }

        let history = kept.deals.entry(deal.clone()).or_default();
        let count = u32::try_from(events.len()).expect("check_append lets 1000 through");
        history.extend(events);
        let revision = revision(Some(history));

        let sequence = kept.changes.len() as u64 + 1;
        kept.changes.push(Change {
            sequence,
            deal: deal.clone(),
            revision,
            events: count,
        });
        Ok(revision)
    }

    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error> {
        Ok(self.open()?.projections.get(deal).cloned())
    }

    fn keep_projection(&self, deal: &DealKey, projection: Projection) {
        let Ok(mut kept) = self.open() else {
            return;
        };
        // A projection beyond the events derives from nothing that is kept.
        if revision(kept.deals.get(deal)) < projection.revision
            || PROJECTION_BYTES_MAX < projection.bytes.len()
        {
            return;
        }
        match kept.projections.get(deal) {
            Some(newer) if projection.revision < newer.revision => {}
            _ => {
                kept.projections.insert(deal.clone(), projection);
            }
        }
    }

    async fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error> {
        let kept = self.open()?;
        let page = kept
            .deals
            .iter()
            .filter(|(deal, _)| &*deal.tenant == tenant)
            .filter(|(deal, _)| after.is_none_or(|after| after < &*deal.deal))
            .map(|(deal, history)| (deal.clone(), revision(Some(history))));
        Ok(page.take(deals_max).collect())
    }

    async fn changes(&self, after: u64, changes_max: usize) -> Result<Vec<Change>, Error> {
        let kept = self.open()?;
        let page = kept.changes.iter().filter(|change| after < change.sequence);
        Ok(page.take(changes_max).cloned().collect())
    }

    fn fault(&self) -> Option<Fault> {
        None
    }

    async fn close(&self) {
        self.kept().closed = true;
    }
}

fn revision(history: Option<&Vec<Vec<u8>>>) -> Revision {
    history.map_or(0, |history| history.len() as Revision)
}
