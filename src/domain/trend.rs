//! The score of a deal over time: points at the ends of days or weeks, or at each moment at which something changed it.
//!
//! A point is what a score as of its moment says, with all that is known now or with what was known then. With what was
//! known then, an entry shows once it is recorded and has come to hold.

use std::vec::IntoIter;

use crate::domain::amendment;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::loss;
use crate::domain::loss::StallCause;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::scale::Band;
use crate::domain::score;
use crate::domain::state;
use crate::domain::state::DealState;
use crate::domain::statement::Statement;
use crate::domain::text::Id;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::walk::Change;
use crate::domain::walk::Quotes;
use crate::domain::walk::Walk;

/// The most points of one trend, and the most entries between its ends when it tells each change.
pub const POINTS_MAX: usize = 1_000;

/// Where the points of a trend are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum TrendStep {
    Daily,
    Weekly,
    AtEachChange,
}

impl TrendStep {
    /// All of them, in order.
    pub const ALL: [TrendStep; 3] = [TrendStep::Daily, TrendStep::Weekly, TrendStep::AtEachChange];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            TrendStep::Daily => "DAILY",
            TrendStep::Weekly => "WEEKLY",
            TrendStep::AtEachChange => "AT_EACH_CHANGE",
        }
    }
}

/// With what knowledge each point is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Knowledge {
    /// All that is known now.
    Now,
    /// What was known at the moment of the point: what a dashboard showed that day.
    Then,
}

impl Knowledge {
    /// All of them, in order.
    pub const ALL: [Knowledge; 2] = [Knowledge::Now, Knowledge::Then];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Knowledge::Now => "NOW",
            Knowledge::Then => "THEN",
        }
    }
}

/// The score at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub at: Instant,
    /// How much of the history it knows.
    pub revision: u64,
    pub score: f64,
    pub base: f64,
    pub band: Band,
    pub state: DealState,
    /// What costs most; `None` when nothing is lost.
    pub top_cause: Option<StallCause>,
    /// What changed the score at that moment; empty unless the trend tells each change.
    pub changes: Vec<Change>,
}

/// The point of a deal at a moment.
pub fn point(deal: &Deal, model: &Model, at: Instant, revision: u64) -> Point {
    let moment = Moment::of(deal, model, at);
    let tally = score::tally(&moment);
    let momentum = score::momentum(&moment, tally.score);
    let causes = loss::losses(&moment, &tally).ranked();
    Point {
        at,
        revision,
        score: tally.score,
        base: tally.base,
        band: score::band(model, tally.score),
        state: state::state(&moment, momentum).state,
        top_cause: causes.first().map(|(cause, _)| *cause),
        changes: Vec::new(),
    }
}

/// The last moments in UTC of the days from `from` on, or of the weeks, which end on Sundays; then `to`.
///
/// # Errors
///
/// How many there would be, when they are more than [`POINTS_MAX`].
pub fn moments(from: Instant, to: Instant, step: TrendStep) -> Result<Vec<Instant>, usize> {
    let (days, first) = match step {
        TrendStep::Daily => (1, Some(from.date())),
        TrendStep::Weekly => {
            let sunday = 6 - from.date().days_since_monday();
            (7, from.date().plus_days(sunday))
        }
        TrendStep::AtEachChange => (1, None),
    };
    let ends = |day: Date| day.end().just_before() < to;
    let all = std::iter::successors(first, |day| day.plus_days(days)).take_while(|day| ends(*day));
    let count = all.clone().count() + 1;
    if POINTS_MAX < count {
        return Err(count);
    }
    Ok(all.map(|day| day.end().just_before()).chain([to]).collect())
}

/// A deal shown at moments in order, each time as it was known then: to be given its events one by one.
pub struct Shown {
    deal: Deal,
    left: IntoIter<Instant>,
    next: Option<Instant>,
    points: Vec<Point>,
}

impl Shown {
    pub fn new(moments: Vec<Instant>) -> Shown {
        let mut left = moments.into_iter();
        Shown {
            deal: Deal::default(),
            next: left.next(),
            left,
            points: Vec::new(),
        }
    }

    /// Takes in the next event, once all is told of the moments before it was recorded.
    pub fn take(&mut self, event: &Event, model: &Model) {
        self.tell_before(Some(event.recorded_at), model);
        self.deal.apply(event);
    }

    /// Tells the rest.
    pub fn end(mut self, model: &Model) -> Vec<Point> {
        self.tell_before(None, model);
        self.points
    }

    fn tell_before(&mut self, recorded_at: Option<Instant>, model: &Model) {
        while let Some(at) = self.next
            && recorded_at.is_none_or(|recorded_at| at < recorded_at)
        {
            let revision = self.deal.revision();
            self.points.push(point(&self.deal, model, at, revision));
            self.next = self.left.next();
        }
    }
}

