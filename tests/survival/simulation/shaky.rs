//! A store as the one on a disk is seen from above: it takes time, is refused, fails, dies at any moment.
//!
//! What is on the disk outlives it. Each way of being broken on purpose is one that a real store could be: each must be
//! caught, or the harness is of no use (`controls`).

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use tonic::async_trait;
use verbatim::app::projection_of;
use verbatim::domain::deal::Deal;
use verbatim::domain::event::Event;
use verbatim::domain::event::Fact;
use verbatim::domain::time::Instant;
use verbatim::store::Change;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Fault;
use verbatim::store::Projection;
use verbatim::store::Revision;
use verbatim::store::Store;
use verbatim::store::StoredEvent;
use verbatim::store::memory::Memory;
use verbatim::wire;

use crate::support::Dice;

/// How the store, or who uses it, is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    Nothing,
    /// An append is answered before it is on the disk.
    AcknowledgesBeforeTheSync,
    /// What is not on the disk yet is read, and told.
    ShowsBeforeTheSync,
    /// An append is answered and not done.
    LosesAnAppend,
    /// Of an append whose outcome is unknown a half is there.
    TearsAnAppend,
    /// Projections are folded in the order of recording, and not of saying.
    FoldsOutOfOrder,
    /// Reads are of a little while ago.
    ReadsAreOld,
    /// The feed leaves out a change.
    HidesAChange,
    /// A watcher goes on from before the last item it was told.
    ResumesTooEarly,
}

/// A store for one life of the service.
pub struct Shaky {
    disk: Arc<Memory>,
    /// What is written and not on the disk yet; only a broken store reads it.
    unsynced: Arc<Memory>,
    /// The disk as it was a little while ago; only a broken store reads it.
    old: Arc<Memory>,
    broken: Broken,
    dice: Mutex<Dice>,
    /// Nothing goes wrong.
    calm: bool,
    fault: Mutex<Option<String>>,
}

impl Shaky {
    /// A store on a disk.
    pub async fn on(disk: &Arc<Memory>, broken: Broken, seed: u64) -> Shaky {
        let unsynced = Arc::default();
        let old = Arc::default();
        sync(disk, &unsynced).await;
        sync(disk, &old).await;
        Shaky {
            disk: Arc::clone(disk),
            unsynced,
            old,
            broken,
            dice: Mutex::new(Dice(seed)),
            calm: false,
            fault: Mutex::default(),
        }
    }

    /// A store on a disk that does what it should, at once.
    pub async fn calm(disk: &Arc<Memory>) -> Shaky {
        Shaky {
            calm: true,
            ..Shaky::on(disk, Broken::Nothing, 0).await
        }
    }

    fn roll(&self, bound: u64) -> u64 {
        self.dice.lock().unwrap().below(bound)
    }

    async fn takes_up_to(&self, milliseconds: u64) {
        let taken = self.roll(milliseconds);
        tokio::time::sleep(Duration::from_millis(taken)).await;
    }

    /// Notes a fault: nothing is written any more.
    fn fails(&self, why: &str) -> String {
        let mut fault = self.fault.lock().unwrap();
        fault.get_or_insert_with(|| why.to_owned()).clone()
    }

    fn fault_text(&self) -> Option<String> {
        self.fault.lock().unwrap().clone()
    }

    /// Before a read: it may take a while, and it may fail.
    async fn reads(&self) -> Result<&Memory, Error> {
        if !self.calm {
            match self.roll(400) {
                0 => return Err(Error::Fault(self.fails("a read failed"))),
                1..80 => self.takes_up_to(5).await,
                _ => {}
            }
        }
        Ok(match self.broken {
            Broken::AcknowledgesBeforeTheSync | Broken::ShowsBeforeTheSync => &self.unsynced,
            Broken::ReadsAreOld => &self.old,
            _ => &self.disk,
        })
    }

    /// Does an append, broken or not. Answers as the store does.
    async fn writes(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        match self.broken {
            Broken::AcknowledgesBeforeTheSync | Broken::ShowsBeforeTheSync => {
                let answer = self.unsynced.append(deal, expected, events).await?;
                let (unsynced, disk) = (Arc::clone(&self.unsynced), Arc::clone(&self.disk));
                let taken = Duration::from_millis(5 + self.roll(40));
                let syncing = tokio::spawn(async move {
                    tokio::time::sleep(taken).await;
                    sync(&unsynced, &disk).await;
                });
                if self.broken == Broken::ShowsBeforeTheSync {
                    syncing.await.unwrap();
                }
                Ok(answer)
            }
            Broken::LosesAnAppend if self.roll(40) == 0 => Ok(expected + events.len() as Revision),
            Broken::ReadsAreOld => {
                let answer = self.disk.append(deal, expected, events).await?;
                let (disk, old) = (Arc::clone(&self.disk), Arc::clone(&self.old));
                tokio::spawn(async move {
                    let change = disk.newest_sequence().await.unwrap();
                    tokio::time::sleep(Duration::from_millis(15)).await;
                    sync_until(&disk, &old, change).await;
                });
                Ok(answer)
            }
            _ => self.disk.append(deal, expected, events).await,
        }
    }

