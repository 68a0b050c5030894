//! What several families of tests need.

// By path, since `tests/survival` takes this file from beside it.
#[path = "support/database.rs"]
pub mod database;
#[path = "support/proxy.rs"]
pub mod proxy;
#[path = "support/staged_store.rs"]
pub mod staged_store;

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use tempfile::TempDir;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::embedded::Disk;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::Options;
use verbatim::store::memory::Memory;

use crate::support::database::Database;

/// Runs `work` to its end, on this thread.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// Takes one step of `work`.
pub fn step<T>(work: impl Future<Output = T> + Unpin) -> Poll<T> {
    let mut context = Context::from_waker(Waker::noop());
    pin!(work).poll(&mut context)
}

/// Takes one step of `work`; answers whether it waits for more.
pub fn pends(work: impl Future + Unpin) -> bool {
    step(work).is_pending()
}

/// Runs one case of the contract against each store.
pub fn on_every_store(case: impl AsyncFn(Arc<dyn Store>)) {
    run(case(Arc::new(Memory::new())));

    let home = tempfile::tempdir().unwrap();
    let embedded = Arc::new(open(home.path()));
    run(case(embedded));

    if let Some(database) = Database::new() {
        run(async { case(Arc::new(database.open().await)).await });
    }
}

/// Where a store stays when it is closed.
pub enum Home {
    Directory(TempDir),
    Database(Database),
}

impl Home {
    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Home::Directory(home) => Arc::new(open(home.path())),
            Home::Database(database) => Arc::new(database.open().await),
        }
    }
}

/// Runs one case with each store that outlives its process.
pub fn on_every_kept_store(case: impl AsyncFn(&Home)) {
    run(case(&Home::Directory(tempfile::tempdir().unwrap())));
    if let Some(database) = Database::new() {
        run(case(&Home::Database(database)));
    }
}

/// An embedded store with the default options.
pub fn open(directory: &Path) -> Embedded {
    Embedded::open(directory, Options::default()).unwrap()
}

/// An embedded store on a disk that obeys the test, and its directory.
pub fn open_on(disk: &Arc<StagedDisk>) -> (TempDir, Embedded) {
    let home = tempfile::tempdir().unwrap();
    let options = Options {
        disk: Arc::clone(disk) as Arc<dyn Disk>,
        waiting_max: 2,
        ..Options::default()
    };
    let store = Embedded::open(home.path(), options).unwrap();
    (home, store)
}

/// A deal of the tenant `acme`.
pub fn deal(id: &str) -> DealKey {
    DealKey::new("acme", id)
}

/// `count` events that tell their deal and number.
pub fn events(deal: &DealKey, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| format!("{deal:?} {number}").into_bytes())
        .collect()
}

/// All files below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A copy of a directory without directories.
pub fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in files(from) {
        std::fs::copy(&file, to.path().join(file.file_name().unwrap())).unwrap();
    }
    to
}

/// Numbers that look random and are the same each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A disk that counts its syncs, fails one on demand, holds them up on demand, and is as full as it is told.
pub struct StagedDisk {
    syncs: AtomicU64,
    fails_at: AtomicU64,
    free_bytes: AtomicU64,
    gate: Mutex<Gate>,
    moved: Condvar,
}

/// A gate that opens when this is dropped.
pub struct Shut<'a>(&'a StagedDisk);

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        self.0.lift();
    }
}

#[derive(Default)]
struct Gate {
    shut: bool,
    somebody_waits: bool,
}

impl StagedDisk {
    pub fn new() -> Arc<StagedDisk> {
        Arc::new(StagedDisk {
            syncs: AtomicU64::new(0),
            fails_at: AtomicU64::new(u64::MAX),
            free_bytes: AtomicU64::new(u64::MAX),
            gate: Mutex::default(),
            moved: Condvar::new(),
        })
    }

    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::SeqCst)
    }

    /// Fails the `nth` sync from now, counted from 1.
    pub fn fail_sync(&self, nth: u64) {
        self.fails_at.store(self.syncs() + nth, Ordering::SeqCst);
    }

    pub fn set_free_bytes(&self, bytes: u64) {
        self.free_bytes.store(bytes, Ordering::SeqCst);
    }

    /// Lets no sync return until [`StagedDisk::lift`], or until the answer is dropped: a test that fails meanwhile
    /// ends with its message, and not waiting for a writer that waits for the gate.
    pub fn shut(&self) -> Shut<'_> {
        self.gate.lock().unwrap().shut = true;
        Shut(self)
    }

    pub fn lift(&self) {
        self.gate.lock().unwrap().shut = false;
        self.moved.notify_all();
    }

    /// Waits until a sync waits at the shut gate.
    pub fn wait_for_sync(&self) {
        let gate = self.gate.lock().unwrap();
        let waited = self
            .moved
            .wait_timeout_while(gate, Duration::from_secs(5), |gate| !gate.somebody_waits);
        assert!(!waited.unwrap().1.timed_out(), "nobody synced");
    }
}

impl Disk for StagedDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        let mut gate = self.gate.lock().unwrap();
        while gate.shut {
            gate.somebody_waits = true;
            self.moved.notify_all();
            gate = self.moved.wait(gate).unwrap();
        }
        gate.somebody_waits = false;
        drop(gate);

        let nth = self.syncs.fetch_add(1, Ordering::SeqCst) + 1;
        if nth == self.fails_at.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is on fire"));
        }
        log.sync_data()
    }

    fn free_bytes(&self, _log: &File) -> io::Result<u64> {
        Ok(self.free_bytes.load(Ordering::SeqCst))
    }
}
