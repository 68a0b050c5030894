//! A store in memory that stands still where it is told to, breaks down, and tells how often it was asked.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::watch;
use tonic::async_trait;
use verbatim::store::Change;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Fault;
use verbatim::store::Projection;
use verbatim::store::Revision;
use verbatim::store::Span;
use verbatim::store::Store;
use verbatim::store::StoredEvent;
use verbatim::store::memory::Memory;

/// Longer than a machine with much to do takes to come to a gate.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

#[derive(Default)]
pub struct StagedStore {
    /// Before an append is kept.
    pub appends: Gate,
    /// Between keeping an append and answering it.
    pub answers: Gate,
    memory: Memory,
    questions: AtomicU64,
    events_kept: AtomicUsize,
    fault: Mutex<Option<String>>,
    is_closed: AtomicBool,
}

/// A place on the way of an append: open, until it is held.
#[derive(Default)]
pub struct Gate {
    /// Who comes waits for a permit while this is set.
    permits: Mutex<Option<Arc<Semaphore>>>,
    arrived: watch::Sender<usize>,
}

impl Gate {
    /// From now on all wait here until they are let through.
    pub fn hold(&self) {
        *self.permits.lock().unwrap() = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets all pass.
    pub fn open(&self) {
        let permits = self.permits.lock().unwrap().take();
        permits.unwrap().add_permits(Semaphore::MAX_PERMITS);
    }

    /// Waits until so many have come since it was first held.
    pub async fn until_arrived(&self, count: usize) {
        let mut arrived = self.arrived.subscribe();
        let enough = arrived.wait_for(|arrived| count <= *arrived);
        let enough = tokio::time::timeout(ARRIVAL_MAX, enough).await;
        enough.expect("so many appends come").unwrap();
    }

    /// How many have come since it was first held.
    pub fn arrived(&self) -> usize {
        *self.arrived.borrow()
    }

    async fn pass(&self) {
        let permits = self.permits.lock().unwrap().clone();
        if let Some(permits) = permits {
            self.arrived.send_modify(|arrived| *arrived += 1);
            let _passed = permits.acquire().await.unwrap();
        }
    }
}

impl StagedStore {
    /// From now on it is broken, as a disk is.
    pub fn break_down(&self, cause: &str) {
        *self.fault.lock().unwrap() = Some(cause.into());
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    pub fn events_kept(&self) -> usize {
        self.events_kept.load(Ordering::SeqCst)
    }

    /// How often it was asked for events or changes.
    pub fn questions(&self) -> u64 {
        self.questions.load(Ordering::SeqCst)
    }

    fn asked(&self) -> &Memory {
        self.questions.fetch_add(1, Ordering::SeqCst);
        &self.memory
    }
}

#[async_trait]
impl Store for StagedStore {
    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        if let Some(Fault::Lasting(fault)) = self.fault() {
            return Err(Error::Fault(fault));
        }
        self.appends.pass().await;
        let count = events.len();
        let answer = self.memory.append(deal, expected, events).await;
        if answer.is_ok() {
            self.events_kept.fetch_add(count, Ordering::SeqCst);
        }
        self.answers.pass().await;
        answer
    }

    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        self.memory.revision(deal).await
    }

    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error> {
        assert!(&*deal.deal != "panic", "the deal of this name panics");
        self.asked().events(deal, after, events_max).await
    }

    async fn events_of(&self, spans: &[Span]) -> Result<Vec<Vec<StoredEvent>>, Error> {
        self.asked().events_of(spans).await
    }

    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error> {
        self.memory.projection(deal).await
    }

    fn keep_projection(&self, deal: &DealKey, projection: Projection) {
        self.memory.keep_projection(deal, projection);
    }

    async fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error> {
        self.memory.deals(tenant, after, deals_max).await
    }

    async fn changes(&self, after: u64, changes_max: usize) -> Result<Vec<Change>, Error> {
        self.asked().changes(after, changes_max).await
    }

    fn fault(&self) -> Option<Fault> {
        let fault = self.fault.lock().unwrap().clone();
        fault.map(Fault::Lasting).or_else(|| self.memory.fault())
    }

    async fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.memory.close().await;
    }
}
