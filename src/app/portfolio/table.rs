//! The outlines of one tenant's deals, each with the verdict that was last asked for.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::domain::deal::Deal;
use crate::domain::deal::packed;
use crate::domain::model::Model;
use crate::domain::portfolio::AsOf;
use crate::domain::portfolio::Facts;
use crate::domain::portfolio::Need;
use crate::domain::portfolio::Verdict;
use crate::domain::portfolio::judge;
use crate::store::Error;
use crate::store::Revision;

/// Writers and readers of different parts do not meet.
const PARTS: usize = 64;

/// Rough bytes of an outline beside what is packed: its id, its verdict, its places.
const OUTLINE_BYTES: u64 = 288;

/// One deal, packed.
pub struct Outline {
    pub deal: Arc<str>,
    pub revision: Revision,
    bytes: Box<[u8]>,
    /// The verdict that was last asked for of now, and when that was.
    verdict: Mutex<Option<(AsOf, Verdict)>>,
}

/// All outlines of a tenant.
pub struct Table {
    parts: Vec<Mutex<HashMap<Arc<str>, Arc<Outline>>>>,
    hasher: RandomState,
    bytes: AtomicU64,
    bytes_max: u64,
    full: AtomicBool,
    over: AtomicBool,
}

impl Outline {
    pub fn new(deal: &str, revision: Revision, bytes: Box<[u8]>) -> Outline {
        Outline {
            deal: deal.into(),
            revision,
            bytes,
            verdict: Mutex::new(None),
        }
    }

    /// What the seller gave of the deal.
    pub fn facts(&self, asked: AsOf) -> Result<Facts, Error> {
        packed::facts(&self.bytes, asked.at()).ok_or_else(|| self.broken())
    }

    /// What the buyer's words make of the deal.
    pub fn verdict(&self, model: &Model, asked: AsOf, need: Need) -> Result<Verdict, Error> {
        if let Some((before, verdict)) = *self.kept()
            && verdict.answers(asked, before, need)
        {
            return Ok(verdict);
        }
        let verdict = judge(&self.open()?, model, asked, need);
        if matches!(asked, AsOf::Now(_)) {
            *self.kept() = Some((asked, verdict));
        }
        Ok(verdict)
    }

    fn open(&self) -> Result<Deal, Error> {
        packed::unpack_outline(&self.bytes).ok_or_else(|| self.broken())
    }

    fn kept(&self) -> MutexGuard<'_, Option<(AsOf, Verdict)>> {
        // Only whole values are put here.
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> Error {
        Error::Corrupt {
            place: format!("{}@{}", self.deal, self.revision),
            problem: "its outline does not read".into(),
        }
    }

    fn weight(&self) -> u64 {
        OUTLINE_BYTES + (self.deal.len() + self.bytes.len()) as u64
    }
}

impl Table {
    pub fn new(bytes_max: u64) -> Table {
        Table {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            bytes: AtomicU64::new(0),
            bytes_max,
            full: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }

    /// Whether all deals are in it, or it was found that they do not fit.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    /// Whether it would take more than it may. Deals are never fewer, so that is for good.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Tells that all deals were put in.
    pub fn end(&self) {
        self.full.store(true, Ordering::Release);
    }

    pub fn put(&self, deal: &str, revision: Revision, bytes: Box<[u8]>) {
        self.insert(Arc::new(Outline::new(deal, revision, bytes)));
    }

    /// Puts an outline in, unless a later one is there.
    pub fn insert(&self, outline: Arc<Outline>) {
        let mut part = lock(self.part(&outline.deal));
        let before = part.get(&outline.deal);
        if self.is_over() || before.is_some_and(|before| outline.revision <= before.revision) {
            return;
        }
        let gone = before.map_or(0, |before| before.weight());
        let weight = outline.weight();
        part.insert(Arc::clone(&outline.deal), outline);
        drop(part);
        let bytes = self.bytes.fetch_add(weight, Ordering::Relaxed) + weight;
        self.bytes.fetch_sub(gone, Ordering::Relaxed);
        if self.bytes_max < bytes - gone {
            self.give_up();
        }
    }

    /// Lets go of everything: the portfolio is read from the store from here on.
    fn give_up(&self) {
        if self.over.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::warn!(
            bytes_max = self.bytes_max,
            "the outlines of all deals do not fit into memory: each look at the pipeline reads the store"
        );
        // Who comes to a part later sees that it is over; who came before is cleared here.
        self.parts
            .iter()
            .for_each(|part| *lock(part) = HashMap::new());
    }

    pub fn get(&self, deal: &str) -> Option<Arc<Outline>> {
        lock(self.part(deal)).get(deal).cloned()
    }

    /// All of them, in no order.
    pub fn all(&self) -> Vec<Arc<Outline>> {
        let mut all = Vec::new();
        for part in &self.parts {
            all.extend(lock(part).values().cloned());
        }
        all
    }

    fn part(&self, deal: &str) -> &Mutex<HashMap<Arc<str>, Arc<Outline>>> {
        &self.parts[self.hasher.hash_one(deal) as usize % PARTS]
    }
}

// Only whole outlines are put in.
fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
