//! The one thread that writes.
//!
//! A group: all appends that wait, checked in order, each seeing the ones before it; one batch; one sync; then all
//! answers. Nobody is answered before the group is durable, not even who lost a race within it: the winner's events
//! cannot be read before.
//!
//! Projections are written behind the answers, and are made durable by whatever is next.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::Span;

use crate::store::Error;
use crate::store::Revision;
use crate::store::embedded::engine::Engine;
use crate::store::embedded::frames;
use crate::store::embedded::garbage;
use crate::store::embedded::keys;
use crate::store::embedded::tidy::Pace;
use crate::store::embedded::watermark::Watermark;
use crate::store::groups;
use crate::store::groups::Entry;
use crate::store::queue::Answers;
use crate::store::queue::Append;
use crate::store::queue::Queue;
use crate::store::queue::Work;

/// Deals whose revision is remembered. Beyond it all are forgotten and read again as needed, a few microseconds each.
const HEADS_MAX: usize = 100_000;

pub struct Writer {
    engine: Arc<Engine>,
    queue: Arc<Queue>,
    watermark: Watermark,
    /// Revisions by the prefix of the deal's keys, with what this thread wrote last.
    heads: HashMap<Vec<u8>, Revision>,
    /// The sequence of the newest change.
    last: u64,
    /// There where sled's log is kept short.
    pace: Option<Pace>,
}

#[derive(Default)]
struct Draft {
    batch: sled::Batch,
    entries: Vec<Entry>,
    event_bytes: u64,
}

impl Writer {
    pub fn new(
        engine: Arc<Engine>,
        queue: Arc<Queue>,
        watermark: Watermark,
        is_tidy: bool,
    ) -> Writer {
        let last = engine.durable();
        Writer {
            engine,
            queue,
            watermark,
            heads: HashMap::new(),
            last,
            pace: is_tidy.then(Pace::default),
        }
    }

    /// Works until the queue is closed and empty, then makes all durable.
    pub fn run(&mut self) {
        loop {
            match self.queue.take() {
                Work::Group(group) => {
                    let appends = group.len() as f64;
                    let records = group.iter().map(|append| append.events.len()).sum();
                    self.engine.metrics().group_appends.observe(appends);
                    let answers = self.write(group);
                    self.queue.answer(&answers);
                    garbage::collect(records);
                }
                Work::Projections(lot) => {
                    if self.refusal().is_none() {
                        // A failure is kept as the fault; there is no caller to tell.
                        let _ = self.engine.write_projections(&lot);
                    }
                    self.queue.written(&lot);
                    garbage::collect(lot.len());
                }
                Work::End => break,
            }
        }
        if self.fault().is_none() {
            let _ = self.engine.flush_all();
            let _ = self.watermark.sync();
        }
    }

    /// Makes the group durable; answers what is to be told.
    fn write(&mut self, group: Vec<Append>) -> Answers {
        let answers = Answers::default();
        if let Some(refused) = self.refusal() {
            for append in group {
                answers.add(append.reply, Err(refused.clone()));
            }
            return answers;
        }

        let syncs = syncs(&group);
        let mut draft = Draft::default();
        let mut outcomes = Vec::with_capacity(group.len());
        for append in group {
            let outcome = self.draft(&mut draft, &append);
            outcomes.push((append.reply, outcome));
        }

        // A read may have failed badly while drafting: then nothing of the group is written.
        let failed = match self.fault() {
            Some(fault) => Some(fault),
            None => self.commit(draft).err().map(Error::Unknown),
        };
        drop(syncs);
        for (reply, outcome) in outcomes {
            match (outcome, &failed) {
                (Ok(_), Some(failed)) => answers.add(reply, Err(failed.clone())),
                (outcome, _) => answers.add(reply, outcome),
            }
        }
        answers
    }

    fn refusal(&self) -> Option<Error> {
        self.fault().or_else(|| self.engine.room().err())
    }

    fn fault(&self) -> Option<Error> {
        let fault = self.engine.fault().get()?;
        Some(Error::Fault(fault.clone()))
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
            draft.event_bytes += event.len() as u64;
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
        self.engine.revision(&append.deal)
    }

    fn commit(&mut self, mut draft: Draft) -> Result<(), String> {
        if draft.entries.is_empty() {
            return Ok(());
        }
        let first = self.last + 1;
        let last = self.last + draft.entries.len() as u64;
        let changes = groups::encode(&draft.entries);
        frames::put(&mut draft.batch, &keys::changes(first), first, &changes);

        let heads = draft.entries.iter();
        let heads = heads.map(|entry| (keys::deal(&entry.deal), entry.revision));
        // Before anybody hears yes: a disk that fails right after a sync may not have done it. ext4 answers a sync well that is
        // cut short by the file system turning read-only (seen once in four runs of `failing_disk.py`).
        let mark = || {
            let marked = self.watermark.write(last);
            marked.map_err(|error| format!("the watermark cannot be written: {error}"))
        };
        self.engine
            .commit(draft.batch, last, heads, draft.event_bytes, mark)?;
        self.last = last;
        if let Some(pace) = &mut self.pace {
            pace.wrote(draft.event_bytes, || self.engine.log_bytes());
        }
        if HEADS_MAX < self.heads.len() {
            self.heads.clear();
        }
        Ok(())
    }
}

/// A span for each append of the group, within its caller's: all were made durable by one sync.
fn syncs(group: &[Append]) -> Vec<Span> {
    // Signed, since that is the whole number that OpenTelemetry has.
    let size = group.len() as i64;
    let told = group.iter().filter(|append| !append.span.is_disabled());
    told.map(|append| {
        append.span.record("group.appends", size);
        tracing::debug_span!(parent: &append.span, "sync", group.appends = size)
    })
    .collect()
}
