//! sled, held in one place: opened, read, written and dropped behind a guard.
//!
//! 1. Nothing is `durable` before sled's flush and our own sync of its log have returned: sled's flush does no fsync.
//! 2. The first failure to write, and any panic, is the `fault`; after it nothing is written.
//! 3. Reads go on after a fault, each on its own merits.
//!
//! What is not seen here: a panic in one of sled's own threads may leave a flush waiting for ever.

use std::fs::File;
use std::ops::Bound;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::watch;

use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::embedded::Check;
use crate::store::embedded::OpenError;
use crate::store::embedded::Options;
use crate::store::embedded::check;
use crate::store::embedded::check::Whole;
use crate::store::embedded::directory::Claim;
use crate::store::embedded::disk::Disk;
use crate::store::embedded::disk::bytes_below;
use crate::store::embedded::disk::sync_directory;
use crate::store::embedded::disk::wait_for_log;
use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::guard::guarded;
use crate::store::embedded::guard::told;
use crate::store::embedded::keys;
use crate::store::embedded::reads;
use crate::store::embedded::trees::Trees;
use crate::telemetry::metrics::store::StoreMetrics;

pub struct Engine {
    // Taken in `drop` only.
    trees: Option<Trees>,
    // sled's log, through a descriptor of our own: a sync acts on the file, whoever wrote it.
    log: File,
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    metrics: StoreMetrics,
    free_bytes_min: u64,
    durable: AtomicU64,
    // As far as it is durable; unset when the store was not read as a whole.
    whole: RwLock<Option<Whole>>,
    fault: Arc<OnceLock<String>>,
    // Dropped after all before it: another process must not open before sled is done.
    _claim: Claim,
    // Dropped last: whoever waits for it finds the directory free.
    lives: watch::Sender<()>,
}

impl Engine {
    /// Opens sled in a claimed directory; everything found there is durable when it returns.
    pub fn open(directory: &Path, options: &Options, claim: Claim) -> Result<Engine, OpenError> {
        let failed = |source| OpenError::io(directory, "sync", source);
        wait_for_log(directory);
        let trees = guarded(|| Trees::open(directory, options))
            .map_err(|panic| OpenError::sled(directory, &panic))?
            .map_err(|error| OpenError::sled(directory, &told(&error)))?;
        let log = File::open(directory.join("db")).map_err(failed)?;
        let engine = Engine {
            trees: Some(trees),
            log,
            disk: Arc::clone(&options.disk),
            directory: directory.to_owned(),
            metrics: options.metrics.clone(),
            free_bytes_min: options.free_bytes_min,
            durable: AtomicU64::new(0),
            whole: RwLock::new(None),
            fault: Arc::default(),
            _claim: claim,
            lives: watch::Sender::new(()),
        };
        // What a killed process wrote is read back from memory: it counts only once it is on the disk.
        engine.flush().map_err(failed)?;
        sync_directory(directory).map_err(failed)?;

        let last = guarded(|| engine.check(options.check))
            .map_err(|panic| OpenError::sled(directory, &panic))?
            .map_err(|unreadable| OpenError::unreadable(directory, unreadable))?;
        engine.durable.store(last, Ordering::Release);
        Ok(engine)
    }

    /// The newest change sequence that is durable.
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Its sender is gone once the engine is, and the directory is free.
    pub fn ended(&self) -> watch::Receiver<()> {
        self.lives.subscribe()
    }

    /// Reads facts; `place` names what is read, should sled fail at it.
    pub fn read<T>(
        &self,
        place: impl Fn() -> String,
        work: impl FnOnce(&sled::Tree) -> Result<T, Unreadable>,
    ) -> Result<T, Error> {
        self.judge(place, || work(&self.trees().facts))
    }

