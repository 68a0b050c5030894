//! One stream of writes: items are taken in order and answered in order; in between deals go side by side.
//!
//! What always holds:
//!
//! 1. Items of one deal are written in their order; one task at a time writes for a deal.
//! 2. Items that wait for that task share its next append.
//! 3. A group waits for its commit and is written as one, in the deal's order at its commit.
//! 4. Once an item of a group is refused, all of the group are, at once: a group that cannot be does not pile up.
//! 5. What was begun goes on to its end when the stream is dropped.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::app::Error;
use crate::app::ingest::entry::Entry;
use crate::app::ingest::job;
use crate::app::ingest::job::Done;
use crate::app::ingest::job::Job;
use crate::app::write::Written;
use crate::domain::text::Id;
use crate::store::DealKey;
use crate::store::EVENTS_MAX;
use crate::telemetry::traces::current;
use crate::wire::reading::Violations;

/// Items read and not yet answered, while nobody else calls. Measured: 15 % more a second than with 128.
pub const WINDOW_ALONE: usize = 256;

/// The same while others call: what is on its way in holds up their calls, and no one waits for a stream. Measured: with
/// 128 the slowest of a hundred calls takes half as long again.
pub const WINDOW_SHARED: usize = 16;

/// An item of the stream.
#[derive(Debug)]
pub struct Item {
    /// The caller's mark.
    pub tag: Box<str>,
    /// What is wrong with an item concerns it alone.
    pub step: Result<Step, Violations>,
}

/// What an item asks for.
#[derive(Debug)]
pub enum Step {
    Write(Entry),
    Begin(DealKey),
    Commit,
}

/// The answer to an item.
#[derive(Debug)]
pub struct Answer {
    pub tag: Box<str>,
    /// The item's place in the stream, from 1.
    pub sequence: u64,
    pub statement_id: Option<Id>,
    pub outcome: Result<Written, Refused>,
}

/// Why nothing was recorded for an item.
#[derive(Debug)]
pub enum Refused {
    Unreadable(Violations),
    Decided(Error),
    /// Nothing is wrong with it, but with the item of that mark in its group.
    WithGroup {
        because: Box<str>,
    },
    /// Its group was not committed.
    NotCommitted,
}

/// A stream under way.
pub struct Intake {
    app: Arc<App>,
    /// Not yet answered, in order.
    slots: VecDeque<Slot>,
    /// The place of the first of them.
    first: u64,
    deals: HashMap<DealKey, VecDeque<Job>>,
    running: FuturesUnordered<JoinHandle<Done>>,
    group: Option<Group>,
}

struct Slot {
    tag: Box<str>,
    statement_id: Option<Id>,
    outcome: Option<Result<Written, Refused>>,
}

/// A group that is not committed.
struct Group {
    deal: DealKey,
    begun: u64,
    places: Vec<u64>,
    entries: Vec<Entry>,
    events: usize,
    /// The mark of the item that keeps it from being recorded.
    because: Option<Box<str>>,
}

impl Intake {
    pub fn new(app: Arc<App>) -> Intake {
        Intake {
            app,
            slots: VecDeque::new(),
            first: 1,
            deals: HashMap::new(),
            running: FuturesUnordered::new(),
            group: None,
        }
    }

    /// Whether another item may be taken, when so many may wait for their answers.
    ///
    /// Those of a group that is not committed are not among the many.
    pub fn has_room(&self, window: usize) -> bool {
        // An open group is bounded by its events, and only its commit can free the window.
        let gathers = self
            .group
            .as_ref()
            .is_some_and(|group| group.because.is_none());
        gathers || self.slots.len() < window
    }

    /// Whether everything taken was answered.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes the next item.
    pub fn take(&mut self, item: Item) {
        let place = self.first + self.slots.len() as u64;
        let Item { tag, step } = item;
        self.slots.push_back(Slot {
            tag,
            statement_id: None,
            outcome: None,
        });
        match step {
            Err(violations) => self.refuse(place, violations),
            Ok(Step::Write(entry)) => {
                self.slot(place).statement_id = entry.statement_id();
                self.write(place, entry);
            }
            Ok(Step::Begin(_)) if self.group.is_some() => {
                let allowed = "must not come within a group";
                self.refuse(place, Violations::one("begin_group", allowed));
            }
            Ok(Step::Begin(deal)) => {
                self.group = Some(Group {
                    deal,
                    begun: place,
                    places: Vec::new(),
                    entries: Vec::new(),
                    events: 0,
                    because: None,
                });
            }
            Ok(Step::Commit) => self.commit(place),
        }
    }

    /// No more items will come: a group that is not committed is not recorded.
    pub fn end(&mut self) {
        let Some(group) = self.group.take() else {
            return;
        };
        if group.because.is_none() {
            for place in [group.begun].into_iter().chain(group.places) {
                self.settle(place, Err(Refused::NotCommitted));
            }
        }
    }

