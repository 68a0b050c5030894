//! The thread that makes groups durable and answers them.
//!
//! 1. No answer leaves before everything applied ahead of it is durable.
//! 2. Groups are sealed in the order they were applied, those that wait together by one sync.
//! 3. After a seal failed, every group that was applied has an unknown outcome.
//!
//! It is a thread of its own so that the next group is drafted and applied while the disk works. The channel holds
//! one group: with more, what waits would be in many small groups instead of a large one.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use crate::store::Error;
use crate::store::Revision;
use crate::store::embedded::engine::Engine;
use crate::store::embedded::watermark::Watermark;

/// Groups that may wait to be sealed, beside the one that is.
pub const WAITING_MAX: usize = 1;

/// A group that was applied, with what its callers are to be told once it is durable.
pub struct Applied {
    pub answers: Vec<Answer>,
    /// The newest change sequence that was applied, with this group or before.
    pub last: u64,
}

pub type Answer = (
    oneshot::Sender<Result<Revision, Error>>,
    Result<Revision, Error>,
);

pub struct Sealer {
    engine: Arc<Engine>,
    applied: Receiver<Applied>,
    watermark: Watermark,
}

impl Sealer {
    pub fn new(engine: Arc<Engine>, applied: Receiver<Applied>, watermark: Watermark) -> Sealer {
        Sealer {
            engine,
            applied,
            watermark,
        }
    }

    /// Works until the writer is gone, then makes all durable, projections too.
    pub fn run(&mut self) {
        while let Ok(first) = self.applied.recv() {
            let mut answers = first.answers;
            let mut last = first.last;
            while let Ok(next) = self.applied.try_recv() {
                answers.extend(next.answers);
                last = next.last;
            }
            let failed = self.seal(last).err();
            for (reply, outcome) in answers {
                let outcome = match (outcome, &failed) {
                    (Ok(_), Some(problem)) => Err(Error::Unknown(problem.clone())),
                    (outcome, _) => outcome,
                };
                // Who stopped waiting does not hear; the append stands.
                let _ = reply.send(outcome);
            }
        }
        if self.engine.fault().get().is_none() {
            // A failure is kept as the fault; all that was acknowledged is durable already.
            let _ = self.engine.flush_all();
            let _ = self.watermark.sync();
        }
    }

    fn seal(&mut self, last: u64) -> Result<(), String> {
        if last == self.engine.durable() {
            return Ok(());
        }
        if let Some(problem) = self.engine.fault().get() {
            return Err(problem.clone());
        }
        self.engine.seal(last)?;
        if let Err(error) = self.watermark.write(last) {
            // The groups are durable, so their callers hear yes; but the next might be lost unseen.
            let problem = format!("the watermark cannot be written: {error}");
            self.engine.fault().get_or_init(|| problem);
        }
        Ok(())
    }
}
