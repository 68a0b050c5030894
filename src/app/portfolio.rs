//! The outlines of all deals of a tenant in memory, so that the whole portfolio is judged without the store.
//!
//! What always holds:
//!
//! 1. A write that was acknowledged before a portfolio is asked for is in it: a table is there before the store is read
//!    for it, and from then on every writer puts its deal into it before it answers. What other processes wrote is looked
//!    for before each look (`follow`).
//! 2. Of two outlines of one deal the one of the later revision stays, whoever came first.
//! 3. Every row is judged from one outline, so it is of one revision.
//! 4. A table that would take more than its limit is dropped, and the portfolio read from the store each time.

mod lots;
mod table;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::thread;

use tokio::sync::Mutex;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::app::Error;
use crate::app::aside::ended;
pub use crate::app::portfolio::lots::Lots;
pub use crate::app::portfolio::lots::OUTLINES_AT_ONCE;
pub use crate::app::portfolio::table::Outline;
use crate::app::portfolio::table::Table;
use crate::domain::deal::Deal;
use crate::domain::deal::packed;
use crate::store::DealKey;
use crate::store::Revision;
use crate::telemetry::traces::current;

/// Memory for the outlines of a tenant, if no other limit is given. Unit: bytes. About 700 a deal of 20 statements.
pub const OUTLINES_BYTES_MAX: u64 = 128 << 20;

/// Portfolios judged at a time: each takes every core, so more would only wait for each other.
const PASSES_MAX: usize = 2;

/// Threads of one pass, at most.
const THREADS_MAX: usize = 16;

/// The tables of outlines.
pub struct Portfolio {
    /// By tenant: looked into by every write, written to once a tenant.
    tables: RwLock<HashMap<Box<str>, Arc<Table>>>,
    /// Held while a table is filled.
    filling: Mutex<()>,
    passes: Semaphore,
    bytes_max: u64,
}

impl Portfolio {
    pub fn new(bytes_max: u64) -> Portfolio {
        Portfolio {
            tables: RwLock::default(),
            filling: Mutex::new(()),
            passes: Semaphore::new(PASSES_MAX),
            bytes_max,
        }
    }

    /// Takes in a deal that was written to. Called before the write is acknowledged.
    pub fn take(&self, key: &DealKey, deal: &Deal) {
        if let Some(table) = self.table(&key.tenant)
            && !table.is_over()
        {
            table.put(
                &key.deal,
                deal.revision(),
                packed::pack_outline(deal).into(),
            );
        }
    }

    /// Whether the outlines of the deal's tenant are in memory, and not with this revision of the deal.
    pub fn lacks(&self, key: &DealKey, revision: Revision) -> bool {
        let Some(table) = self.table(&key.tenant).filter(|table| !table.is_over()) else {
            return false;
        };
        table
            .get(&key.deal)
            .is_none_or(|outline| outline.revision < revision)
    }

    /// Takes in a deal that another process has written to.
    pub fn note(&self, key: &DealKey, outline: Outline) {
        if let Some(table) = self.table(&key.tenant) {
            table.insert(Arc::new(outline));
        }
    }

    fn table(&self, tenant: &str) -> Option<Arc<Table>> {
        // Whole values are put in and nothing is done to them under the lock.
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.get(tenant).cloned()
    }

    /// The table, empty if there was none. From here on writers put their deals into it.
    fn begun(&self, tenant: &str) -> Arc<Table> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let table = tables
            .entry(tenant.into())
            .or_insert_with(|| Arc::new(Table::new(self.bytes_max)));
        Arc::clone(table)
    }
}

impl App {
    /// All deals of the tenant, lot by lot.
    pub(super) async fn lots(self: &Arc<Self>, tenant: &str) -> Result<Lots, Error> {
        // So that other processes' writes are in it as well as ours.
        self.catch_up().await?;
        let table = match self.portfolio.table(tenant).filter(|table| table.is_full()) {
            Some(table) => table,
            None => {
                // Goes on when the caller gives up: the next one finds it done, or nearly.
                let (app, tenant) = (Arc::clone(self), Box::<str>::from(tenant));
                ended(
                    tokio::spawn(current::carried(async move { app.filled(&tenant).await })).await,
                )??
            }
        };
        let all = table.all();
        // Asked afterwards: a table that is over lets go of what it has, and what was taken from it may lack some.
        Ok(match table.is_over() {
            true => Lots::of_store(tenant),
            false => Lots::of(all),
        })
    }

    /// The outline of a deal, if the table of its tenant has all of them.
    pub(super) fn outline_in_memory(&self, key: &DealKey) -> Option<Arc<Outline>> {
        let table = self.portfolio.table(&key.tenant)?;
        table.is_full().then(|| table.get(&key.deal)).flatten()
    }

    /// Runs `work` on every lot, on all cores; answers what each thread has made of those that it was given.
    pub(super) async fn on_every_lot<T, W>(
        self: &Arc<Self>,
        lots: Lots,
        work: W,
    ) -> Result<Vec<T>, Error>
    where
        T: Default + Send + 'static,
        W: Fn(&App, &mut T, Vec<Arc<Outline>>) -> Result<(), Error> + Send + Sync + 'static,
    {
        let pass = self.portfolio.passes.acquire().await;
        let (lots, work) = (Arc::new(lots), Arc::new(work));
        let threads: Vec<_> = (0..threads())
            .map(|_| {
                let (app, lots, work) = (Arc::clone(self), Arc::clone(&lots), Arc::clone(&work));
                let runtime = tokio::runtime::Handle::current();
                tokio::task::spawn_blocking(current::carried_once(move || {
                    let mut made = T::default();
                    while let Some(lot) = runtime.block_on(lots.next(&app))? {
                        work(&app, &mut made, lot)?;
                    }
                    Ok::<_, Error>(made)
                }))
            })
            .collect();
        // Who asked may be gone; then nothing is to be done for them.
        let _stop = lots.stop_on_drop();
        let mut made = Vec::new();
        for thread in threads {
            made.push(ended(thread.await)??);
        }
        drop(pass);
        Ok(made)
    }

    /// Fills the table from the store, on all cores.
    async fn filled(self: &Arc<Self>, tenant: &str) -> Result<Arc<Table>, Error> {
        let _turn = self.portfolio.filling.lock().await;
        let table = self.portfolio.begun(tenant);
        if table.is_full() {
            return Ok(table);
        }
        let into = Arc::clone(&table);
        let fill = move |_: &App, _: &mut (), lot: Vec<Arc<Outline>>| {
            lot.into_iter().for_each(|outline| into.insert(outline));
            Ok(())
        };
        self.on_every_lot(Lots::of_store(tenant), fill).await?;
        table.end();
        Ok(table)
    }
}

/// Threads of one pass.
pub fn threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min(THREADS_MAX)
}
