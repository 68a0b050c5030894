//! Keeps deals in PostgreSQL, or in an engine that speaks its protocol: any number of processes over one database.
//!
//! Invariants:
//!
//! 1. In each process one thread writes, a group of appends a transaction; what it answered is committed.
//! 2. Revisions are unique by key and follow on, whoever writes. Numbers in the order over all deals are taken last in a
//!    transaction, from one row, so that they are in the order of commits and without gaps.
//! 3. A commit whose answer was lost is found out; where that cannot be done in time, the answer is [`Error::Unknown`].
//! 4. Every record is checked as it is read.
//! 5. Only portable SQL: keys lead with tenant and deal, names are compared as bytes, there are no sequences, no advisory
//!    locks and no notifications; what the database takes back is done again, with pauses and a bound.
//!
//! Absent on purpose: rules about deals; reads from a standby. Whether a commit survives the loss of a machine is for the
//! database's `synchronous_commit` and `synchronous_standby_names` to say.
//!
//! The files in reading order: `address` (the URL) and `tls`, `schema` (the tables), `frames` (what a record looks like),
//! `failure` (what an error means), `pool` and `reads`, `group` (what a group of appends comes to), `flights` (its
//! transaction), `writer`, `opening`.

mod address;
mod failure;
mod flights;
mod frames;
mod group;
mod open_error;
mod opening;
mod pool;
mod reads;
mod schema;
mod tls;
mod writer;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tracing::Instrument;

use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Fault;
use crate::store::Figures;
use crate::store::PROJECTION_BYTES_MAX;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Span;
use crate::store::Store;
use crate::store::StoredEvent;
use crate::store::check_append;
pub use crate::store::postgres::open_error::OpenError;
use crate::store::postgres::pool::Pool;
pub use crate::store::postgres::schema::Migrated;
use crate::store::queue::Append;
use crate::store::queue::Queue;
use crate::telemetry::metrics::store::StoreMetrics;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Appends that may wait for the writer; one more is [`Error::Busy`]. Range: 1 and up. Default: 4096.
    pub waiting_max: usize,
    /// Appends committed together. Range: 1 to 4096. Default: 512.
    pub group_appends_max: usize,
    /// Bytes of events committed together; a single append may have more. Default: 4 MiB.
    pub group_bytes_max: usize,
    /// Deals whose projection may wait to be written; those of further deals are dropped. Default: 16384.
    pub projections_waiting_max: usize,
    /// Connections for reads, beside the writer's one. Range: 1 and up. Default: 8.
    pub connections_max: usize,
    /// How long one statement may take, by the database's own clock. Default: 5 s.
    pub statement_timeout: Duration,
    /// For how long what failed is tried again. Default: 8 s.
    pub retry_for: Duration,
    /// After how long a connection is made anew, so that those of a database that grew are spread. Default: 30 min.
    pub connection_lifetime: Duration,
    /// Idle time after which a connection is not used again. Default: 5 min.
    pub connection_idle_max: Duration,
    /// Where commits and groups are counted. Default: numbers that nobody reads.
    pub metrics: StoreMetrics,
}

impl Default for Options {
    fn default() -> Options {
        const MIB: usize = 1024 * 1024;
        Options {
            waiting_max: 4096,
            group_appends_max: 512,
            group_bytes_max: 4 * MIB,
            projections_waiting_max: 16_384,
            connections_max: 8,
            statement_timeout: Duration::from_secs(5),
            retry_for: Duration::from_secs(8),
            connection_lifetime: Duration::from_secs(30 * 60),
            connection_idle_max: Duration::from_secs(5 * 60),
            metrics: StoreMetrics::default(),
        }
    }
}

/// A store in a database.
///
/// Dropping it without [`Store::close`] is like killing the process: what was acknowledged is there, what waited may or
/// may not be.
pub struct Postgres {
    queue: Arc<Queue>,
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    // Its sender lives as long as the writer thread.
    writer_ended: watch::Receiver<()>,
    writer: Mutex<Option<JoinHandle<()>>>,
    closed: AtomicBool,
}

