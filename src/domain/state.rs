//! Whether a deal moves, and since when.

use crate::domain::deal::Deal;
use crate::domain::moment::Moment;
use crate::domain::stage;
use crate::domain::time::Instant;
use crate::domain::time::Span;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// Whether a deal moves; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DealState {
    Closed,
    Dark,
    Stalled,
    Slowing,
    Moving,
}

impl DealState {
    /// All of them, in order.
    pub const ALL: [DealState; 5] = [
        DealState::Closed,
        DealState::Dark,
        DealState::Stalled,
        DealState::Slowing,
        DealState::Moving,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            DealState::Closed => "CLOSED",
            DealState::Dark => "DARK",
            DealState::Stalled => "STALLED",
            DealState::Slowing => "SLOWING",
            DealState::Moving => "MOVING",
        }
    }
}

/// A state and its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSince {
    pub state: DealState,
    /// `None` where no moment can be named.
    pub since: Option<Instant>,
    pub why: Why,
}

/// What makes the state the one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Outcome,
    /// No buyer's word since then.
    Silence(Instant),
    /// No buyer's word at all since the deal began then.
    NeverHeard(Instant),
    /// No progress since then; a deal without any counts from its beginning.
    NoProgress(Instant),
    /// So many slips, the last of them then, without progress since.
    Slips(usize, Instant),
    /// A decision maker said no, or later, to its priority.
    Priority(Instant),
    Momentum,
    /// A milestone is overdue since then.
    Overdue(Instant),
    Progress,
}

/// The state at a moment. `momentum` is the score's.
pub fn state(moment: &Moment, momentum: Option<f64>) -> StateSince {
    let as_of = moment.as_of;
    if let Some(ending) = moment.deal.endings.at(as_of) {
        return StateSince {
            state: DealState::Closed,
            since: Some(ending.at),
            why: Why::Outcome,
        };
    }
    let progress = last_progress(moment.deal, as_of);
    let began = moment.deal.first_at().filter(|first| *first <= as_of);
    dark(moment, began)
        .or_else(|| stalled(moment, progress, began))
        .or_else(|| slowing(moment, progress, began, momentum))
        .unwrap_or(StateSince {
            state: DealState::Moving,
            since: progress.or(began),
            why: Why::Progress,
        })
}

fn dark(moment: &Moment, began: Option<Instant>) -> Option<StateSince> {
    let model = moment.model;
    let heard = moment
        .people
        .iter()
        .filter_map(|present| present.person.spoke.at(moment.as_of))
        .map(|entry| entry.at)
        .max();
    let (from, days_max, why) = match heard {
        Some(heard) => (heard, model.dark_days, Why::Silence(heard)),
        None => (began?, model.unheard_days, Why::NeverHeard(began?)),
    };
    over(DealState::Dark, moment.as_of, from, days_max, why)
}

fn stalled(
    moment: &Moment,
    progress: Option<Instant>,
    began: Option<Instant>,
) -> Option<StateSince> {
    let model = moment.model;
    let from = progress.or(began)?;
    let days_max = model.stalled_days;
    if let Some(stalled) = over(
        DealState::Stalled,
        moment.as_of,
        from,
        days_max,
        Why::NoProgress(from),
    ) {
        return Some(stalled);
    }
    let slips = stage::slips(moment);
    if let Some(last) = slips.last()
        && model.stalled_slips <= slips.len()
        && progress.is_none_or(|progress| progress <= last.at)
    {
        return Some(StateSince {
            state: DealState::Stalled,
            since: Some(last.at),
            why: Why::Slips(slips.len(), last.at),
        });
    }
    let refused_at = refused_priority(moment)?;
    Some(StateSince {
        state: DealState::Stalled,
        since: Some(refused_at),
        why: Why::Priority(refused_at),
    })
}

/// When a decision maker said no, or later, to the priority of it, if that still is their latest word on it.
fn refused_priority(moment: &Moment) -> Option<Instant> {
    moment
        .positions(Topic::Priority)
        .iter()
        .filter(|position| {
            let present = &moment.people[position.person];
            !present.departed && present.roles.decides()
        })
        .filter_map(|position| match moment.latest_stance(position)? {
            Stance::Supports => None,
            Stance::Opposes => position.track.opposes()?.at(moment.as_of),
            Stance::Defers => position.track.defers()?.at(moment.as_of),
        })
        .map(|entry| entry.at)
        .min()
}

fn slowing(
    moment: &Moment,
    progress: Option<Instant>,
    began: Option<Instant>,
    momentum: Option<f64>,
) -> Option<StateSince> {
    let model = moment.model;
    let from = progress.or(began)?;
    let days_max = model.slowing_days;
    if let Some(slowing) = over(
        DealState::Slowing,
        moment.as_of,
        from,
        days_max,
        Why::NoProgress(from),
    ) {
        return Some(slowing);
    }
    let overdue_since = stage::overdue(moment)
        .iter()
        .map(|overdue| overdue.due_date.end())
        .min();
    if let Some(since) = overdue_since {
        return Some(StateSince {
            state: DealState::Slowing,
            since: Some(since),
            why: Why::Overdue(since),
        });
    }
    let falls = momentum.is_some_and(|momentum| momentum < model.slowing_momentum);
    falls.then_some(StateSince {
        state: DealState::Slowing,
        since: None,
        why: Why::Momentum,
    })
}

fn over(
    state: DealState,
    as_of: Instant,
    from: Instant,
    days_max: f64,
    why: Why,
) -> Option<StateSince> {
    (days_max < as_of.since(from).as_days()).then(|| StateSince {
        state,
        since: Some(from.plus(Span::days_f64(days_max))),
        why,
    })
}

/// The last moment of progress at or before `as_of`.
///
/// Progress is a person's first support of a topic or one firmer than all they gave it before, a later buyer's step
/// than any before, or a milestone completed. Each has a first moment, so no history is walked.
pub fn last_progress(deal: &Deal, as_of: Instant) -> Option<Instant> {
    let completed = deal.milestones().filter_map(|(_, milestone)| {
        milestone
            .completed_at
            .value_at(as_of)
            .copied()
            .filter(|completed_at| *completed_at <= as_of)
    });
    let firmer = deal
        .people()
        .iter()
        .flat_map(|person| person.said.tracks())
        .flat_map(|(_, track)| {
            // From the firmest down, the first moment at which they were at least so firm.
            let mut first: Option<Instant> = None;
            Conviction::ALL.into_iter().rev().filter_map(move |least| {
                let so_firm = track
                    .supports()
                    .filter(|(conviction, _)| *conviction == least)
                    .filter_map(|(_, rung)| rung.first_at());
                first = first.into_iter().chain(so_firm).min();
                first
            })
        })
        .filter(|at| *at <= as_of);
    completed.chain(firmer).chain(steps(deal, as_of)).max()
}

/// The first moments at which somebody named each step, unless a later one was named before.
fn steps(deal: &Deal, as_of: Instant) -> impl Iterator<Item = Instant> {
    let named_first = move |stage: BuyingStage| {
        deal.people()
            .iter()
            .filter_map(|person| person.stage(stage)?.first_at())
            .filter(|at| *at <= as_of)
            .min()
    };
    // From the last step down, the first moment at which they were at least so far.
    let mut first: Option<Instant> = None;
    BuyingStage::ALL.into_iter().rev().filter_map(move |least| {
        first = first.into_iter().chain(named_first(least)).min();
        first
    })
}
