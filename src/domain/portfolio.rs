//! All deals side by side: what each of them is at a moment, in one row.
//!
//! Law: the numbers of a row are those that a score and an explanation of that deal give for that moment.
//!
//! A row is the seller's facts, which cost nothing to read, and a verdict, which is worked out. Most of what a verdict
//! costs is in its depth (momentum, losses), so it is gone into only where it is asked for.

pub mod filter;
pub mod forecast;
pub mod order;
pub mod summary;

use crate::domain::deal::Deal;
use crate::domain::loss;
use crate::domain::loss::CauseSet;
use crate::domain::loss::StallCause;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::score;
use crate::domain::score::Tally;
use crate::domain::stage::BuyersStep;
use crate::domain::state;
use crate::domain::state::DealState;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::time::Span;
use crate::domain::topic::Outcome;

/// The moment that a portfolio is seen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AsOf {
    /// Now, told to the end of the running minute; a closed deal when it closed, as a score of it is.
    Now(Instant),
    /// That moment for every deal, closed or not.
    At(Instant),
}

/// A deal at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub facts: Facts,
    pub verdict: Verdict,
}

/// What the seller gave of a deal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub name: Option<Name>,
    pub account: Option<Name>,
    pub owner: Option<Name>,
    pub seller_stage: Option<Name>,
    pub amount: Option<Money>,
    pub close_date: Option<Date>,
}

/// What the buyer's words make of a deal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The moment of the score: that asked for, or for a closed deal that of closing.
    pub as_of: Instant,
    /// Something of it was true by then. A deal that had not begun is in no portfolio.
    pub begun: bool,
    /// 0 to 100.
    pub score: f64,
    pub base: f64,
    pub band: Band,
    pub category: ForecastCategory,
    pub step: BuyersStep,
    pub outcome: Option<Outcome>,
    /// Why it does not move, if it is closed, dark or stalled: this needs no depth.
    pub stuck: Option<DealState>,
    pub depth: Option<Depth>,
}

/// The part of a verdict that costs most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depth {
    pub momentum: Option<f64>,
    pub state: DealState,
    /// What costs most, and how many points; `None` when none are lost.
    pub top_cause: Option<(StallCause, f64)>,
    /// What resolving the one cause that lifts most would add; at least 0.
    pub lift: f64,
}

/// How far a verdict is gone into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    Score,
    Depth,
}

impl AsOf {
    /// Now. The minute is run to its end, so that what was just recorded is in it, and all who ask within a minute get
    /// the same answer.
    pub fn now(now: Instant) -> AsOf {
        let into_minute =
            Span::nanos(now.since(Instant::MIN).as_nanos() % Span::minutes(1).as_nanos());
        let start = now.minus(into_minute).unwrap_or(now);
        AsOf::Now(start.plus(Span::minutes(1)))
    }

    /// The moment for the portfolio as a whole.
    pub fn at(self) -> Instant {
        match self {
            AsOf::Now(at) | AsOf::At(at) => at,
        }
    }

    /// The moment at which a deal is judged.
    pub fn of(self, deal: &Deal) -> Instant {
        match self {
            AsOf::Now(at) => deal.closed_at().unwrap_or(at),
            AsOf::At(at) => at,
        }
    }
}

impl Facts {
    pub fn of(deal: &Deal, at: Instant) -> Facts {
        Facts {
            name: deal.name.value_at(at).cloned(),
            account: deal.account.value_at(at).cloned(),
            owner: deal.owner.value_at(at).cloned(),
            seller_stage: deal.seller_stage.value_at(at).cloned(),
            amount: deal.amount.value_at(at).copied(),
            close_date: deal.close_date.value_at(at).copied(),
        }
    }
}

impl Verdict {
    /// Its state; `None` for a deal that is SLOWING or MOVING and was not gone into.
    pub fn state(&self) -> Option<DealState> {
        self.stuck.or(self.depth.map(|depth| depth.state))
    }

    /// Whether this verdict answers another question as well.
    pub fn answers(&self, asked: AsOf, before: AsOf, need: Need) -> bool {
        // A closed deal is judged as of its closing, whenever that is asked for.
        let closed = matches!((asked, before), (AsOf::Now(_), AsOf::Now(_)));
        let same = asked == before || (closed && self.outcome.is_some());
        same && (need == Need::Score || self.depth.is_some())
    }
}

/// Judges a deal.
pub fn judge(deal: &Deal, model: &Model, asked: AsOf, need: Need) -> Verdict {
    let as_of = asked.of(deal);
    let moment = Moment::of(deal, model, as_of);
    let tally = score::tally(&moment);
    let depth = match need {
        Need::Score => None,
        Need::Depth => Some(go_into(&moment, &tally)),
    };
    let state = match depth {
        Some(depth) => depth.state,
        None => state::state(&moment, None).state,
    };
    Verdict {
        as_of,
        begun: deal.first_at().is_some_and(|first| first <= as_of),
        score: tally.score,
        base: tally.base,
        band: score::band(model, tally.score),
        category: score::category(&moment, tally.score),
        step: tally.step,
        outcome: deal.endings.value_at(as_of).copied(),
        stuck: matches!(
            state,
            DealState::Closed | DealState::Dark | DealState::Stalled
        )
        .then_some(state),
        depth,
    }
}

fn go_into(moment: &Moment, tally: &Tally) -> Depth {
    let momentum = score::momentum(moment, tally.score);
    let losses = loss::losses(moment, tally);
    let lift = losses
        .causes()
        .map(|cause| {
            let alone = CauseSet::NONE.with(cause);
            losses.score_if_resolved(moment, tally, alone) - tally.score
        })
        .fold(0.0, f64::max);
    Depth {
        momentum,
        state: state::state(moment, momentum).state,
        top_cause: losses.first(),
        lift,
    }
}
