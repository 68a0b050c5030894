//! The one thread that writes to sled.
//!
//! A group: all appends that wait, checked in order, each seeing the ones before it, in one batch. What is applied
//! goes to the `sealer`, which makes it durable and answers, while this thread drafts the next group. Nobody is
//! answered from here, not even who lost a race: the winner's events cannot be read before they are durable.
//!
//! Projections are written in between, and are made durable by whatever is sealed next.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::store::Error;
use crate::store::Revision;
use crate::store::embedded::engine::Engine;
use crate::store::embedded::frames;
use crate::store::embedded::groups;
use crate::store::embedded::groups::Entry;
use crate::store::embedded::keys;
use crate::store::embedded::queue::Append;
use crate::store::embedded::queue::Queue;
use crate::store::embedded::queue::Work;
use crate::store::embedded::reads;
use crate::store::embedded::sealer::Applied;

/// Deals whose revision is remembered. Beyond it all are forgotten and read again as needed, a few microseconds each.
const HEADS_MAX: usize = 100_000;

pub struct Writer {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    sealer: SyncSender<Applied>,
    /// Revisions by the prefix of the deal's keys, with what this thread wrote last.
    heads: HashMap<Vec<u8>, Revision>,
    /// The sequence of the newest change that was applied.
    last: u64,
}

#[derive(Default)]
struct Draft {
    batch: sled::Batch,
    entries: Vec<Entry>,
}

impl Writer {
    pub fn new(engine: Arc<Engine>, queue: Arc<Queue>, sealer: SyncSender<Applied>) -> Writer {
        let last = engine.durable();
        Writer {
            engine,
            queue,
            sealer,
            heads: HashMap::new(),
            last,
        }
    }

    /// Works until the queue is closed and empty.
    pub fn run(&mut self) {
        loop {
            match self.queue.take() {
                Work::Group(group) => {
                    let applied = self.apply(group);
                    if self.sealer.send(applied).is_err() {
                        return;
                    }
                }
                Work::Projections(lot) => {
                    if self.refusal().is_none() {
                        // A failure is kept as the fault; there is no caller to tell.
                        let _ = self.engine.write_projections(&lot);
                    }
                    self.queue.written(&lot);
                }
                Work::End => return,
            }
        }
    }

    fn apply(&mut self, group: Vec<Append>) -> Applied {
        let mut draft = Draft::default();
        let mut answers = Vec::with_capacity(group.len());
        let refusal = self.refusal();
        for append in group {
            let outcome = match &refusal {
                Some(refusal) => Err(refusal.clone()),
                None => self.draft(&mut draft, &append),
            };
            answers.push((append.reply, outcome));
        }
        if draft.entries.is_empty() {
            return Applied {
                answers,
                last: self.last,
            };
        }

        // A read may have failed badly while drafting: then nothing of the group is written.
        let failed = match self.fault() {
            Some(fault) => Some(fault),
            None => self.write(draft).err().map(Error::Unknown),
        };
        if let Some(failed) = failed {
            for (_, outcome) in &mut answers {
                if outcome.is_ok() {
                    *outcome = Err(failed.clone());
                }
            }
        }
        Applied {
            answers,
            last: self.last,
        }
    }

    fn draft(&mut self, draft: &mut Draft, append: &Append) -> Result<Revision, Error> {
        let deal = keys::deal(&append.deal);
        let actual = self.head(&deal, append)?;
        if actual != append.expected {
            return Err(Error::Conflict {
                expected: append.expected,
                actual,
            });
        }

        let sequence = self.last + draft.entries.len() as u64 + 1;
        let mut revision = actual;
        for event in &append.events {
            revision += 1;
            let key = keys::event(&deal, revision);
            frames::put(&mut draft.batch, &key, sequence, event);
        }
        let events = u32::try_from(append.events.len()).expect("check_append lets 1000 through");
        draft.entries.push(Entry {
            deal: append.deal.clone(),
            revision,
            events,
        });
        // Ahead of the disk: should the group fail, nothing is ever written again.
        self.heads.insert(deal, revision);
        Ok(revision)
    }

    fn head(&mut self, deal: &[u8], append: &Append) -> Result<Revision, Error> {
        if let Some(head) = self.heads.get(deal) {
            return Ok(*head);
        }
        self.engine.read(
            || keys::place_of(&append.deal),
            |facts| reads::revision(facts, deal, self.last),
        )
    }

    fn write(&mut self, mut draft: Draft) -> Result<(), String> {
        let first = self.last + 1;
        let changes = groups::encode(&draft.entries);
        frames::put(&mut draft.batch, &keys::changes(first), first, &changes);
        self.engine.apply(draft.batch)?;

        self.last += draft.entries.len() as u64;
        if HEADS_MAX < self.heads.len() {
            self.heads.clear();
        }
        Ok(())
    }

    fn refusal(&self) -> Option<Error> {
        self.fault().or_else(|| self.engine.room().err())
    }

    fn fault(&self) -> Option<Error> {
        let fault = self.engine.fault().get()?;
        Some(Error::Fault(fault.clone()))
    }
}
