//! The answers of a group of appends, and who sends them.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tokio::sync::oneshot;

use crate::store::Error;
use crate::store::Revision;

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
    pub fn send_one(&self) {
        let one = self.due().pop();
        if let Some((reply, outcome)) = one {
            let others = Some(self.clone());
            // Who stopped waiting does not hear; the append stands.
            let _ = reply.send(Answer { outcome, others });
        }
    }

    /// Answers all whom nobody has answered.
    pub fn send(&self) {
        let due = std::mem::take(&mut *self.due());
        for (reply, outcome) in due {
            let others = None;
            let _ = reply.send(Answer { outcome, others });
        }
    }

    /// How many nobody has answered.
    pub fn len(&self) -> usize {
        self.due().len()
    }

    fn due(&self) -> MutexGuard<'_, Vec<Due>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
