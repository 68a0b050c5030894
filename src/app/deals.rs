//! The folded deals in memory: loaded from the store when first asked for, kept while there is room.
//!
//! A deal in memory is never behind what was acknowledged: a writer applies its events to the very deal that readers
//! share before it answers, and puts that deal back in place of whatever was loaded meanwhile. Where other processes write
//! to the store too, `fresh` tells when a deal in memory is behind.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tracing::Instrument;

use crate::app::fresh::Fresh;
use crate::app::projection;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::statement::Statement;
use crate::domain::words::Words;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Revision;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;
use crate::wire;

/// Events read from the store at a time.
pub const PAGE_EVENTS: usize = 1_000;

/// Statements whose words stay with a deal in memory; past that they are fetched anew when cited.
const WORDS_MAX: usize = 512;

/// Rough bytes of a deal without anything in it, of one event folded, and of one statement's words.
const DEAL_BYTES: u64 = 2_048;
const EVENT_BYTES: u64 = 192;
const WORDS_BYTES: u64 = 256;

/// The folded deals.
pub struct Deals {
    store: Arc<dyn Store>,
    cache: Cache<DealKey, Weighed, ByBytes>,
    metrics: Arc<Metrics>,
    /// There when other processes may write to the store.
    fresh: Option<Fresh>,
}

/// A deal that readers and the one writer share.
pub struct SharedDeal {
    folded: RwLock<Folded>,
    /// How far the change sequence was followed when the store was asked for it last.
    read_at: AtomicU64,
}

/// A folded deal with the words that were asked for.
#[derive(Default)]
pub struct Folded {
    pub deal: Deal,
    /// Of statements that were cited; others are fetched when they are.
    pub words: Words,
    /// The revision of the projection in the store.
    pub projected: Revision,
}

/// A deal and what it weighed when it was put there: the cache wants a weight that stays, and the deal grows.
#[derive(Clone)]
struct Weighed {
    deal: Arc<SharedDeal>,
    bytes: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<DealKey, Weighed> for ByBytes {
    fn weight(&self, _: &DealKey, deal: &Weighed) -> u64 {
        deal.bytes
    }
}

impl Weighed {
    fn now(deal: Arc<SharedDeal>) -> Weighed {
        let bytes = {
            let folded = deal.read();
            DEAL_BYTES
                + folded.deal.revision() * EVENT_BYTES
                + folded.words.len() as u64 * WORDS_BYTES
        };
        Weighed { deal, bytes }
    }
}

impl Deals {
    pub fn new(store: Arc<dyn Store>, bytes_max: u64, metrics: Arc<Metrics>) -> Deals {
        let deals_expected = (bytes_max / (2 * DEAL_BYTES)) as usize;
        Deals {
            fresh: store.is_shared().then(Fresh::new),
            store,
            cache: Cache::with_weighter(deals_expected, bytes_max, ByBytes),
            metrics,
        }
    }

    /// From here on hits and misses are counted there.
    pub fn reporting_to(&mut self, metrics: Arc<Metrics>) {
        self.metrics = metrics;
    }

    /// The estimated memory of all that is here.
    pub fn bytes(&self) -> u64 {
        self.cache.weight()
    }

    /// What is known of other processes' writes; `None` where there are none.
    pub fn fresh(&self) -> Option<&Fresh> {
        self.fresh.as_ref()
    }

    /// The deal, folded up to at least what this process acknowledged before the call, and what others did
    /// [`STALE_MAX`](crate::app::fresh::STALE_MAX) before it; empty when there is none.
    pub async fn load(&self, key: &DealKey) -> Result<Arc<SharedDeal>, Error> {
        if let Some(weighed) = self.cache.get(key) {
            self.metrics.deal_cache_hits.inc();
            let deal = weighed.deal;
            if let Some(fresh) = &self.fresh
                && !fresh.is_current(key, deal.read_at.load(Ordering::Acquire))
            {
                // Boxed, since it is rare: every call would carry the room for it.
                Box::pin(self.bring_forward(key, &deal)).await?;
            }
            return Ok(deal);
        }
        self.metrics.deal_cache_misses.inc();
        // Those who ask for the same deal meanwhile wait for this one load.
        let loaded = self.cache.get_or_insert_async(key, async {
            // Before the store is asked: what comes meanwhile is marked behind it.
            let read_at = self.followed();
            let folded = self.fold(key).instrument(tracing::debug_span!("load"));
            let deal = SharedDeal::new(folded.await?);
            deal.read_at.store(read_at, Ordering::Release);
            Ok(Weighed::now(Arc::new(deal)))
        });
        // Boxed, since it is rare: every call would carry the room for it.
        Ok(Box::pin(loaded).await?.deal)
    }

