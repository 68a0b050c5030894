//! Decides whether what callers were answered can be explained by one order in which things were done.
//!
//! Pure: it knows what was asked, when, what was answered, and what is there in the end; nothing of a service.
//!
//! Every event is unlike all others and the history in the end names their order, so nothing has to be searched for as
//! a general checker of linearizability does: each step of a deal must lie between the moments that the calls leave it,
//! and a greedy choice of moments finds an order whenever there is one (`deal`). That is exact, takes one pass, and tells
//! which two answers contradict each other. `search` holds it against a search through all orders.

mod deal;
pub mod feed;
mod histories;
mod search;

use std::fmt;

pub use crate::checker::deal::check_deal;
pub use crate::checker::deal::check_scores;
pub use crate::checker::feed::Watched;
pub use crate::checker::feed::check_feed;
pub use crate::checker::feed::check_order;

/// A place in the order in which calls were seen to begin and end. No two are alike.
pub type Stamp = u64;

/// All that was asked about one deal, and answered.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub writes: Vec<Written>,
    pub seen: Vec<Seen>,
    pub told: Vec<Reached>,
}

/// A write, and each time that it was sent.
#[derive(Clone, Debug)]
pub struct Written {
    pub name: String,
    /// The events that it leaves, in order.
    pub marks: Vec<String>,
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub begun: Stamp,
    /// Only if the deal was at this revision.
    pub expected: Option<u64>,
    pub outcome: Outcome,
}

/// What became of an attempt, as far as its caller knows.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// It is there. `already`: whether it was there before; `None` where an answer does not tell.
    Done {
        ended: Stamp,
        revision: u64,
        already: Option<bool>,
    },
    /// This attempt did nothing.
    Refused,
    Unknown,
}

/// An answer that showed the deal at a revision.
#[derive(Clone, Debug)]
pub struct Seen {
    pub by: String,
    pub begun: Stamp,
    pub ended: Stamp,
    pub revision: u64,
    /// All events, where they were shown.
    pub marks: Option<Vec<String>>,
    /// The bits of the score, where it was.
    pub score: Option<u64>,
}

/// Word that the deal has come to a revision, and maybe further.
#[derive(Clone, Debug)]
pub struct Reached {
    pub by: String,
    pub at: Stamp,
    pub revision: u64,
}

/// One write that is there.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    /// What the deal came to by it.
    pub revision: u64,
    /// When it was done, as far as its own calls tell.
    pub written: Between,
    /// When readers of the deal came to see it, as far as all calls about the deal tell.
    pub seen: Between,
}

/// Neither before the one moment nor after the other.
#[derive(Clone, Debug)]
pub struct Between {
    pub not_before: Bound,
    pub not_after: Bound,
}

/// A moment, and the call that sets it.
#[derive(Clone, Debug)]
pub struct Bound {
    pub at: Stamp,
    pub by: String,
}

/// What no order explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Acknowledged, and not there.
    Lost,
    /// Half of a write is there, or was seen.
    Torn,
    /// There twice, or twice for the first time.
    Twice,
    /// There, and nobody wrote it.
    Foreign,
    /// Refused, and there.
    Refused,
    /// Shown, and not what is there.
    Contents,
    /// A revision that the deal never came to.
    Vanished,
    /// Recorded at another revision than the one that was expected.
    Expected,
    /// Calls that followed each other saw or did things in another order.
    Order,
    /// A score that is not that of the events.
    Score,
    /// An answer that nothing which was asked has earned.
    Answer,
    /// A watcher was not told a change.
    Skipped,
    /// A watcher was told a change again.
    Repeated,
    /// A watcher was told changes in another order.
    Disordered,
    /// A watcher was told what is not there.
    NeverThere,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}: {}", self.kind, self.what)
    }
}

impl Kind {
    fn fault(self, what: impl Into<String>) -> Fault {
        Fault {
            kind: self,
            what: what.into(),
        }
    }
}

/// Whether moments that never run backwards can be found for what happened, in this order.
///
/// Each is given the earliest moment that is left; if that is too late for it, every choice is.
fn check_moments<'a>(order: impl Iterator<Item = (&'a str, &'a Between)>) -> Result<(), Fault> {
    let mut latest: Option<(&str, &Bound)> = None;
    for (name, between) in order {
        let Between {
            not_before,
            not_after,
        } = between;
        let (last, bound) = match latest {
            Some((last, bound)) if not_before.at <= bound.at => (last, bound),
            _ => (name, not_before),
        };
        latest = Some((last, bound));
        if not_after.at < bound.at {
            return Err(Kind::Order.fault(format!(
                "{name} was done by {} ({}), and {last}, which comes no later, only after {} ({})",
                not_after.at, not_after.by, bound.at, bound.by,
            )));
        }
    }
    Ok(())
}
