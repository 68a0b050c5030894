//! Keeps deals in a directory of this machine, with sled.
//!
//! Invariants:
//!
//! 1. One process holds the directory, and in it one thread writes.
//! 2. An append is answered after its group is in sled, sled has flushed, and the log is synced by us.
//! 3. A reader sees what is durable, and nothing else.
//! 4. Every record is checked as it is read, and the events against the change feed as the store is opened.
//! 5. After a failed write or a panic in sled nothing is written until the store is opened again.
//!
//! Absent on purpose: replication, rules about deals. sled gives no space back; `compact` does.
//!
//! The files in reading order: `directory` (who holds it), `keys` and `frames` (what a record looks like), `groups`
//! (the change feed), `reads`, `check` (at open), `trees` (sled's), `engine` (sled behind a guard), `queue`, `writer`,
//! `watermark`, `tidy` and `compact` (a copy that takes the place of a store), `unfinished` (a store that is being
//! restored).

mod check;
pub mod compact;
mod directory;
mod disk;
mod engine;
mod frames;
mod garbage;
mod guard;
mod keys;
mod open_error;
mod reads;
mod tidy;
mod trees;
mod unfinished;
mod watermark;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::thread;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tracing::Span;

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
use crate::store::embedded::directory::Claim;
pub use crate::store::embedded::disk::Disk;
pub use crate::store::embedded::disk::RealDisk;
use crate::store::embedded::engine::Engine;
use crate::store::embedded::guard::guarded;
pub use crate::store::embedded::open_error::OpenError;
use crate::store::embedded::watermark::Watermark;
use crate::store::embedded::writer::Writer;
use crate::store::queue::Append;
use crate::store::queue::Limits;
use crate::store::queue::QUIET;
use crate::store::queue::Queue;
use crate::telemetry::metrics::store::StoreMetrics;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Appends that may wait for the writer; one more is [`Error::Busy`]. Range: 1 and up. Default: 4096.
    pub waiting_max: usize,
    /// Appends made durable together. Range: 1 to 4096. Default: 512.
    pub group_appends_max: usize,
    /// Bytes of events made durable together; a single append may have more. Default: 4 MiB.
    pub group_bytes_max: usize,
    /// Deals whose projection may wait to be written; those of further deals are dropped. Default: 16384.
    pub projections_waiting_max: usize,
    /// Bytes for sled's page cache, which takes two to three times as much. Default: 64 MiB.
    pub cache_bytes: u64,
    /// Free bytes of the file system below which appends are [`Error::Full`]. Default: 64 MiB.
    pub free_bytes_min: u64,
    /// Has sled keep its log short, which slows the writer down: for a store that is filled in one go. Default: false.
    pub is_tidy: bool,
    /// What is read before the store is open. Default: [`Check::Whole`].
    pub check: Check,
    /// The disk calls that tests replace. Default: [`RealDisk`].
    pub disk: Arc<dyn Disk>,
    /// Where syncs and groups are counted. Default: numbers that nobody reads.
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
            cache_bytes: 64 * MIB as u64,
            free_bytes_min: 64 * MIB as u64,
            is_tidy: false,
            check: Check::Whole,
            disk: Arc::new(RealDisk),
            metrics: StoreMetrics::default(),
        }
    }
}

/// What is read before a store is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Every event and every change: a store that opened has no history cut short. Takes time in proportion to
    /// the events kept.
    Whole,
    /// The newest change only. For rescue: what still checks can be read from a store that [`Check::Whole`] refuses.
    Tail,
}

/// A store in a directory.
///
/// Dropping it without [`Store::close`] is like killing the process: what was acknowledged is there, what waited may
/// not be.
pub struct Embedded {
    // Taken by `close`, so that a closed store lets go of its directory although somebody may still hold the value.
    engine: RwLock<Option<Arc<Engine>>>,
    queue: Arc<Queue>,
    fault: Arc<OnceLock<String>>,
    // Its sender lives as long as the engine, which the writer thread and reads under way hold too.
    engine_ended: watch::Receiver<()>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens the store in `directory`, creating both if there is none.
    ///
    /// Blocks while sled recovers and the store is checked, in proportion to the events kept.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. After [`OpenError::Tail`], [`OpenError::Corrupt`] and [`OpenError::Sled`] sled may have
    /// cleared what it took for garbage: copy a damaged directory before anything else.
    pub fn open(directory: &Path, options: Options) -> Result<Embedded, OpenError> {
        let claim = directory::claim(directory)?;
        unfinished::refuse(directory)?;
        Embedded::open_claimed(directory, options, claim)
    }

    /// Begins a store in an empty or absent directory, or goes on with one that was begun so: it does not
    /// [`Embedded::open`] before it is finished.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotEmpty`]: nothing was touched. Else those of [`Embedded::open`].
    pub fn begin(directory: &Path, options: Options) -> Result<Embedded, OpenError> {
        unfinished::refuse_others(directory)?;
        let claim = directory::claim(directory)?;
        unfinished::mark(directory)?;
        Embedded::open_claimed(directory, options, claim)
    }

    /// Closes a store that was begun, and finishes it: from now on it opens.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`].
    pub async fn finish(self, directory: &Path) -> Result<(), OpenError> {
        self.close().await;
        unfinished::unmark(directory)
    }

