//! Keeps the events of deals, in order, and what was derived from them; holds no rule about deals.
//!
//! What every store promises, and `tests/it/store.rs` holds each adapter to:
//!
//! 1. The events of a deal have revisions 1, 2, 3 … without gaps; a written event is never written again.
//! 2. [`Store::append`] is all or nothing, and durable once it returns.
//! 3. Each append has its place in one order over all deals: the change sequence, 1, 2, 3 … without gaps.
//! 4. A record that does not check is [`Error::Corrupt`], naming the place; never a wrong answer, never a panic.
//!
//! 5. A reader sees what is durable, and nothing else: what was read once is still there after a crash.
//!
//! Events and projections are bytes here: what they mean is for `record` to know.

pub mod archive;
pub mod embedded;
mod groups;
pub mod memory;
pub mod postgres;
mod queue;

use async_trait::async_trait;

/// Bytes in a tenant's name, at most.
pub const TENANT_BYTES_MAX: usize = 64;

/// Bytes in a deal's id, at most.
pub const DEAL_BYTES_MAX: usize = 128;

/// Events in one append, at most.
pub const EVENTS_MAX: usize = 1_000;

/// Bytes in one event, at most.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;

/// Bytes in one projection, at most: a larger one is not kept.
pub const PROJECTION_BYTES_MAX: usize = 1024 * 1024;

/// Spans that are read before others get their turn: the reads of a store may never wait.
const TURN_SPANS: usize = 32;

/// A deal's place in the store. Every key leads with the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DealKey {
    /// Who owns the deal: 1 to 64 bytes, no NUL.
    pub tenant: Box<str>,
    /// The caller's id of the deal: 1 to 128 bytes, no NUL.
    pub deal: Box<str>,
}

impl DealKey {
    /// The key of `deal` at `tenant`, unchecked: the edge checked the names, and a store checks them again before it writes.
    pub fn new(tenant: &str, deal: &str) -> DealKey {
        DealKey {
            tenant: tenant.into(),
            deal: deal.into(),
        }
    }
}

/// The number of events in a deal's history; the revision of an event is its place in it, from 1.
pub type Revision = u64;

/// One event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub revision: Revision,
    pub bytes: Vec<u8>,
}

/// Events of one deal that are asked for together with those of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub deal: DealKey,
    /// The revision before the first of them.
    pub after: Revision,
    /// How many, at most.
    pub events_max: usize,
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
    /// How many events the append had.
    pub events: u32,
}

/// Why a store could not do it. In order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store was closed; nothing was done.
    #[error("the store is closed")]
    Closed,
    /// What was asked cannot be kept; nothing was done.
    #[error("{0}")]
    OutOfRange(String),
    /// A read or write of the medium failed before. Writes are refused until the store is opened again.
    #[error("the store refuses writes since a fault: {0}")]
    Fault(String),
    /// The file system is nearly full; nothing was done. Heals by itself when there is room again.
    #[error("{free_bytes} bytes are free where the store is, which is below {free_bytes_min}")]
    Full {
        free_bytes: u64,
        free_bytes_min: u64,
    },
    /// Too many appends are waiting; nothing was done.
    #[error("{waiting} appends are waiting, which is the limit")]
    Busy { waiting: usize },
    /// The database cannot be asked now; nothing was done.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
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

/// Why a store refuses writes, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Until it is opened again.
    Lasting(String),
    /// Until the cause is gone, such as a nearly full file system; nothing need be restarted.
    Passing(String),
}

