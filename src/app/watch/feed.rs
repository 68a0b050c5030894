//! What is worked out once for all watchers: one task walks behind the writers and tells whoever listens.
//!
//! A writer only leaves word that there is something new; it never waits for the feed, and the feed never for a watcher.
//! The task begins with the first watcher and ends after the last one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast;
use tokio::sync::watch;

use crate::app::App;
use crate::app::watch::course::Course;
use crate::app::watch::course::Lot;
use crate::app::watch::course::Place;
use crate::app::watch::course::Swept;
use crate::store::Error;

/// Lots that a watcher may be behind the feed before it is cut off. They are kept once, for all watchers together.
pub const LOTS_BEHIND_MAX: usize = 256;

/// After a lot was told, the feed gathers for so long before it tells the next: a thousand watchers are then
/// woken 40 times a second, and not for every write.
const GATHERING: Duration = Duration::from_millis(25);

/// How often the feed looks by itself: for what other processes wrote, and for midnight.
const LOOKING: Duration = Duration::from_secs(1);

/// Watchers that work out what they missed, at the same time: others wait for their turn, so that a crowd that comes back
/// leaves the machine to the writers.
const CATCHING_UP_MAX: usize = 2;

/// What the feed tells: a lot, or why it ended.
pub type News = Result<Arc<Lot>, Error>;

/// The feeds, one a tenant, while anybody watches.
pub struct Feeds {
    running: Mutex<HashMap<Box<str>, broadcast::Sender<News>>>,
    /// Marked after each append.
    changed: watch::Sender<()>,
    /// Set once, at the end of the service.
    closing: watch::Sender<bool>,
    pub catching_up: Semaphore,
}

impl Feeds {
    pub fn new() -> Feeds {
        Feeds {
            running: Mutex::default(),
            changed: watch::Sender::new(()),
            closing: watch::Sender::new(false),
            catching_up: Semaphore::new(CATCHING_UP_MAX),
        }
    }

    /// Those who listen now.
    pub fn watchers(&self) -> usize {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .values()
            .map(broadcast::Sender::receiver_count)
            .sum()
    }

    /// Lots that the slowest of them has not taken yet.
    pub fn lag_lots(&self) -> usize {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = running.values().map(broadcast::Sender::len);
        behind.max().unwrap_or_default()
    }

    /// Leaves word that something became durable.
    pub fn changed(&self) {
        self.changed.send_replace(());
    }

    /// Ends all streams, and those that begin later.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Set when streams are to end.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    // No step below can panic between two halves of a change, so a poisoned lock guards whole values.
    fn running(&self) -> MutexGuard<'_, HashMap<Box<str>, broadcast::Sender<News>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Where the order ends now.
    pub(super) async fn newest_place(&self) -> Result<Place, Error> {
        // The day first: a change of the next day that comes between is then ahead, and its sweep with it.
        let day = self.now().date();
        Ok(Place {
            sequence: self.newest_change().await?,
            day,
            swept: Swept::Whole,
        })
    }

    /// The sequence of the newest change.
    pub(super) async fn newest_change(&self) -> Result<u64, Error> {
        self.store.newest_sequence().await
    }

    /// Whether there is a change of that sequence.
    pub(super) async fn is_there(&self, sequence: u64) -> Result<bool, Error> {
        Ok(!self.store.changes(sequence - 1, 1).await?.is_empty())
    }

    /// Those who watch a tenant's deals now.
    pub fn watchers(&self, tenant: &str) -> usize {
        let running = self.feeds.running();
        running
            .get(tenant)
            .map_or(0, broadcast::Sender::receiver_count)
    }

    /// Listens to the feed from now on, and begins it if nobody listened before.
    pub(super) async fn listen(
        self: &Arc<Self>,
        tenant: &str,
    ) -> Result<broadcast::Receiver<News>, Error> {
        // Before the caller goes on to catch up: so between what it finds and what the feed tells nothing is missing.
        let start = self.newest_place().await?;
        let mut running = self.feeds.running();
        match running.entry(tenant.into()) {
            Entry::Occupied(feed) => Ok(feed.get().subscribe()),
            Entry::Vacant(vacant) => {
                let (sender, receiver) = broadcast::channel(LOTS_BEHIND_MAX);
                vacant.insert(sender.clone());
                let course = Course::new(Arc::clone(self), tenant, start);
                let changed = self.feeds.changed.subscribe();
                tokio::spawn(feed(
                    Arc::clone(self),
                    tenant.into(),
                    course,
                    changed,
                    sender,
                ));
                Ok(receiver)
            }
        }
    }
}

/// Tells lot after lot until nobody listens, the service ends, or the store cannot be read.
async fn feed(
    app: Arc<App>,
    tenant: Box<str>,
    mut course: Course,
    mut changed: watch::Receiver<()>,
    sender: broadcast::Sender<News>,
) {
    let mut closing = app.feeds.closing();
    while !*closing.borrow() {
        // Before looking, so that what comes while looking is not missed.
        changed.mark_unchanged();
        let told = match course.next().await {
            Ok(lot) => lot.map(|lot| Ok(Arc::new(lot))),
            Err(error) => Some(Err(error)),
        };
        let failed = matches!(told, Some(Err(_)));
        let rests = told.is_none();
        // An error means that nobody listens, which is looked at next.
        let _ = told.map(|told| sender.send(told));
        if is_left(&app, &tenant, &sender) {
            return;
        }
        if failed {
            break;
        }
        if rests {
            let gathered = async {
                tokio::time::sleep(GATHERING).await;
                // An error means that the app is gone, and with it the watchers.
                let _ = changed.changed().await;
            };
            tokio::select! {
                () = gathered => {}
                () = tokio::time::sleep(LOOKING) => {}
                _ = closing.changed() => {}
            }
        }
    }
    app.feeds.running().remove(&tenant);
}

/// Whether nobody listens any more; then the feed is taken off the list at once, so that nobody begins to.
fn is_left(app: &App, tenant: &str, sender: &broadcast::Sender<News>) -> bool {
    let mut running = app.feeds.running();
    if 0 < sender.receiver_count() {
        return false;
    }
    running.remove(tenant);
    true
}