/// A deal with each of its changes: to be given its events one by one.
pub struct Lived {
    from: Instant,
    to: Instant,
    knowledge: Knowledge,
    base: Deal,
    /// By the moment at which they came to show.
    since: Vec<(Instant, Event)>,
    entries: usize,
    revision: u64,
    quotes: Quotes,
}

impl Lived {
    /// The changes at or after `from` and up to `to`.
    pub fn new(from: Instant, to: Instant, knowledge: Knowledge) -> Lived {
        Lived {
            from,
            to,
            knowledge,
            base: Deal::default(),
            since: Vec::new(),
            entries: 0,
            revision: 0,
            quotes: Quotes::default(),
        }
    }

    /// Takes in the next event. More than [`POINTS_MAX`] between the ends are counted and not kept.
    pub fn take(&mut self, event: Event) {
        self.revision = event.revision;
        let at = match self.knowledge {
            Knowledge::Now => event.effective_at(),
            Knowledge::Then => event.effective_at().max(event.recorded_at),
        };
        // With what was known then, a statement shows as it was until it is amended.
        let shown_before = |said| self.knowledge == Knowledge::Then && said <= at;
        if amendment::amend(&mut self.since, &event.fact, shown_before) {
            return;
        }
        let is_amendment = amendment::amended(&event.fact).is_some();
        if at < self.from || self.knowledge == Knowledge::Now && is_amendment {
            self.base.apply(&event);
        } else if at <= self.to {
            self.entries += 1;
            if self.entries <= POINTS_MAX {
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
        amendment::all_amended(self.since.iter().map(|(_, event)| event))
    }

    /// Has a statement that is amended at hand, to be cited.
    pub fn cite(&mut self, statement: Statement) {
        self.quotes.insert(statement.id.clone(), statement);
    }

    /// The points, the last of them at the later end. To be asked with no more than [`POINTS_MAX`] entries.
    pub fn points(mut self, model: &Model) -> Vec<Point> {
        self.since.sort_by_key(|(at, event)| (*at, event.revision));
        let mut points: Vec<Point> = Vec::new();
        let known = |deal: &Deal| match self.knowledge {
            Knowledge::Now => self.revision,
            Knowledge::Then => deal.revision(),
        };
        let mut walk = Walk::new(self.base, model, self.from.just_before(), &self.quotes);
        walk.go(&self.since, self.to, |deal, at, changes| {
            points.push(Point {
                changes,
                ..point(deal, model, at, known(deal))
            });
        });
        if points.last().is_none_or(|last| last.at < self.to) {
            points.push(point(&walk.deal, model, self.to, known(&walk.deal)));
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        let whole: jiff::Timestamp = text.parse().unwrap();
        Instant::from_unix(whole.as_second(), whole.subsec_nanosecond()).unwrap()
    }

    #[track_caller]
    fn check(from: &str, to: &str, step: TrendStep, expected: &[&str]) {
        let told: Vec<String> = moments(at(from), at(to), step)
            .unwrap()
            .iter()
            .map(Instant::to_string)
            .collect();
        assert_eq!(told, expected);
    }

    const LAST: &str = "T23:59:59.999999999Z";

    #[test]
    fn days_end_at_midnight_in_utc_and_now_comes_last() {
        let day = |day: &str| format!("{day}{LAST}");
        check(
            "2026-02-27T10:00:00Z",
            "2026-03-01T12:00:00Z",
            TrendStep::Daily,
            &[
                &day("2026-02-27"),
                &day("2026-02-28"),
                "2026-03-01T12:00:00Z",
            ],
        );
        // The end of a day is no second point when it is the end asked for.
        check(
            "2026-02-27T10:00:00Z",
            &day("2026-02-27"),
            TrendStep::Daily,
            &[&day("2026-02-27")],
        );
        check(
            "2026-02-27T10:00:00Z",
            "2026-02-27T10:00:00Z",
            TrendStep::Weekly,
            &["2026-02-27T10:00:00Z"],
        );
    }

    #[test]
    fn weeks_end_on_sundays() {
        let day = |day: &str| format!("{day}{LAST}");
        check(
            "2026-02-22T10:00:00Z",
            "2026-03-02T12:00:00Z",
            TrendStep::Weekly,
            &[
                &day("2026-02-22"),
                &day("2026-03-01"),
                "2026-03-02T12:00:00Z",
            ],
        );
    }

    #[test]
    fn a_thousand_points_are_told_and_one_more_is_counted() {
        let to = at("2026-03-01T12:00:00Z");
        let days_before = |days| to.minus(crate::domain::time::Span::days(days)).unwrap();
        let daily = |days| moments(days_before(days), to, TrendStep::Daily);
        assert_eq!(daily(999).unwrap().len(), POINTS_MAX);
        assert_eq!(daily(1_000), Err(POINTS_MAX + 1));
        // 1970-01-04 is the first of 12,001 Sundays, and the end comes last.
        let weekly = moments(Instant::MIN, Instant::MAX, TrendStep::Weekly);
        assert_eq!(weekly, Err(12_002));
    }
}
