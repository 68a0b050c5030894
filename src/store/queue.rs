//! What waits for the writer thread: appends, in order, and the newest projection of each deal.
//!
//! 1. At most `appends_max` appends wait; one more is refused at once, it never waits outside.
//! 2. A deal has at most one projection here, its newest, and at most `projections_max` deals have one.
//! 3. A projection stays until it is written, so that a reader who looks here first misses none.
//! 4. After `close` nothing is taken in, and what waits is still handed out; after `abandon` it is not.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::oneshot;
use tracing::Span;

use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;

/// Under load, one lot of projections is written after this many groups of appends.
const GROUPS_BETWEEN_PROJECTIONS: usize = 64;

/// Projections written at once, between two groups.
const PROJECTIONS_PER_LOT: usize = 128;

/// Appends in a group from which on its callers are waited for: below, there is too little company to gain by.
const LINGER_FROM: usize = 4;

/// How long the writer waits while nobody comes, and at most.
///
/// A group costs about 300 us whatever is in it, and callers in a loop would settle into two halves that take turns.
/// Measured with 64 of them: 80,000 appends a second instead of 57,000, and 770 us instead of 1,000 us each.
const LINGER_QUIET: Duration = Duration::from_micros(100);
const LINGER_MAX: Duration = Duration::from_micros(200);

/// An append that waits for its answer.
pub struct Append {
    pub deal: DealKey,
    pub expected: Revision,
    pub events: Vec<Vec<u8>>,
    pub reply: oneshot::Sender<Answer>,
    /// Of the caller: what the writer does for it is told there.
    pub span: Span,
}

/// What became of an append.
pub struct Answer {
    outcome: Result<Revision, Error>,
    /// With one answer of a group come the others.
    others: Option<Answers>,
}

/// The answers of a group that nobody has sent yet. Clones share them.
///
/// Waking a thread costs the writer a system call. So it answers one caller of a group, and that one answers the others,
/// who are mostly at home on its own thread. Whom it has not answered by then the writer answers after it has lingered:
/// nobody depends on how soon somebody else looks.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Vec<Due>>>);

type Due = (oneshot::Sender<Answer>, Result<Revision, Error>);

/// What the writer does next.
pub enum Work {
    Group(Vec<Append>),
    Projections(Vec<(DealKey, Arc<Projection>)>),
    /// Nothing waits and nothing will come.
    End,
}

/// How much waits, and how much is handed out at once.
pub struct Limits {
    pub appends_max: usize,
    pub projections_max: usize,
    pub group_appends_max: usize,
    pub group_bytes_max: usize,
}

pub struct Queue {
    limits: Limits,
    waiting: Mutex<Waiting>,
    work: Condvar,
}

#[derive(Default)]
struct Waiting {
    appends: VecDeque<Append>,
    projections: HashMap<DealKey, Arc<Projection>>,
    groups_since_projections: usize,
    closing: bool,
    // Whether the writer sleeps: waking it costs a system call, which a busy one need not be paid for.
    idle: bool,
}

impl Answer {
    /// Answers the others that came with it, and tells what became of the append.
    pub fn taken(self) -> Result<Revision, Error> {
        if let Some(others) = self.others {
            others.send();
        }
        self.outcome
    }
}

impl Answers {
    pub fn add(&self, reply: oneshot::Sender<Answer>, outcome: Result<Revision, Error>) {
        self.due().push((reply, outcome));
    }

    /// Answers one, who has the others with it.
    fn send_one(&self) {
        let one = self.due().pop();
        if let Some((reply, outcome)) = one {
            let others = Some(self.clone());
            // Who stopped waiting does not hear; the append stands.
            let _ = reply.send(Answer { outcome, others });
        }
    }

    /// Answers all whom nobody has answered.
    fn send(&self) {
        let due = std::mem::take(&mut *self.due());
        for (reply, outcome) in due {
            let others = None;
            let _ = reply.send(Answer { outcome, others });
        }
    }

