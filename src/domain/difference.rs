//! Why the score of a deal differs between two moments, each as seen with what was known at some time.
//!
//! The way from the earlier to the later is walked in two parts: first what was known is brought from the one to the
//! other, at the earlier moment (**learned later**: told since, of before); then time is walked with what was known at the
//! later. Both are steps of `walk`, so the changes add up to the difference, line by line, to within 1e-9.
//!
//! Asked for the other way round, the same way is walked and every change has the other sign.

use crate::domain::amendment;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::ledger::Ledger;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::scale::Gate;
use crate::domain::score;
use crate::domain::statement::Statement;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::domain::walk::Change;
use crate::domain::walk::LearnedLater;
use crate::domain::walk::Quotes;
use crate::domain::walk::Walk;

/// The most entries of a history that may lie between two ends: what one answer holds, and some milliseconds' work.
pub const ENTRIES_MAX: usize = 1_000;

/// A deal as of one moment, of what was known at one; in the order of the first, then of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub as_of: Instant,
    /// [`Instant::MAX`]: everything that is known.
    pub known_at: Instant,
}

/// The history of a deal, sorted out by what lies before two moments and what lies between them.
#[derive(Debug)]
pub struct Between {
    from: Seen,
    to: Seen,
    /// Held at the earlier moment, and known at both ends.
    base: Deal,
    /// Held at the earlier moment, and known at one end only.
    learned: Vec<(Instant, Event)>,
    /// Came to hold between the moments, and known at the later one.
    since: Vec<(Instant, Event)>,
    entries: usize,
    quotes: Quotes,
}

/// The difference of two scores of one deal.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub from: End,
    pub to: End,
    /// What the lines of the later less those of the earlier come to.
    pub ledger: Ledger,
    /// Those that move the most points come first; of equal ones the earlier.
    pub changes: Vec<Change>,
}

/// One end of a difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    pub seen: Seen,
    pub ledger: Ledger,
    /// The gate that lowers the score, if one does.
    pub binding: Option<Gate>,
}

impl Between {
    pub fn new(from: Seen, to: Seen) -> Between {
        Between {
            from,
            to,
            base: Deal::default(),
            learned: Vec::new(),
            since: Vec::new(),
            entries: 0,
            quotes: Quotes::default(),
        }
    }

    /// Sorts in the next event of the history. More than [`ENTRIES_MAX`] between the ends are counted and not kept.
    pub fn take(&mut self, event: Event) {
        let (first, last) = self.in_order();
        let known = event.recorded_at;
        let both = first.known_at.min(last.known_at);
        let either = first.known_at.max(last.known_at);
        if either < known {
            return;
        }
        if let Some(statement) = amendment::amended(&event.fact) {
            let statement = statement.clone();
            return self.amend(event, &statement);
        }
        let at = event.effective_at();
        if at <= first.as_of && known <= both {
            self.base.apply(&event);
        } else if at <= first.as_of {
            self.learn(event);
        } else if at <= last.as_of && known <= last.known_at {
            self.count();
            if self.entries <= ENTRIES_MAX {
                self.since.push((at, event));
            }
        }
    }

    /// Entries that lie between the ends.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The statements that are taken back or judged anew between the ends.
    pub fn amended(&self) -> Vec<Id> {
        amendment::all_amended(self.learned.iter().map(|(_, event)| event))
    }

    /// Has a statement that is amended at hand, to be cited.
    pub fn cite(&mut self, statement: Statement) {
        self.quotes.insert(statement.id.clone(), statement);
    }

    /// Walks from the one end to the other. To be asked with no more than [`ENTRIES_MAX`] entries.
    pub fn difference(mut self, model: &Model) -> Difference {
        let (first, last) = self.in_order();
        let is_forwards = self.from <= self.to;

        // Where more was known of the earlier moment than of the later, learning is walked backwards.
        let unlearned = (last.known_at < first.known_at).then(|| self.base.clone());
        let known_less = end(&self.base, model, first);
        let mut learning = Walk::new(self.base, model, first.as_of, &self.quotes);
        let mut changes: Vec<Change> = self
            .learned
            .iter()
            .filter_map(|(_, event)| learning.take(event, LearnedLater::Yes))
            .collect();
        let known_more = end(&learning.deal, model, first);
        let (start, deal, learning_aged) = match unlearned {
            None => (known_less, learning.deal, learning.aged),
            Some(base) => {
                negate(&mut changes);
                (known_more, base, -learning.aged)
            }
        };

        self.since.sort_by_key(|(at, event)| (*at, event.revision));
        let mut walk = Walk::new(deal, model, first.as_of, &self.quotes);
        walk.aged = learning_aged;
        walk.go(&self.since, last.as_of, |_, _, found| changes.extend(found));
        changes.extend(walk.ageing());
        let finish = end(&walk.deal, model, last);

        let (from, to) = match is_forwards {
            true => (start, finish),
            false => {
                negate(&mut changes);
                (finish, start)
            }
        };
        changes.sort_by(|one, other| {
            let size = |change: &Change| change.ledger.total.abs();
            let more_first = size(other).total_cmp(&size(one));
            more_first.then(one.at.cmp(&other.at))
        });
        Difference {
            from,
            to,
            ledger: to.ledger - from.ledger,
            changes,
        }
    }

    fn in_order(&self) -> (Seen, Seen) {
        (self.from.min(self.to), self.from.max(self.to))
    }

    fn amend(&mut self, event: Event, statement: &Id) {
        let (first, last) = self.in_order();
        if self.base.statement(statement).is_some() {
            // What is known at both ends is so at both; else somebody learned of it in between.
            if event.recorded_at <= first.known_at.min(last.known_at) {
                self.base.apply(&event);
            } else {
                self.learn(event);
            }
            return;
        }
        // Said and amended within what one end knows more than the other: neither counts it as it was.
        if event.recorded_at <= last.known_at {
            amendment::amend(&mut self.since, &event.fact, |_| false);
        }
        amendment::amend(&mut self.learned, &event.fact, |_| false);
    }

    fn learn(&mut self, event: Event) {
        self.count();
        if self.entries <= ENTRIES_MAX {
            self.learned.push((event.effective_at(), event));
        }
    }

    fn count(&mut self) {
        self.entries += 1;
    }
}

fn negate(changes: &mut [Change]) {
    for change in changes {
        change.ledger = -change.ledger;
    }
}

fn end(deal: &Deal, model: &Model, seen: Seen) -> End {
    let moment = Moment::of(deal, model, seen.as_of);
    let tally = score::tally(&moment);
    End {
        seen,
        ledger: Ledger::of(&tally, model),
        binding: tally.binding(model),
    }
}