    fn open_claimed(
        directory: &Path,
        options: Options,
        claim: Claim,
    ) -> Result<Embedded, OpenError> {
        directory::check_format(directory)?;
        let expected = watermark::read(directory)?;

        let engine = Arc::new(Engine::open(directory, &options, claim)?);
        let found = engine.durable();
        match expected {
            Some(expected) if found < expected => {
                return Err(OpenError::Tail {
                    directory: directory.to_owned(),
                    expected,
                    found,
                });
            }
            Some(_) => {}
            // A new store has none to lose. Otherwise a loss was accepted, and what derives from it must go with it.
            None => engine
                .clear_projections()
                .map_err(|problem| OpenError::sled(directory, &problem))?,
        }
        let watermark = Watermark::create(directory, found)
            .map_err(|source| OpenError::io(directory, "write the watermark in", source))?;

        Embedded::start(engine, watermark, &options)
            .map_err(|source| OpenError::io(directory, "start a writer for", source))
    }

    fn start(engine: Arc<Engine>, watermark: Watermark, options: &Options) -> io::Result<Embedded> {
        let queue = Arc::new(Queue::new(Limits {
            appends_max: options.waiting_max.max(1),
            projections_max: options.projections_waiting_max,
            group_appends_max: options.group_appends_max.clamp(1, 4096),
            group_bytes_max: options.group_bytes_max,
            quiet: QUIET,
        }));
        let fault = Arc::clone(engine.fault());

        let (for_writer, is_tidy) = (Arc::clone(&queue), options.is_tidy);
        let mut writer = Writer::new(Arc::clone(&engine), for_writer, watermark, is_tidy);
        let writers_queue = Arc::clone(&queue);
        let writers_fault = Arc::clone(&fault);
        let thread = thread::Builder::new().name("store-writer".to_owned());
        let writer = thread.spawn(move || {
            if let Err(panic) = guarded(|| writer.run()) {
                writers_fault.get_or_init(|| format!("the writer panicked: {panic}"));
            }
            // Whatever ended the writer, nobody may wait for it.
            writers_queue.abandon();
        })?;

        Ok(Embedded {
            engine_ended: engine.ended(),
            engine: RwLock::new(Some(engine)),
            queue,
            fault,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Forgets all projections, durably: they are made anew from the events as deals are asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::Fault`].
    pub fn forget_projections(&self) -> Result<(), Error> {
        self.refuse_after_fault()?;
        let engine = self.engine()?;
        let forgotten = engine.clear_projections().and_then(|()| engine.flush_all());
        forgotten.map_err(Error::Fault)
    }

    fn engine(&self) -> Result<Arc<Engine>, Error> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine.clone().ok_or(Error::Closed)
    }

    fn refuse_after_fault(&self) -> Result<(), Error> {
        match self.fault.get() {
            Some(problem) => Err(Error::Fault(problem.clone())),
            None => Ok(()),
        }
    }
}

// The reads below do not leave the async thread: from sled's cache they take a few microseconds, less than a hop to
// another thread and back.
#[async_trait]
impl Store for Embedded {
    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        self.engine()?.revision(deal)
    }

    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error> {
        let engine = self.engine()?;
        engine.read(
            || format!("{} after {after}", keys::place_of(deal)),
            |facts| {
                let deal = keys::deal(deal);
                reads::events(facts, &deal, after, events_max, engine.durable())
            },
        )
    }

    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        drop(self.engine()?);
        check_append(deal, &events)?;
        self.refuse_after_fault()?;
        let (reply, answer) = oneshot::channel();
        self.queue.push(Append {
            deal: deal.clone(),
            expected,
            events,
            reply,
            span: Span::current(),
        })?;
        match answer.await {
            Ok(answer) => answer.taken(),
            Err(_) => Err(Error::Unknown("the writer ended".to_owned())),
        }
    }

    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error> {
        let engine = self.engine()?;
        let waits = self.queue.projection(deal);
        let kept = engine.projection(deal);
        match (waits, kept) {
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
        self.engine()?.deals(tenant, after, deals_max)
    }

    async fn changes(&self, after: u64, changes_max: usize) -> Result<Vec<Change>, Error> {
        let engine = self.engine()?;
        engine.read(
            || format!("changes after {after}"),
            |facts| reads::changes(facts, after, changes_max, engine.durable()),
        )
    }

    fn fault(&self) -> Option<Fault> {
        if let Some(problem) = self.fault.get() {
            return Some(Fault::Lasting(problem.clone()));
        }
        // Asked of the disk each time, since it heals without an append that would notice.
        let full = self.engine().ok()?.room().err()?;
        Some(Fault::Passing(full.to_string()))
    }

    fn figures(&self) -> Figures {
        let Ok(engine) = self.engine() else {
            return Figures::default();
        };
        Figures {
            queue_appends: Some(self.queue.appends_waiting() as u64),
            event_bytes: engine.event_bytes(),
            disk_bytes: engine.disk_bytes().ok(),
            free_bytes: engine.free_bytes().ok(),
            ..Figures::default()
        }
    }

    async fn close(&self) {
        self.queue.close();
        let engine = self
            .engine
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(engine);
        // An error is the sender dropped, which is what is waited for.
        let mut ended = self.engine_ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue.abandon();
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Waits for one group at most, so that the directory is free when this returns.
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}
