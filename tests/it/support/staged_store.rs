//! A store in memory that tells how often it was asked, and answers an append when it is let.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tokio::sync::Semaphore;
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

pub struct StagedStore {
    memory: Memory,
    questions: AtomicU64,
    kept: Semaphore,
    answers: Semaphore,
}

impl StagedStore {
    pub fn new() -> StagedStore {
        StagedStore {
            memory: Memory::default(),
            questions: AtomicU64::new(0),
            kept: Semaphore::new(0),
            answers: Semaphore::new(0),
        }
    }

    /// Lets so many more appends be answered.
    pub fn let_answer(&self, appends: usize) {
        self.answers.add_permits(appends);
    }

    /// Waits until one more append is kept, answered or not.
    pub async fn wait_for_append(&self) {
        self.kept.acquire().await.unwrap().forget();
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
        let answer = self.memory.append(deal, expected, events).await;
        self.kept.add_permits(1);
        self.answers.acquire().await.unwrap().forget();
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
        self.memory.fault()
    }

    async fn close(&self) {
        self.memory.close().await;
    }
}