    /// The newest durable revision of a deal; 0 without events.
    pub fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        let prefix = keys::deal(deal);
        if let Some(revision) = self.known_revision(&prefix) {
            return Ok(revision);
        }
        self.read(
            || keys::place_of(deal),
            |facts| reads::revision(facts, &prefix, self.durable()),
        )
    }

    /// Up to `deals_max` deals of a tenant, by id, after `after`.
    pub fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error> {
        let whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Whole { heads, .. }) = &*whole else {
            return self.read(
                || format!("deals of {tenant}"),
                |facts| reads::deals(facts, tenant, after, deals_max, self.durable()),
            );
        };
        let all = keys::tenant(tenant);
        let end = keys::behind(&all);
        let from = match after {
            Some(after) => keys::behind(&keys::deal(&DealKey::new(tenant, after))),
            None => all,
        };
        if end < from {
            return Ok(Vec::new());
        }
        Ok(heads
            .range::<[u8], _>((Bound::Included(&*from), Bound::Excluded(&*end)))
            .filter_map(|(prefix, revision)| Some((keys::parse_deal(prefix)?, *revision)))
            .take(deals_max)
            .collect())
    }

    /// The projection of a deal that was written.
    pub fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error> {
        self.judge(
            || format!("{} (projection)", keys::place_of(deal)),
            || {
                let trees = self.trees();
                let Some(projection) = trees.projection(deal)? else {
                    return Ok(None);
                };
                // One beyond the events derives from events that were lost.
                let prefix = keys::deal(deal);
                let revision = match self.known_revision(&prefix) {
                    Some(revision) => revision,
                    None => reads::revision(&trees.facts, &prefix, self.durable())?,
                };
                Ok((projection.revision <= revision).then_some(projection))
            },
        )
    }

    /// Writes a batch of facts, makes it durable and has it marked; `last` is then the newest durable sequence, and the
    /// histories of these deals end where `heads` says, with so many bytes more.
    pub fn commit(
        &self,
        batch: sled::Batch,
        last: u64,
        heads: impl Iterator<Item = (Vec<u8>, Revision)>,
        event_bytes: u64,
        mark: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let written = guarded(|| -> Result<(), String> {
            let facts = &self.trees().facts;
            facts
                .apply_batch(batch)
                .map_err(|error| error.to_string())?;
            self.flush().map_err(|error| error.to_string())?;
            mark()
        });
        self.note(written.flatten())?;
        self.durable.store(last, Ordering::Release);
        let mut whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(whole) = &mut *whole {
            whole
                .heads
                .extend(heads.map(|(deal, end)| (deal.into_boxed_slice(), end)));
            whole.event_bytes += event_bytes;
        }
        Ok(())
    }

    /// Writes projections, each unless a newer one is there. Not durable before the next commit or flush.
    pub fn write_projections(&self, lot: &[(DealKey, Arc<Projection>)]) -> Result<(), String> {
        let written = guarded(|| self.trees().write_projections(lot));
        let written = written.map(|written| written.map_err(|error| error.to_string()));
        self.note(written.flatten())
    }

    /// Forgets all projections.
    pub fn clear_projections(&self) -> Result<(), String> {
        let cleared = guarded(|| self.trees().clear_projections());
        let cleared = cleared.map(|cleared| cleared.map_err(|error| error.to_string()));
        self.note(cleared.flatten())
    }

    /// Makes everything written so far durable.
    pub fn flush_all(&self) -> Result<(), String> {
        let flushed = guarded(|| self.flush().map_err(|error| error.to_string()));
        self.note(flushed.flatten())
    }

    /// Refuses when the file system is nearly full. Asked before writing, since sled does not recover from a full one.
    pub fn room(&self) -> Result<(), Error> {
        // Where the figure cannot be had, the write itself will tell.
        let free_bytes = self.free_bytes().unwrap_or(u64::MAX);
        if free_bytes < self.free_bytes_min {
            return Err(Error::Full {
                free_bytes,
                free_bytes_min: self.free_bytes_min,
            });
        }
        Ok(())
    }

    /// Bytes that are free where the store is.
    pub fn free_bytes(&self) -> std::io::Result<u64> {
        self.disk.free_bytes(&self.log)
    }

    /// Bytes of sled's log; 0 where it cannot be had.
    pub fn log_bytes(&self) -> u64 {
        self.log.metadata().map_or(0, |log| log.len())
    }

    /// Bytes of disk that the directory takes.
    pub fn disk_bytes(&self) -> std::io::Result<u64> {
        bytes_below(&self.directory)
    }

    /// Bytes of the events that are durable; `None` where the store was not read as a whole.
    pub fn event_bytes(&self) -> Option<u64> {
        let whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        Some(whole.as_ref()?.event_bytes)
    }

    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    pub fn fault(&self) -> &Arc<OnceLock<String>> {
        &self.fault
    }

    fn flush(&self) -> std::io::Result<()> {
        self.trees().db.flush().map_err(std::io::Error::from)?;
        let started = Instant::now();
        let synced = self.disk.sync(&self.log);
        let took = started.elapsed().as_secs_f64();
        self.metrics.sync_seconds.observe(took);
        synced
    }

    fn check(&self, check: Check) -> Result<u64, Unreadable> {
        let facts = &self.trees().facts;
        let is_whole = matches!(check, Check::Whole);
        let whole = is_whole.then(|| check::whole(facts)).transpose()?;
        *self.whole.write().unwrap_or_else(PoisonError::into_inner) = whole;
        check::last_sequence(facts)
    }

    /// As [`Engine::revision`], where the store was read as a whole.
    fn known_revision(&self, prefix: &[u8]) -> Option<Revision> {
        let whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        let Whole { heads, .. } = whole.as_ref()?;
        Some(heads.get(prefix).copied().unwrap_or_default())
    }

    fn note(&self, outcome: Result<(), String>) -> Result<(), String> {
        if let Err(problem) = &outcome {
            self.fault.get_or_init(|| problem.clone());
        }
        outcome
    }

    fn judge<T>(
        &self,
        place: impl Fn() -> String,
        work: impl FnOnce() -> Result<T, Unreadable>,
    ) -> Result<T, Error> {
        let (place, problem) = match guarded(work) {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(Unreadable::Broken { place, problem })) => (place, problem),
            Ok(Err(Unreadable::Sled(sled::Error::Io(error)))) => {
                let problem = format!("{}: {error}", place());
                return Err(Error::Fault(self.fault.get_or_init(|| problem).clone()));
            }
            Ok(Err(Unreadable::Sled(error))) => (place(), told(&error)),
            Err(panic) => {
                let problem = format!("sled panicked: {panic}");
                // What the panic left behind is unknown, so nothing is built upon it.
                self.fault.get_or_init(|| problem.clone());
                (place(), problem)
            }
        };
        Err(Error::Corrupt { place, problem })
    }

    fn trees(&self) -> &Trees {
        self.trees.as_ref().expect("taken in drop only")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // sled flushes as it is dropped and may panic at what it finds; there is nobody left to tell.
        let trees = self.trees.take();
        let _ = guarded(|| drop(trees));
    }
}