/// What the parts of a store share.
struct Shared {
    options: Options,
    /// Nobody waits for the writer any more.
    abandoned: AtomicBool,
    /// Why the database could not be asked the last time.
    trouble: Mutex<Option<String>>,
    /// The disk that our tables take, as it was asked last.
    disk_bytes: Mutex<Option<u64>>,
}

impl Postgres {
    /// Forgets all projections: they are made anew from the events as deals are asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::Unavailable`].
    pub async fn forget_projections(&self) -> Result<(), Error> {
        self.open_pool()?
            .read("DELETE FROM verbatim_projections", &[])
            .await?;
        Ok(())
    }

    fn open_pool(&self) -> Result<&Pool, Error> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(Error::Closed),
            false => Ok(&self.pool),
        }
    }
}

impl Shared {
    // Only whole values are put here.
    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // As above.
    fn disk_bytes(&self) -> MutexGuard<'_, Option<u64>> {
        self.disk_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Postgres {
    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        reads::revision(self.open_pool()?, deal)
            .instrument(span("revision"))
            .await
    }

    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error> {
        reads::events(self.open_pool()?, deal, after, events_max)
            .instrument(span("events"))
            .await
    }

    async fn events_of(&self, spans: &[Span]) -> Result<Vec<Vec<StoredEvent>>, Error> {
        reads::events_of(self.open_pool()?, spans)
            .instrument(span("events_of"))
            .await
    }

    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        self.open_pool()?;
        check_append(deal, &events)?;
        let (reply, answer) = oneshot::channel();
        self.queue.push(Append {
            deal: deal.clone(),
            expected,
            events,
            reply,
            span: tracing::Span::current(),
        })?;
        match answer.await {
            Ok(answer) => answer.taken(),
            Err(_) => Err(Error::Unknown("the writer ended".to_owned())),
        }
    }

    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error> {
        let pool = self.open_pool()?;
        let waits = self.queue.projection(deal);
        let kept = reads::projection(pool, deal).instrument(span("projection"));
        match (waits, kept.await) {
            (Some(waits), Ok(Some(kept))) if waits.revision < kept.revision => Ok(Some(kept)),
            // It will replace what is kept, so it does not matter whether that could be read.
            (Some(waits), _) => Ok(Some(Projection::clone(&waits))),
            (None, kept) => kept,
        }
    }

    fn keep_projection(&self, deal: &DealKey, projection: Projection) {
        if projection.bytes.len() <= PROJECTION_BYTES_MAX {
            self.queue.keep(deal, projection);
        }
    }

    async fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error> {
        reads::deals(self.open_pool()?, tenant, after, deals_max)
            .instrument(span("deals"))
            .await
    }

    async fn changes(&self, after: u64, changes_max: usize) -> Result<Vec<Change>, Error> {
        reads::changes(self.open_pool()?, after, changes_max)
            .instrument(span("changes"))
            .await
    }

    async fn newest_sequence(&self) -> Result<u64, Error> {
        reads::newest(self.open_pool()?)
            .instrument(span("newest"))
            .await
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn fault(&self) -> Option<Fault> {
        self.shared.trouble().clone().map(Fault::Passing)
    }

    fn figures(&self) -> Figures {
        let occupancy = self.pool.occupancy();
        Figures {
            queue_appends: Some(self.queue.appends_waiting() as u64),
            disk_bytes: *self.shared.disk_bytes(),
            connections: Some(occupancy.connections),
            connections_idle: Some(occupancy.idle),
            connections_wanted: Some(occupancy.waiting),
            ..Figures::default()
        }
    }

    async fn close(&self) {
        self.queue.close();
        // An error is the sender dropped, which is what is waited for.
        let mut ended = self.writer_ended.clone();
        while ended.changed().await.is_ok() {}
        self.closed.store(true, Ordering::Release);
        self.pool.close();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.shared.abandoned.store(true, Ordering::Relaxed);
        self.queue.abandon();
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Waits for one attempt at most.
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

/// What a statement to the database is told as in traces.
fn span(operation: &'static str) -> tracing::Span {
    tracing::debug_span!("query", db.system = "postgresql", db.operation = operation)
}
