//! What waits for the writer thread: appends, in order, and the newest projection of each deal.
//!
//! 1. At most `appends_max` appends wait; one more is refused at once, it never waits outside.
//! 2. A deal has at most one projection here, its newest, and at most `projections_max` deals have one.
//! 3. Projections are behind appends: they are handed out when no append has come for a while, or after many groups.
//! 4. A projection stays until it is written, so that a reader who looks here first misses none.
//! 5. After `close` nothing is taken in, and what waits is still handed out; after `abandon` it is not.

mod answers;

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
pub use crate::store::queue::answers::Answer;
pub use crate::store::queue::answers::Answers;

/// Under load, one lot of projections is written after this many groups of appends.
const GROUPS_BETWEEN_PROJECTIONS: usize = 64;

/// Projections written at once, between two groups.
const PROJECTIONS_PER_LOT: usize = 128;

/// How long no append has come before projections are written while more may come.
///
/// A guess: longer than callers in a loop take to come back over a network, so that a lot, which holds up whoever comes
/// meanwhile, is not written between each two of their appends. Written later, one projection stands for many appends.
pub const QUIET: Duration = Duration::from_millis(20);

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
    /// How long no append has come before projections are handed out. Default: [`QUIET`].
    pub quiet: Duration,
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
    // Whether no append has come for a while.
    is_quiet: bool,
    closing: bool,
    // Whether the writer sleeps: waking it costs a system call, which a busy one need not be paid for.
    idle: bool,
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
        waiting.is_quiet = false;
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
            if waiting.are_projections_due() {
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
            waiting = self.wait(waiting);
        }
    }

    /// Waits for whatever comes, and no longer than it has to be quiet for the projections that wait.
    fn wait<'a>(&'a self, mut waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        waiting.idle = true;
        let mut waiting = match waiting.projections.is_empty() {
            true => {
                let woken = self.work.wait(waiting);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
            false => {
                let woken = self.work.wait_timeout(waiting, self.limits.quiet);
                let (mut waiting, waited) = woken.unwrap_or_else(PoisonError::into_inner);
                waiting.is_quiet = waited.timed_out();
                waiting
            }
        };
        waiting.idle = false;
        waiting
    }

    /// Answers a group, and waits a little for its callers to come back.
    pub fn answer(&self, answers: &Answers) {
        let answered = answers.len();
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

impl Waiting {
    fn are_projections_due(&self) -> bool {
        let is_their_turn = GROUPS_BETWEEN_PROJECTIONS <= self.groups_since_projections;
        let is_nothing_else = self.appends.is_empty() && (self.is_quiet || self.closing);
        !self.projections.is_empty() && (is_their_turn || is_nothing_else)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(quiet: Duration) -> Queue {
        Queue::new(Limits {
            appends_max: 1_000,
            projections_max: 10,
            group_appends_max: 1,
            group_bytes_max: 1_000,
            quiet,
        })
    }

    fn deal() -> DealKey {
        DealKey {
            tenant: "default".into(),
            deal: "opp-1".into(),
        }
    }

    fn push(queue: &Queue) {
        let append = Append {
            deal: deal(),
            expected: 0,
            events: vec![vec![0]],
            reply: oneshot::channel().0,
            span: Span::none(),
        };
        queue.push(append).unwrap();
    }

    fn keep(queue: &Queue) {
        let projection = Projection {
            revision: 1,
            bytes: vec![0],
        };
        queue.keep(&deal(), projection);
    }

    /// What the queue hands out next.
    fn next(queue: &Queue) -> &'static str {
        match queue.take() {
            Work::Group(_) => "group",
            Work::Projections(lot) => {
                queue.written(&lot);
                "projections"
            }
            Work::End => "end",
        }
    }

    #[test]
    fn projections_wait_while_appends_may_come_and_are_written_before_the_end() {
        let queue = queue(Duration::MAX);
        push(&queue);
        keep(&queue);
        assert_eq!(next(&queue), "group");
        thread::scope(|scope| {
            let taken = scope.spawn(|| next(&queue));
            push(&queue);
            assert_eq!(taken.join().unwrap(), "group");
        });
        queue.close();
        assert_eq!([next(&queue), next(&queue)], ["projections", "end"]);
    }

    #[test]
    fn projections_are_written_when_nothing_comes() {
        let queue = queue(Duration::from_millis(1));
        keep(&queue);
        assert_eq!(next(&queue), "projections");
        push(&queue);
        keep(&queue);
        assert_eq!([next(&queue), next(&queue)], ["group", "projections"]);
    }

    #[test]
    fn projections_have_their_turn_under_a_load_that_never_ends() {
        let queue = queue(Duration::MAX);
        keep(&queue);
        for _ in 0..GROUPS_BETWEEN_PROJECTIONS {
            push(&queue);
            push(&queue);
            assert_eq!(next(&queue), "group");
        }
        assert_eq!([next(&queue), next(&queue)], ["projections", "group"]);
    }
}