    /// Ends an append in a fault. Part of it may be there if the store is broken; else all of it or nothing.
    async fn breaks_off(
        &self,
        deal: &DealKey,
        expected: Revision,
        mut events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        let why = self.fails("a sync failed");
        if self.broken == Broken::TearsAnAppend {
            events.truncate(events.len().div_ceil(2));
            self.writes(deal, expected, events).await?;
        } else if self.roll(2) == 0 {
            self.writes(deal, expected, events).await?;
        }
        Err(Error::Unknown(why))
    }
}

#[async_trait]
impl Store for Shaky {
    async fn revision(&self, deal: &DealKey) -> Result<Revision, Error> {
        self.reads().await?.revision(deal).await
    }

    async fn events(
        &self,
        deal: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<StoredEvent>, Error> {
        self.reads().await?.events(deal, after, events_max).await
    }

    async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        if let Some(fault) = self.fault_text() {
            return Err(Error::Fault(fault));
        }
        if self.calm {
            return self.writes(deal, expected, events).await;
        }
        let tears = self.broken == Broken::TearsAnAppend && 1 < events.len();
        match self.roll(if tears { 10 } else { 150 }) {
            0 => return Err(Error::Busy { waiting: 1 }),
            1 => {
                return Err(Error::Full {
                    free_bytes: 1,
                    free_bytes_min: 2,
                });
            }
            2 => return self.breaks_off(deal, expected, events).await,
            _ => {}
        }
        self.takes_up_to(20).await;
        // Another append failed meanwhile, and this one was in its group or behind it.
        if let Some(fault) = self.fault_text() {
            return Err(Error::Unknown(fault));
        }
        let answer = self.writes(deal, expected, events).await;
        // It is on the disk, and nobody knows yet.
        self.takes_up_to(20).await;
        answer
    }

    async fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Error> {
        let store = self.reads().await?;
        if self.broken == Broken::FoldsOutOfOrder {
            let revision = store.revision(deal).await?;
            return Ok(Some(folded_out_of_order(store, deal, revision)));
        }
        store.projection(deal).await
    }

    fn keep_projection(&self, deal: &DealKey, projection: Projection) {
        // May be dropped under load.
        if self.roll(4) == 0 {
            return;
        }
        self.disk.keep_projection(deal, projection);
    }

    async fn deals(
        &self,
        tenant: &str,
        after: Option<&str>,
        deals_max: usize,
    ) -> Result<Vec<(DealKey, Revision)>, Error> {
        self.reads().await?.deals(tenant, after, deals_max).await
    }

    async fn changes(&self, after: u64, changes_max: usize) -> Result<Vec<Change>, Error> {
        let mut changes = self.reads().await?.changes(after, changes_max).await?;
        // A single one is asked for to find where the order ends.
        if self.broken == Broken::HidesAChange && 1 < changes_max {
            changes.retain(|change| change.sequence % 31 != 7);
        }
        Ok(changes)
    }

    fn fault(&self) -> Option<Fault> {
        self.fault_text().map(Fault::Lasting)
    }

    async fn close(&self) {
        self.fails("it is closed");
    }
}

/// Brings a store up to another.
async fn sync(from: &Memory, to: &Memory) {
    sync_until(from, to, u64::MAX).await;
}

async fn sync_until(from: &Memory, to: &Memory, last: u64) {
    let after = to.newest_sequence().await.unwrap();
    for change in from.changes(after, usize::MAX).await.unwrap() {
        if last < change.sequence {
            return;
        }
        let before = change.revision - Revision::from(change.events);
        let events = from
            .events(&change.deal, before, change.events as usize)
            .await;
        let events = events
            .unwrap()
            .into_iter()
            .map(|event| event.bytes)
            .collect();
        to.append(&change.deal, before, events).await.unwrap();
    }
}

/// The projection of a deal in which all was said in the order in which it was recorded.
fn folded_out_of_order(disk: &Memory, deal: &DealKey, revision: Revision) -> Projection {
    let events = disk.events(deal, 0, revision as usize).now_or_never();
    let kept = events.expect("memory does not wait").unwrap();
    let mut events: Vec<Event> = kept
        .iter()
        .map(|event| wire::event::decode(&event.bytes).unwrap())
        .collect();
    let mut said: Vec<&mut Instant> = events
        .iter_mut()
        .filter_map(|event| match &mut event.fact {
            Fact::Statement(statement) => Some(&mut statement.said_at),
            _ => None,
        })
        .collect();
    let mut moments: Vec<Instant> = said.iter().map(|said_at| **said_at).collect();
    moments.sort();
    for (said_at, moment) in said.iter_mut().zip(moments) {
        **said_at = moment;
    }
    projection_of(&Deal::replay(&events))
}
