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
//! `failure` (what an error means), `pool` and `reads`, `group` (what a group of appends comes to), `writer`.

mod address;
mod failure;
mod frames;
mod group;
mod open_error;
mod pool;
mod reads;
mod schema;
mod tls;
mod writer;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tracing::Instrument;
use tracing::Span;

use crate::config::DatabaseUrl;
use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Fault;
use crate::store::Figures;
use crate::store::PROJECTION_BYTES_MAX;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Store;
use crate::store::StoredEvent;
use crate::store::check_append;
use crate::store::postgres::address::Address;
use crate::store::postgres::failure::Failure;
pub use crate::store::postgres::open_error::OpenError;
use crate::store::postgres::pool::Pool;
pub use crate::store::postgres::schema::Migrated;
use crate::store::postgres::schema::Standing;
use crate::store::postgres::writer::Writer;
use crate::store::queue::Append;
use crate::store::queue::Limits;
use crate::store::queue::Queue;
use crate::telemetry::metrics::StoreMetrics;

/// How often the database is asked whether it is there.
const LOOKING: Duration = Duration::from_secs(1);

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
}

impl Postgres {
    /// Opens the store at `url`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; nothing was changed.
    pub async fn open(url: &DatabaseUrl, options: Options) -> Result<Postgres, OpenError> {
        let (address, pool) = connected(url, &options)?;
        let standing = check(&address, &pool).await?;
        if standing.unfinished {
            return Err(OpenError::Unfinished {
                at: address.shown().to_owned(),
            });
        }
        Postgres::start(&address, pool, options).await
    }

    /// Begins a store in a database that holds no deals yet, or goes on with one that was begun so: it does not
    /// [`Postgres::open`] before it is finished.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotEmpty`]: nothing was changed. Else those of [`Postgres::open`].
    pub async fn begin(url: &DatabaseUrl, options: Options) -> Result<Postgres, OpenError> {
        let (address, pool) = connected(url, &options)?;
        let standing = check(&address, &pool).await?;
        let at = || address.shown().to_owned();
        if !standing.unfinished {
            let newest = reads::newest(&pool).await;
            match newest {
                Ok(0) => {}
                Ok(_) => return Err(OpenError::NotEmpty { at: at() }),
                Err(error) => return Err(OpenError::unreachable(&address, error.to_string())),
            }
            set_unfinished(&address, &pool, true).await?;
        }
        Postgres::start(&address, pool, options).await
    }

    /// Finishes a store that was begun, and closes it: from now on it opens.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unreachable`].
    pub async fn finish(self, url: &DatabaseUrl) -> Result<(), OpenError> {
        let address = Address::read(url).map_err(OpenError::Address)?;
        set_unfinished(&address, &self.pool, false).await?;
        self.close().await;
        Ok(())
    }

    /// The statements that the database at `url` needs before this build runs on it; none: it does.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`], [`OpenError::Unreachable`], [`OpenError::Ahead`].
    pub async fn missing(url: &DatabaseUrl) -> Result<Vec<&'static str>, OpenError> {
        let (address, pool) = connected(url, &Options::default())?;
        let version = standing(&address, &pool).await?.version;
        match version <= schema::VERSION {
            true => Ok(schema::missing(version)),
            false => Err(OpenError::ahead(&address, version)),
        }
    }

    /// Brings the database at `url` to what this build needs, also while replicas run on it.
    ///
    /// # Errors
    ///
    /// As [`Postgres::missing`].
    pub async fn migrate(url: &DatabaseUrl) -> Result<Migrated, OpenError> {
        let (address, pool) = connected(url, &Options::default())?;
        let found = standing(&address, &pool).await?.version;
        if schema::VERSION < found {
            return Err(OpenError::ahead(&address, found));
        }
        let failed = |failure: Failure| OpenError::unreachable(&address, failure.text());
        let mut client = pool.get().await.map_err(failed)?;
        let migrated = schema::migrate(&mut client).await;
        migrated.map_err(|error| failed(Failure::of(&error)))
    }

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

    async fn start(address: &Address, pool: Pool, options: Options) -> Result<Postgres, OpenError> {
        // The count is there before anybody counts on it.
        let newest = reads::newest(&pool).await;
        newest.map_err(|error| OpenError::unreachable(address, error.to_string()))?;

        let queue = Arc::new(Queue::new(Limits {
            appends_max: options.waiting_max.max(1),
            projections_max: options.projections_waiting_max,
            group_appends_max: options.group_appends_max.clamp(1, 4096),
            group_bytes_max: options.group_bytes_max,
        }));
        let failed = |problem: String| OpenError::unreachable(address, problem);
        let writers_pool = Pool::new(address, 1, &options).map_err(failed)?;
        let shared = Arc::new(Shared {
            options,
            abandoned: AtomicBool::new(false),
            trouble: Mutex::new(None),
        });
        let (writer, writer_ended) =
            spawn_writer(Arc::clone(&queue), writers_pool, Arc::clone(&shared))
                .map_err(|error| failed(format!("a writer cannot be started: {error}")))?;
        let pool = Arc::new(pool);
        tokio::spawn(look(Arc::downgrade(&pool), Arc::downgrade(&shared)));
        Ok(Postgres {
            queue,
            pool,
            shared,
            writer_ended,
            writer: Mutex::new(Some(writer)),
            closed: AtomicBool::new(false),
        })
    }

    fn open_pool(&self) -> Result<&Pool, Error> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(Error::Closed),
            false => Ok(&self.pool),
        }
    }
}