/// How things stand with a store. `None`: it has no such thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Appends that wait to be written.
    pub queue_appends: Option<u64>,
    /// Bytes of all events that are kept.
    pub event_bytes: Option<u64>,
    /// Disk taken, in a database by the tables and their indexes, and free where the store is.
    pub disk_bytes: Option<u64>,
    pub free_bytes: Option<u64>,
    /// Connections to a database, those of them that are idle, and reads that wait for one.
    pub connections: Option<u64>,
    pub connections_idle: Option<u64>,
    pub connections_wanted: Option<u64>,
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

    /// The events of each span, as [`Store::events`] answers them one by one: a single question for all where a
    /// question takes its time.
    async fn events_of(&self, spans: &[Span]) -> Result<Vec<Vec<StoredEvent>>, Error> {
        let mut all = Vec::with_capacity(spans.len());
        for span in spans {
            all.push(self.events(&span.deal, span.after, span.events_max).await?);
            if all.len().is_multiple_of(TURN_SPANS) {
                tokio::task::yield_now().await;
            }
        }
        Ok(all)
    }

    /// Appends `events` (at least one) if the deal is at `expected`; answers the new revision.
    ///
    /// All or nothing, and durable once it returns. A caller that stops waiting does not take the append back.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`], [`Error::OutOfRange`], [`Error::Fault`], [`Error::Full`], [`Error::Busy`],
    /// [`Error::Unavailable`] and [`Error::Conflict`]: nothing was appended.
    /// [`Error::Unknown`]: they may or may not be there when the store is opened again.
    /// [`Error::Corrupt`]: the deal's revision cannot be read; nothing was appended.
    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error>;

    /// The newest projection kept for the deal, if any.
    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error>;

    /// Keeps a projection some time later, behind the appends. Never waits; may be dropped under load.
    ///
    /// One of an older revision than the one that is kept is dropped; one of the same revision replaces it.
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

    /// The sequence of the newest change; 0 in an empty store.
    ///
    /// There are no gaps, so a store that does not know better searches for it: some forty reads of one.
    async fn newest_sequence(&self) -> Result<u64, Error> {
        let mut step = 1;
        let mut known = 0;
        while !self.changes(known + step - 1, 1).await?.is_empty() {
            known += step;
            step *= 2;
        }
        while 1 < step {
            step /= 2;
            if !self.changes(known + step - 1, 1).await?.is_empty() {
                known += step;
            }
        }
        Ok(known)
    }

    /// Whether other processes may write to it at the same time.
    fn is_shared(&self) -> bool {
        false
    }

    /// Why writes are refused, if they are. A lasting fault hides a passing one.
    ///
    /// May wait for the medium, and as long as that hangs.
    fn fault(&self) -> Option<Fault>;

    /// How things stand. Waits as [`Store::fault`] does.
    fn figures(&self) -> Figures {
        Figures::default()
    }

    /// Writes what is waiting, makes it durable and closes. Later calls answer [`Error::Closed`].
    async fn close(&self);
}

/// Refuses what no store keeps, so that all stores refuse the same.
pub(crate) fn check_append(deal: &DealKey, events: &[Vec<u8>]) -> Result<(), Error> {
    check_name("tenant", &deal.tenant, TENANT_BYTES_MAX)?;
    check_name("deal", &deal.deal, DEAL_BYTES_MAX)?;
    if events.is_empty() || EVENTS_MAX < events.len() {
        let count = events.len();
        return Err(Error::OutOfRange(format!(
            "an append has 1 to {EVENTS_MAX} events, got {count}"
        )));
    }
    match events.iter().map(Vec::len).max() {
        Some(bytes) if EVENT_BYTES_MAX < bytes => Err(Error::OutOfRange(format!(
            "an event has at most {EVENT_BYTES_MAX} bytes, got {bytes}"
        ))),
        _ => Ok(()),
    }
}

// NUL ends a name inside a key: with one in a name, two deals could share a place.
fn check_name(what: &str, name: &str, bytes_max: usize) -> Result<(), Error> {
    if name.is_empty() || bytes_max < name.len() || name.contains('\0') {
        return Err(Error::OutOfRange(format!(
            "a {what} has 1 to {bytes_max} bytes and no NUL, got {name:?}"
        )));
    }
    Ok(())
}