    /// Takes in the events that the store has beyond those of the deal: then it has all that any process acknowledged
    /// before the call.
    pub async fn bring_forward(&self, key: &DealKey, deal: &SharedDeal) -> Result<(), Error> {
        let read_at = self.followed();
        loop {
            let after = deal.read().deal.revision();
            let events = self.events(key, after, PAGE_EVENTS).await?;
            let is_last = events.len() < PAGE_EVENTS;
            let mut folded = deal.write();
            events.into_iter().for_each(|event| folded.take(event));
            drop(folded);
            if is_last {
                deal.read_at.fetch_max(read_at, Ordering::AcqRel);
                return Ok(());
            }
        }
    }

    fn followed(&self) -> u64 {
        self.fresh.as_ref().map_or(0, Fresh::followed)
    }

    /// Puts back the deal that a writer has brought forward.
    pub fn put_back(&self, key: &DealKey, deal: Arc<SharedDeal>) {
        self.cache.insert(key.clone(), Weighed::now(deal));
    }

    /// Whether the deal is here and folded up to a revision.
    pub fn has(&self, key: &DealKey, revision: Revision) -> bool {
        let weighed = self.cache.peek(key);
        weighed.is_some_and(|weighed| revision <= weighed.deal.read().deal.revision())
    }

    /// Drops the deal, so that it is loaded anew.
    pub fn forget(&self, key: &DealKey) {
        self.cache.remove(key);
    }

    /// Fetches the words of these statements into the deal.
    pub async fn fetch_words(
        &self,
        key: &DealKey,
        deal: &SharedDeal,
        revisions: &[Revision],
    ) -> Result<(), Error> {
        for revision in revisions {
            let statement = self.statement(key, *revision).await?;
            deal.write().words.insert(*revision, &statement);
        }
        Ok(())
    }

    /// The statement that was recorded at that revision.
    pub async fn statement(&self, key: &DealKey, revision: Revision) -> Result<Statement, Error> {
        let event = self.events(key, revision - 1, 1).await?.pop();
        match event.map(|event| event.fact) {
            Some(Fact::Statement(statement)) => Ok(statement),
            _ => Err(Error::Corrupt {
                place: place(key, revision),
                problem: "there should be a statement".into(),
            }),
        }
    }

    /// Up to `events_max` events after the first `after` ones.
    pub async fn events(
        &self,
        key: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<Event>, Error> {
        self.store
            .events(key, after, events_max)
            .await?
            .into_iter()
            .map(|stored| {
                let event = wire::event::decode(&stored.bytes)
                    .map_err(|problem| (stored.revision, problem))?;
                if event.revision != stored.revision {
                    return Err((stored.revision, format!("says revision {}", event.revision)));
                }
                Ok(event)
            })
            .collect::<Result<Vec<Event>, (Revision, String)>>()
            .map_err(|(revision, problem)| Error::Corrupt {
                place: place(key, revision),
                problem,
            })
    }

    /// A page of the events after the first `after` ones, up to revision `until`; the last page is not full.
    ///
    /// An event is durable a moment before its writer has put it into the deal in memory: what ends where that ends
    /// shows nothing that a score asked for afterwards would not.
    pub async fn events_until(
        &self,
        key: &DealKey,
        after: Revision,
        until: Revision,
    ) -> Result<Vec<Event>, Error> {
        let left = usize::try_from(until.saturating_sub(after)).unwrap_or(usize::MAX);
        match left {
            0 => Ok(Vec::new()),
            _ => self.events(key, after, left.min(PAGE_EVENTS)).await,
        }
    }

    /// Folds the deal from its projection and the events since.
    pub async fn fold(&self, key: &DealKey) -> Result<Folded, Error> {
        let mut folded = projection::load(self.store.as_ref(), key).await?;
        loop {
            let events = self
                .events(key, folded.deal.revision(), PAGE_EVENTS)
                .await?;
            let is_last = events.len() < PAGE_EVENTS;
            for event in events {
                folded.take(event);
            }
            if is_last {
                return Ok(folded);
            }
        }
    }
}

impl Folded {
    /// Takes in the next event, and the words of a statement: what was just said or just read is about to be cited.
    ///
    /// One that is in already is passed over: a writer and a reader of the store may both bring it.
    pub fn take(&mut self, event: Event) {
        if event.revision <= self.deal.revision() {
            return;
        }
        self.deal.apply(&event);
        if let Fact::Statement(statement) = event.fact {
            if WORDS_MAX <= self.words.len() {
                self.words.clear();
            }
            self.words.insert(event.revision, &statement);
        }
    }
}

impl SharedDeal {
    pub fn new(folded: Folded) -> SharedDeal {
        SharedDeal {
            folded: RwLock::new(folded),
            read_at: AtomicU64::new(0),
        }
    }

    /// Never held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, Folded> {
        // A writer that panicked half way never acknowledged, and its deal is forgotten by `write`.
        self.folded.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never held across an await.
    pub fn write(&self) -> RwLockWriteGuard<'_, Folded> {
        self.folded.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an event's place is named in a fault.
pub fn place(key: &DealKey, revision: Revision) -> String {
    format!("{}/{}@{revision}", key.tenant, key.deal)
}