    fn due(&self) -> MutexGuard<'_, Vec<Due>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    pub fn new(limits: Limits) -> Queue {
        Queue {
            limits,
            waiting: Mutex::default(),
            work: Condvar::new(),
        }
    }

    /// Takes an append in, or refuses it: [`Error::Closed`], [`Error::Busy`].
    pub fn push(&self, append: Append) -> Result<(), Error> {
        let mut waiting = self.waiting();
        if waiting.closing {
            return Err(Error::Closed);
        }
        if self.limits.appends_max <= waiting.appends.len() {
            return Err(Error::Busy {
                waiting: waiting.appends.len(),
            });
        }
        waiting.appends.push_back(append);
        self.wake(waiting);
        Ok(())
    }

    /// Takes a projection in, unless a newer one of its deal waits or too many do.
    pub fn keep(&self, deal: &DealKey, projection: Projection) {
        let mut waiting = self.waiting();
        if waiting.closing {
            return;
        }
        let full = self.limits.projections_max <= waiting.projections.len();
        match waiting.projections.get_mut(deal) {
            Some(waits) if projection.revision < waits.revision => return,
            Some(waits) => *waits = Arc::new(projection),
            None if full => return,
            None => {
                waiting
                    .projections
                    .insert(deal.clone(), Arc::new(projection));
            }
        }
        self.wake(waiting);
    }

    /// The projection of a deal that waits.
    pub fn projection(&self, deal: &DealKey) -> Option<Arc<Projection>> {
        self.waiting().projections.get(deal).cloned()
    }

    pub fn appends_waiting(&self) -> usize {
        self.waiting().appends.len()
    }

    /// Waits for work.
    pub fn take(&self) -> Work {
        let mut waiting = self.waiting();
        loop {
            let projections_due = !waiting.projections.is_empty()
                && (waiting.appends.is_empty()
                    || GROUPS_BETWEEN_PROJECTIONS <= waiting.groups_since_projections);
            if projections_due {
                waiting.groups_since_projections = 0;
                let lot = waiting.projections.iter().take(PROJECTIONS_PER_LOT);
                return Work::Projections(
                    lot.map(|(deal, projection)| (deal.clone(), Arc::clone(projection)))
                        .collect(),
                );
            }
            if !waiting.appends.is_empty() {
                waiting.groups_since_projections += 1;
                return Work::Group(self.group(&mut waiting.appends));
            }
            if waiting.closing {
                return Work::End;
            }
            waiting.idle = true;
            waiting = self
                .work
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
            waiting.idle = false;
        }
    }

    /// Answers a group, and waits a little for its callers to come back.
    pub fn answer(&self, answers: &Answers) {
        let answered = answers.due().len();
        answers.send_one();
        self.linger(answered);
        answers.send();
    }

    /// Gives callers that were just answered a moment to come back, so that their next appends join those that wait.
    ///
    /// Ends when as many came as were answered, when nobody came for a while, or when it took too long.
    fn linger(&self, answered: usize) {
        if answered < LINGER_FROM {
            return;
        }
        let started = Instant::now();
        let mut waiting = self.waiting().appends.len();
        let expected = (waiting + answered).min(self.limits.group_appends_max);
        let mut grown_at = started;
        while waiting < expected {
            thread::yield_now();
            let now = Instant::now();
            let grown = self.waiting().appends.len();
            if waiting < grown {
                waiting = grown;
                grown_at = now;
            }
            if LINGER_QUIET < now - grown_at || LINGER_MAX < now - started {
                return;
            }
        }
    }

    /// Forgets projections that were handed out, except those that were replaced since.
    pub fn written(&self, lot: &[(DealKey, Arc<Projection>)]) {
        let mut waiting = self.waiting();
        for (deal, written) in lot {
            if let Some(waits) = waiting.projections.get(deal)
                && Arc::ptr_eq(waits, written)
            {
                waiting.projections.remove(deal);
            }
        }
    }

    /// Takes nothing in from now on.
    pub fn close(&self) {
        self.waiting().closing = true;
        self.work.notify_all();
    }

    /// Takes nothing in from now on and forgets what waits. The outcome of those appends is unknown to their callers.
    pub fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.closing = true;
        waiting.projections.clear();
        let appends = std::mem::take(&mut waiting.appends);
        drop(waiting);
        self.work.notify_all();
        drop(appends);
    }

    // As many as wait, within the limits: under load the next group forms while this one is written.
    fn group(&self, appends: &mut VecDeque<Append>) -> Vec<Append> {
        let mut bytes = 0;
        let mut count = 0;
        for append in appends.iter().take(self.limits.group_appends_max) {
            bytes += append.events.iter().map(Vec::len).sum::<usize>();
            if 0 < count && self.limits.group_bytes_max < bytes {
                break;
            }
            count += 1;
        }
        appends.drain(..count).collect()
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let idle = std::mem::take(&mut waiting.idle);
        drop(waiting);
        if idle {
            self.work.notify_one();
        }
    }

    // No step above can panic between two halves of a change, so a poisoned lock guards whole values.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Waiting = Vec<oneshot::Receiver<Answer>>;

    fn group_of(callers: u64) -> (Answers, Waiting) {
        let others = Answers::default();
        let waiting = (1..=callers).map(|revision| {
            let (reply, answer) = oneshot::channel();
            others.add(reply, Ok(revision));
            answer
        });
        let waiting = waiting.collect();
        (others, waiting)
    }

    fn heard(answer: &mut oneshot::Receiver<Answer>) -> Option<Revision> {
        answer.try_recv().ok()?.taken().ok()
    }

    #[test]
    fn who_is_answered_first_answers_the_others() {
        let (others, mut waiting) = group_of(3);
        others.send_one();
        let first = waiting[2].try_recv().ok().unwrap();
        assert_eq!(heard(&mut waiting[0]), None);
        assert_eq!(first.taken(), Ok(3));
        assert_eq!(heard(&mut waiting[0]), Some(1));
        assert_eq!(heard(&mut waiting[1]), Some(2));
    }

    #[test]
    fn all_are_answered_whoever_is_gone_or_does_not_look() {
        let (others, mut waiting) = group_of(3);
        others.send_one();
        others.send();
        for (place, answer) in waiting.iter_mut().enumerate() {
            assert_eq!(heard(answer), Some(place as u64 + 1));
        }

        let (others, mut waiting) = group_of(3);
        drop(waiting.split_off(1));
        others.send_one();
        others.send();
        assert_eq!(heard(&mut waiting[0]), Some(1));
    }
}