fn connected(url: &DatabaseUrl, options: &Options) -> Result<(Address, Pool), OpenError> {
    let address = Address::read(url).map_err(OpenError::Address)?;
    let pool = Pool::new(&address, options.connections_max.max(1), options)
        .map_err(|problem| OpenError::Address(format!("{}: {problem}", address.shown())))?;
    Ok((address, pool))
}

async fn standing(address: &Address, pool: &Pool) -> Result<Standing, OpenError> {
    let failed = |failure: Failure| OpenError::unreachable(address, failure.text());
    let client = pool.get().await.map_err(failed)?;
    pool.in_time(schema::standing(&client))
        .await
        .map_err(failed)
}

/// Whether this build may run on the database.
async fn check(address: &Address, pool: &Pool) -> Result<Standing, OpenError> {
    let standing = standing(address, pool).await?;
    let at = || address.shown().to_owned();
    if standing.version < schema::VERSION {
        return Err(OpenError::Behind {
            at: at(),
            found: standing.version,
            needed: schema::VERSION,
        });
    }
    if schema::VERSION < standing.version {
        return Err(OpenError::ahead(address, standing.version));
    }
    // Unknown where an engine has no such setting: then it has no such danger either.
    let setting = async |name: &str| {
        let rows = pool.read(&format!("SHOW {name}"), &[]).await.ok()?;
        rows.first()?.try_get::<_, String>(0).ok()
    };
    if setting("synchronous_commit").await.as_deref() == Some("off") {
        return Err(OpenError::Unsafe { at: at() });
    }
    if setting("fsync").await.as_deref() == Some("off") {
        tracing::warn!("fsync is off in the database: a crash of its machine may damage it");
    }
    Ok(standing)
}

async fn set_unfinished(address: &Address, pool: &Pool, unfinished: bool) -> Result<(), OpenError> {
    let failed = |failure: Failure| OpenError::unreachable(address, failure.text());
    let client = pool.get().await.map_err(failed)?;
    pool.in_time(schema::set_unfinished(&client, unfinished))
        .await
        .map_err(failed)
}

fn spawn_writer(
    queue: Arc<Queue>,
    pool: Pool,
    shared: Arc<Shared>,
) -> std::io::Result<(JoinHandle<()>, watch::Receiver<()>)> {
    // Of its own, so that a flight is not handed from thread to thread, and busy calls do not hold it up.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (writer_lives, writer_ended) = watch::channel(());
    let mut writer = Writer::new(runtime, Arc::clone(&queue), pool, shared);
    let thread = thread::Builder::new().name("store-writer".to_owned());
    let thread = thread.spawn(move || {
        // Also when it panics: whatever ended the writer, nobody may wait for it.
        let _abandon = Abandon(queue);
        writer.run();
        drop(writer);
        drop(writer_lives);
    })?;
    Ok((thread, writer_ended))
}

struct Abandon(Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Asks again and again whether the database is there, for as long as the store is.
async fn look(pool: Weak<Pool>, shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(LOOKING).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let trouble = reads::newest(&pool).await.err();
        let Some(shared) = shared.upgrade() else {
            return;
        };
        *shared.trouble() = trouble.map(|error| error.to_string());
    }
}

impl Shared {
    // Only whole values are put here.
    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
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
            span: Span::current(),
        })?;
        match answer.await {
            Ok(outcome) => outcome,
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
fn span(operation: &'static str) -> Span {
    tracing::debug_span!("query", db.system = "postgresql", db.operation = operation)
}
