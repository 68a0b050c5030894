//! One item of the feed: how a deal stood before and after something was recorded, or after time passed.

use crate::app::watch::course::Place;
use crate::domain::deal::Deal;
use crate::domain::event::Fact;
use crate::domain::loss;
use crate::domain::loss::StallCause;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::scale::Band;
use crate::domain::score;
use crate::domain::state;
use crate::domain::state::DealState;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::store::Revision;

/// A deal moved, or was written to.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// Just behind this item.
    pub place: Place,
    pub deal_id: Box<str>,
    /// After it.
    pub revision: Revision,
    /// When it was recorded; for [`Cause::Time`] the midnight.
    pub at: Instant,
    pub cause: Cause,
    /// `None` when there was no deal.
    pub before: Option<Standing>,
    pub after: Standing,
    pub name: Option<Name>,
    pub account: Option<Name>,
    pub owner: Option<Name>,
    pub owner_before: Option<Name>,
}

/// Why it moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What was recorded together, each kind once.
    Event(Vec<Kind>),
    /// Time passed, up to the midnight that begins this day.
    Time(Date),
}

/// What was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Deal,
    Stakeholder,
    Statement,
    Milestone,
    Outcome,
    Retraction,
    Confirmation,
}

/// Where a deal stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub score: f64,
    pub band: Band,
    pub state: DealState,
    /// What costs the most points, if any are lost.
    pub top_cause: Option<StallCause>,
}

impl Standing {
    /// As of the deal's closing if it is closed, else as of the moment given.
    pub fn of(deal: &Deal, model: &Model, as_of: Instant) -> Standing {
        let as_of = deal.closed_at().unwrap_or(as_of);
        let moment = Moment::of(deal, model, as_of);
        let tally = score::tally(&moment);
        let momentum = score::momentum(&moment, tally.score);
        let ranked = loss::losses(&moment, &tally).ranked();
        Standing {
            score: tally.score,
            band: score::band(model, tally.score),
            state: state::state(&moment, momentum).state,
            top_cause: ranked.first().map(|(cause, _)| *cause),
        }
    }
}

impl Moved {
    pub fn band_crossed(&self) -> bool {
        self.before
            .is_none_or(|before| before.band != self.after.band)
    }

    pub fn state_crossed(&self) -> bool {
        self.before
            .is_none_or(|before| before.state != self.after.state)
    }

    /// Points before; a deal that was not there had none.
    pub fn score_before(&self) -> f64 {
        self.before.map_or(0.0, |before| before.score)
    }
}

impl Kind {
    pub fn of(fact: &Fact) -> Kind {
        match fact {
            Fact::Deal(_) => Kind::Deal,
            Fact::Stakeholder(_) => Kind::Stakeholder,
            Fact::Statement(_) => Kind::Statement,
            Fact::Milestone(_) => Kind::Milestone,
            Fact::Ending(_) => Kind::Outcome,
            Fact::Retraction(_) => Kind::Retraction,
            Fact::Confirmation(_) => Kind::Confirmation,
        }
    }
}

/// Whether a whole multiple of `points` lies between two scores: above one of them and not above the other.
pub fn crosses(before: f64, after: f64, points: f64) -> bool {
    (before / points).floor() != (after / points).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiple_is_crossed_when_it_lies_between() {
        for (before, after, points, expected) in [
            (41.2, 41.0, 1.0, false),
            (41.0, 40.9, 1.0, true),
            (40.9, 41.0, 1.0, true),
            (41.2, 39.9, 5.0, true),
            (44.9, 40.0, 5.0, false),
            (0.0, 0.0, 1.0, false),
        ] {
            assert_eq!(
                crosses(before, after, points),
                expected,
                "{before} to {after} by {points}"
            );
        }
    }
}
