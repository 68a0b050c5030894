//! Keeps the events of deals, in order, and what was derived from them; holds no rule about deals.
//!
//! What every store promises, and `tests/it/store.rs` holds each adapter to:
//!
//! 1. The events of a deal have revisions 1, 2, 3 … without gaps; a written event is never written again.
//! 2. [`Store::append`] is all or nothing, and durable once it returns.
//! 3. Each append has its place in one order over all deals: the change sequence, 1, 2, 3 … without gaps.
//! 4. A record that does not check is [`Error::Corrupt`], naming the place; never a wrong answer, never a panic.
//!
//! Events and projections are bytes here: what they mean is for `record` to know.

use async_trait::async_trait;

/// A deal's place in the store. Every key leads with the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DealKey {
    /// Who owns the deal: 1 to 64 bytes, no NUL.
    pub tenant: Box<str>,
    /// The caller's id of the deal: 1 to 128 bytes, no NUL.
    pub deal: Box<str>,
}

/// The number of events in a deal's history; the revision of an event is its place in it, from 1.
pub type Revision = u64;

/// One event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub revision: Revision,
    pub bytes: Vec<u8>,
}

/// What was derived from the first `revision` events of a deal. May be dropped at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    pub revision: Revision,
    pub bytes: Vec<u8>,
}

/// One append, in the order over all deals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The place in that order, from 1.
    pub sequence: u64,
    pub deal: DealKey,
    /// The deal's revision after the append.
    pub revision: Revision,
}

/// Why a store could not do it. In order of precedence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store was closed; nothing was done.
    #[error("the store is closed")]
    Closed,
    /// A read or write of the medium failed before. Writes are refused until the store is opened again.
    #[error("the store refuses writes since a fault: {0}")]
    Fault(String),
    /// Too many appends are waiting; nothing was done.
    #[error("{waiting} appends are waiting, which is the limit")]
    Busy { waiting: usize },
    /// Another writer was first; nothing was appended.
    #[error("the deal is at revision {actual}, not {expected}")]
    Conflict {
        expected: Revision,
        actual: Revision,
    },
    /// The medium failed: the append may or may not be there.
    #[error("the outcome of the append is unknown: {0}")]
    Unknown(String),
    /// Bytes are broken. Names the place.
    #[error("{place}: {problem}")]
    Corrupt { place: String, problem: String },
}

/// Where deals are kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// The deal's revision; 0 when there is no such deal.
    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error>;

    /// Up to `events_max` events after the first `after` ones, oldest first.
    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error>;

    /// Appends `events` (at least one) if the deal is at `expected`; answers the new revision.
    ///
    /// All or nothing, and durable once it returns.
    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error>;

    /// The newest projection kept for the deal, if any.
    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error>;

    /// Keeps a projection some time later, behind the appends. Never waits; may be dropped under load.
    fn keep_projection(&self, deal: &DealKey, projection: Projection);

    /// Up to `deals_max` deals of a tenant with their revisions, by id, after `after`.
    async fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error>;

    /// Up to `changes_max` changes after sequence `after`, oldest first.
    async fn changes(&self, after: u64, changes_max: usize) -> Result<Vec<Change>, Error>;

    /// The fault since which writes are refused, if any.
    fn fault(&self) -> Option<String>;

    /// Writes what is waiting, makes it durable and closes. Later calls answer [`Error::Closed`].
    async fn close(&self);
}