    /// The next answer, if the item whose turn it is has been decided.
    pub fn answer(&mut self) -> Option<Answer> {
        let outcome = self.slots.front_mut()?.outcome.take()?;
        let Slot {
            tag, statement_id, ..
        } = self.slots.pop_front()?;
        let sequence = self.first;
        self.first += 1;
        Some(Answer {
            tag,
            sequence,
            statement_id,
            outcome,
        })
    }

    /// Waits until something more was written. Pends for ever while nothing is.
    pub async fn written(&mut self) {
        let done = match self.running.next().await {
            Some(Ok(done)) => done,
            Some(Err(ended)) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down.
                Err(_) => return std::future::pending().await,
            },
            None => return std::future::pending().await,
        };
        for (place, outcome) in done.outcomes {
            self.settle(place, outcome);
        }
        self.go_on(&done.deal);
    }

    fn write(&mut self, place: u64, entry: Entry) {
        let Some(group) = &mut self.group else {
            let deal = entry.deal.clone();
            self.queue(deal, Job::One(place, entry));
            return;
        };
        if let Some(because) = &group.because {
            let because = because.clone();
            self.settle(place, Err(Refused::WithGroup { because }));
            return;
        }
        if entry.deal != group.deal {
            let allowed = format!("must be of the group's deal {}", group.deal.deal);
            self.refuse(place, Violations::one("", allowed));
            return;
        }
        group.events += entry.events_max();
        if EVENTS_MAX < group.events {
            let allowed = format!("must not make more than {EVENTS_MAX} events of its group");
            self.refuse(place, Violations::one("", allowed));
            return;
        }
        group.places.push(place);
        group.entries.push(entry);
    }

    fn commit(&mut self, place: u64) {
        let Some(group) = self.group.take() else {
            let allowed = "must come behind begin_group";
            self.refuse(place, Violations::one("commit_group", allowed));
            return;
        };
        if let Some(because) = group.because {
            self.settle(place, Err(Refused::WithGroup { because }));
            return;
        }
        let job = Job::Group {
            places: group.places,
            entries: group.entries,
            begun: group.begun,
            committed: place,
        };
        self.queue(group.deal, job);
    }

    /// Refuses an item, and with it the group that it is in.
    fn refuse(&mut self, place: u64, violations: Violations) {
        self.settle(place, Err(Refused::Unreadable(violations)));
        let tag = self.slot(place).tag.clone();
        let Some(group) = &mut self.group else {
            return;
        };
        if group.because.is_some() {
            return;
        }
        group.because = Some(tag.clone());
        group.entries.clear();
        let others = std::mem::take(&mut group.places);
        for other in [group.begun].into_iter().chain(others) {
            let because = tag.clone();
            self.settle(other, Err(Refused::WithGroup { because }));
        }
    }

    fn queue(&mut self, deal: DealKey, job: Job) {
        match self.deals.get_mut(&deal) {
            // A task writes for it, and goes on with what waits.
            Some(waiting) => waiting.push_back(job),
            None => {
                self.deals.insert(deal.clone(), VecDeque::from([job]));
                self.go_on(&deal);
            }
        }
    }

    /// Begins to write what waits for a deal, or forgets the deal.
    fn go_on(&mut self, deal: &DealKey) {
        let Some(waiting) = self.deals.get_mut(deal) else {
            return;
        };
        let app = Arc::clone(&self.app);
        let deal = deal.clone();
        let task = match waiting.pop_front() {
            None => {
                self.deals.remove(&deal);
                return;
            }
            Some(Job::Group {
                places,
                entries,
                begun,
                committed,
            }) => {
                let tags = places
                    .iter()
                    .map(|place| self.slots[(place - self.first) as usize].tag.clone());
                let tags: Vec<Box<str>> = tags.collect();
                tokio::spawn(current::carried(async move {
                    let outcomes =
                        job::write_group(&app, &deal, (begun, committed), &places, &tags, &entries);
                    let outcomes = outcomes.await;
                    Done { deal, outcomes }
                }))
            }
            Some(Job::One(place, entry)) => {
                let (places, entries) = job::together(place, entry, waiting);
                tokio::spawn(current::carried(async move {
                    let outcomes = app.write_each(&deal, &entries).await;
                    let outcomes = outcomes
                        .into_iter()
                        .map(|outcome| outcome.map_err(Refused::Decided));
                    let outcomes = places.into_iter().zip(outcomes).collect();
                    Done { deal, outcomes }
                }))
            }
        };
        self.running.push(task);
    }

    fn settle(&mut self, place: u64, outcome: Result<Written, Refused>) {
        self.slot(place).outcome = Some(outcome);
    }

    fn slot(&mut self, place: u64) -> &mut Slot {
        // An item keeps its slot until it is answered, and it is answered after it was settled.
        &mut self.slots[(place - self.first) as usize]
    }
}
