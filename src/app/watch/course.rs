//! The one order of changes and sweeps, walked from any place.
//!
//! What always holds: two courses that pass the same place tell the same items behind it, whenever they walk. The sweep
//! of a day comes ahead of the first change recorded since its midnight, once everything recorded before is durable.

use std::sync::Arc;

use crate::app::App;
use crate::app::watch::folds::Folds;
use crate::app::watch::moved::Moved;
use crate::app::watch::sweep;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::time::Span;
use crate::store::Change;
use crate::store::Error;

/// Changes in one lot, at most.
const LOT_CHANGES: usize = 256;

/// Deals looked at for one lot of a sweep.
const LOT_DEALS: usize = 256;

/// Items worked out without letting others have the thread: a few hundred microseconds.
const ITEMS_AT_A_TIME: usize = 8;

/// Sweeps of days further back than this many are passed over: whoever was away for longer reads the scores anew.
pub const SWEEP_DAYS_MAX: i32 = 7;

/// A place in the order: behind all changes up to `sequence` and all sweeps up to the day before, and behind the part
/// `swept` of that of `day`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub sequence: u64,
    pub day: Date,
    pub swept: Swept,
}

/// How far a sweep is; it goes by the deals' ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Swept {
    /// Up to this deal; empty: just begun.
    UpTo(Box<str>),
    Whole,
}

/// Items that were worked out together.
#[derive(Debug)]
pub struct Lot {
    pub moved: Vec<Arc<Moved>>,
    /// Behind all of them.
    pub place: Place,
}

/// A walk along the order.
pub struct Course {
    app: Arc<App>,
    tenant: Box<str>,
    place: Place,
    folds: Folds,
}

impl Place {
    /// Before the first change.
    pub fn beginning() -> Place {
        Place {
            sequence: 0,
            day: Instant::MIN.date(),
            swept: Swept::Whole,
        }
    }
}

impl Course {
    pub fn new(app: Arc<App>, tenant: &str, place: Place) -> Course {
        Course {
            app,
            tenant: tenant.into(),
            place,
            folds: Folds::default(),
        }
    }

    /// What comes next, `None` when there is nothing yet. A lot may be empty and still lead on.
    pub async fn next(&mut self) -> Result<Option<Lot>, Error> {
        if let Swept::UpTo(after) = &self.place.swept {
            let after = after.clone();
            return self.sweep(&after).await.map(Some);
        }
        let today = self.app.settled_day();
        if let Some(lot) = self.changes().await? {
            return Ok(Some(lot));
        }
        if today <= self.place.day {
            return Ok(None);
        }
        // The day is over, but a change of it may still be on its way to the disk.
        self.app.settled().await;
        if let Some(lot) = self.changes().await? {
            return Ok(Some(lot));
        }
        self.turn_to(today);
        Ok(Some(self.lot(Vec::new())))
    }

    /// The next changes, up to one that was recorded on a later day; then that day is begun.
    async fn changes(&mut self) -> Result<Option<Lot>, Error> {
        let store = Arc::clone(&self.app.store);
        let changes = store.changes(self.place.sequence, LOT_CHANGES).await?;
        if changes.is_empty() {
            return Ok(None);
        }
        let mut moved: Vec<Arc<Moved>> = Vec::with_capacity(changes.len());
        for (number, change) in changes.iter().enumerate() {
            if change.deal.tenant == self.tenant {
                let mut opened = self.folds.open(&self.app, change).await?;
                let day = opened.recorded_at().date();
                if self.place.day < day {
                    self.folds.keep(opened);
                    if moved.is_empty() && self.app.settled_day() < day {
                        // Other processes may still write what they dated before midnight.
                        return Ok(None);
                    }
                    if moved.is_empty() {
                        self.app.settled().await;
                        self.turn_to(day);
                    }
                    return Ok(Some(self.lot(moved)));
                }
                let place = Place {
                    sequence: change.sequence,
                    ..self.place.clone()
                };
                moved.push(Arc::new(opened.judge(&self.app, place)));
                self.folds.keep(opened);
                self.shown(change).await;
            }
            self.place.sequence = change.sequence;
            if number % ITEMS_AT_A_TIME == ITEMS_AT_A_TIME - 1 {
                tokio::task::yield_now().await;
            }
        }
        Ok(Some(self.lot(moved)))
    }

    /// Waits until reads show the change, so that who is told of it and asks sees no less: it is durable a moment before its
    /// writer has put it into the deal in memory.
    async fn shown(&self, change: &Change) {
        let deals = &self.app.deals;
        if deals.has(&change.deal, change.revision) {
            return;
        }
        drop(self.app.turns.take(&change.deal).await);
        if !deals.has(&change.deal, change.revision) {
            // Not written here, or not kept in memory.
            deals.forget(&change.deal);
        }
    }

    /// Begins the sweep of the next day that is due, on the way to `day`.
    fn turn_to(&mut self, day: Date) {
        let now = self.app.now();
        let oldest = now
            .minus(Span::days(SWEEP_DAYS_MAX - 1))
            .unwrap_or(Instant::MIN)
            .date();
        let next = self.place.day.next().max(oldest);
        if day < next {
            self.place.day = day;
            return;
        }
        self.place.day = next;
        self.place.swept = Swept::UpTo("".into());
    }

    async fn sweep(&mut self, after: &str) -> Result<Lot, Error> {
        let after = (!after.is_empty()).then_some(after);
        let deals = self.app.store.deals(&self.tenant, after, LOT_DEALS).await?;
        let Place { sequence, day, .. } = self.place;
        let mut moved = Vec::new();
        for (number, (key, _)) in deals.iter().enumerate() {
            if let Some(known) = sweep::known(&self.app, key, day).await? {
                let folded = known.read();
                let judged = sweep::judge(&self.app, key, &folded.deal, sequence, day);
                moved.extend(judged.map(Arc::new));
            }
            if number % ITEMS_AT_A_TIME == ITEMS_AT_A_TIME - 1 {
                tokio::task::yield_now().await;
            }
        }
        self.place.swept = match deals.last() {
            Some((key, _)) if deals.len() == LOT_DEALS => Swept::UpTo(key.deal.clone()),
            _ => Swept::Whole,
        };
        Ok(self.lot(moved))
    }

    fn lot(&self, moved: Vec<Arc<Moved>>) -> Lot {
        Lot {
            moved,
            place: self.place.clone(),
        }
    }
}
