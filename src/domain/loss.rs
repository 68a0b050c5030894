//! Where the points are lost: the ledger of losses, each cell with its one cause.
//!
//! Law: the points of the cells add up to 100 less the score, to within 1e-9.

mod cause;

pub use crate::domain::loss::cause::StallCause;
use crate::domain::moment::Lift;
use crate::domain::moment::Moment;
use crate::domain::moment::Present;
use crate::domain::scale::Gate;
use crate::domain::scale::Modifier;
use crate::domain::score::LEVEL_GATES;
use crate::domain::score::Tally;
use crate::domain::score::base;
use crate::domain::topic::Topic;

/// What became of the points of a criterion that were not gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Impairment {
    Opposed,
    Deferred,
    Drifted,
    Departed,
    Missing,
}

impl Impairment {
    /// All of them, in order.
    pub const ALL: [Impairment; 5] = [
        Impairment::Opposed,
        Impairment::Deferred,
        Impairment::Drifted,
        Impairment::Departed,
        Impairment::Missing,
    ];

    /// Its name in proto and in a model file, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            Impairment::Opposed => "OPPOSED",
            Impairment::Deferred => "DEFERRED",
            Impairment::Drifted => "DRIFTED",
            Impairment::Departed => "DEPARTED",
            Impairment::Missing => "MISSING",
        }
    }
}

/// One loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    pub of: CellOf,
    pub cause: StallCause,
    /// At least 0.
    pub points: f64,
}

/// What a cell is a loss of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellOf {
    Criterion(Topic, Impairment),
    Modifier(Modifier),
    /// A gate that applies; only the one that binds costs points.
    Gate(Gate),
}

/// A set of causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CauseSet(u32);

/// The losses of a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    pub cells: Vec<Cell>,
}

/// A criterion's cell smaller than this is rounding noise and no cause; 45 of them are still far below what the ledger
/// may be off.
const POINTS_MIN: f64 = 1e-12;
/// Points that differ by less than this are the same.
pub const ROUNDING: f64 = 1e-9;

/// The place of the first that has the most, where a difference that is mere rounding is none.
///
/// Two criteria of equal weight, both missing in full, cost the same, whatever order their points were added up in.
pub fn first_of_most(ranked: &[(StallCause, f64)]) -> Option<usize> {
    let most = ranked.iter().map(|(_, points)| *points).reduce(f64::max)?;
    ranked
        .iter()
        .position(|(_, points)| most - ROUNDING <= *points)
}

impl CauseSet {
    pub const NONE: CauseSet = CauseSet(0);

    pub fn with(self, cause: StallCause) -> CauseSet {
        CauseSet(self.0 | 1 << cause as u32)
    }

    pub fn holds(self, cause: StallCause) -> bool {
        self.0 & 1 << cause as u32 != 0
    }
}

impl FromIterator<StallCause> for CauseSet {
    fn from_iter<I: IntoIterator<Item = StallCause>>(causes: I) -> CauseSet {
        causes.into_iter().fold(CauseSet::NONE, CauseSet::with)
    }
}

/// Splits what is missing from 100 over its causes.
pub fn losses(moment: &Moment, tally: &Tally) -> Losses {
    let mut cells = Vec::with_capacity(32);
    for topic in Topic::CRITERIA {
        criterion_cells(moment, tally, topic, &mut cells);
    }
    let mut running = tally.base;
    for modifier in Modifier::ALL {
        let factor = tally.factors[modifier as usize];
        if factor < 1.0 {
            cells.push(Cell {
                of: CellOf::Modifier(modifier),
                cause: cause_of_modifier(modifier),
                points: running - running * factor,
            });
        }
        running *= factor;
    }
    let binding = tally.binding(moment.model);
    for gate in tally.gates_applying() {
        let points = match binding == Some(gate) {
            true => running - tally.score,
            false => 0.0,
        };
        cells.push(Cell {
            of: CellOf::Gate(gate),
            cause: cause_of_gate(moment, gate),
            points,
        });
    }
    Losses { cells }
}

impl Losses {
    /// What the causes cost, the most first; of equal ones the first in the table.
    pub fn ranked(&self) -> Vec<(StallCause, f64)> {
        let mut left = self.costs();
        let mut ranked = Vec::with_capacity(left.len());
        while let Some(place) = first_of_most(&left) {
            ranked.push(left.remove(place));
        }
        ranked
    }

    /// The one that costs most; of equal ones the first in the table.
    pub fn first(&self) -> Option<(StallCause, f64)> {
        let costs = self.costs();
        first_of_most(&costs).map(|place| costs[place])
    }

    /// What each cause costs, in the order of the table.
    fn costs(&self) -> Vec<(StallCause, f64)> {
        let mut costs = [0.0; StallCause::ALL.len()];
        for cell in &self.cells {
            costs[cell.cause as usize] += cell.points;
        }
        self.causes()
            .map(|cause| (cause, costs[cause as usize]))
            .collect()
    }

    /// Those that have a cell, in the order of the table.
    pub fn causes(&self) -> impl Iterator<Item = StallCause> + use<> {
        let present: CauseSet = self.cells.iter().map(|cell| cell.cause).collect();
        StallCause::ALL
            .into_iter()
            .filter(move |cause| present.holds(*cause))
    }

    /// The cells of one cause.
    pub fn of(&self, cause: StallCause) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| cell.cause == cause)
    }

    /// The score if the causes of the set were resolved: their cells restored, the levels that gates hang on judged
    /// anew, their modifiers and gates gone; everything else as it is.
    pub fn score_if_resolved(&self, moment: &Moment, tally: &Tally, resolved: CauseSet) -> f64 {
        let model = moment.model;
        let mut levels = tally.weights.map(|weight| weight.level);
        let mut factors = tally.factors;
        let mut gates = tally.gates;
        for cell in self.cells.iter().filter(|cell| resolved.holds(cell.cause)) {
            match cell.of {
                CellOf::Criterion(topic, _) => {
                    levels[topic.index()] += cell.points / model.topic(topic).weight;
                }
                CellOf::Modifier(modifier) => factors[modifier as usize] = 1.0,
                CellOf::Gate(gate) => gates[gate as usize] = false,
            }
        }
        for (gate, topic) in LEVEL_GATES {
            gates[gate as usize] &= levels[topic.index()] < model.level_unvoiced;
        }
        let modified = factors
            .iter()
            .fold(base(model, &levels), |points, factor| points * factor);
        Gate::ALL
            .into_iter()
            .filter(|gate| gates[*gate as usize])
            .map(|gate| model.cap(gate))
            .fold(modified, f64::min)
    }
}

/// Lifts one impairment after another; what each gives back is its cell.
fn criterion_cells(moment: &Moment, tally: &Tally, topic: Topic, cells: &mut Vec<Cell>) {
    let weight = moment.model.topic(topic).weight;
    let mut push = |impairment, cause, level: f64| {
        let points = weight * level;
        if POINTS_MIN < points {
            cells.push(Cell {
                of: CellOf::Criterion(topic, impairment),
                cause,
                points,
            });
        }
    };
    let level = |lift| moment.weigh(topic, lift).level;
    let plain = tally.weights[topic.index()].level;
    let unopposed = level(Lift::Opposition);
    let undeferred = level(Lift::Deferral);
    let fresh = level(Lift::Age);
    let returned = level(Lift::Departure);

    push(
        Impairment::Opposed,
        cause_of_opposed(topic),
        unopposed - plain,
    );
    push(
        Impairment::Deferred,
        StallCause::PoliteDeferral,
        undeferred - unopposed,
    );
    push(
        Impairment::Drifted,
        cause_of_drifted(topic),
        fresh - undeferred,
    );
    if fresh < returned {
        // Two kinds of people may have left: each has the share of what it alone would bring back.
        let deciders = level(Lift::Deciders) - fresh;
        let others = level(Lift::Others) - fresh;
        let share = deciders / (deciders + others);
        let departed = returned - fresh;
        push(
            Impairment::Departed,
            StallCause::DecisionMakerChanged,
            departed * share,
        );
        push(
            Impairment::Departed,
            StallCause::SponsorLeft,
            departed * (1.0 - share),
        );
    }
    push(Impairment::Missing, cause_of_missing(topic), 1.0 - returned);
}

fn cause_of_missing(topic: Topic) -> StallCause {
    match topic {
        Topic::Problem => StallCause::ProblemNotVoiced,
        Topic::Consequence => StallCause::ConsequenceUnknown,
        Topic::StatusQuo => StallCause::NoCommitmentToChange,
        Topic::GoLive => StallCause::NoGoLiveTarget,
        Topic::BuyingProcess => StallCause::BuyingProcessUnknown,
        Topic::Consensus => StallCause::BuyingGroupNotAligned,
        Topic::Management => StallCause::ManagementNotSold,
        Topic::Value => StallCause::ValueNotOwned,
        Topic::ChangeRisk => StallCause::ChangeFeelsRiskier,
        // Signals have no cells of a criterion; these are the causes of their modifiers.
        Topic::Priority => StallCause::Deprioritized,
        Topic::Alternative => StallCause::AlternativePreferred,
        Topic::Engagement => StallCause::BuyerDisengaged,
    }
}

fn cause_of_opposed(topic: Topic) -> StallCause {
    match topic {
        Topic::Consequence | Topic::StatusQuo => StallCause::RiskAccepted,
        Topic::Problem | Topic::GoLive | Topic::BuyingProcess => StallCause::Deprioritized,
        _ => cause_of_missing(topic),
    }
}

fn cause_of_drifted(topic: Topic) -> StallCause {
    match topic {
        Topic::GoLive => StallCause::GoLivePassed,
        _ => StallCause::AttentionDrift,
    }
}

fn cause_of_modifier(modifier: Modifier) -> StallCause {
    match modifier {
        Modifier::StageMisalignment => StallCause::StageMisaligned,
        Modifier::CloseDateSlips => StallCause::CloseDateSlipping,
        Modifier::PlanSlippage => StallCause::BuyingPlanSlipping,
        Modifier::Priority => StallCause::Deprioritized,
        Modifier::Alternative => StallCause::AlternativePreferred,
        Modifier::Engagement => StallCause::BuyerDisengaged,
    }
}

fn cause_of_gate(moment: &Moment, gate: Gate) -> StallCause {
    match gate {
        Gate::AlternativeChosen => StallCause::AlternativePreferred,
        Gate::RiskAccepted => StallCause::RiskAccepted,
        Gate::ProblemUnvoiced => StallCause::ProblemNotVoiced,
        Gate::ConsequenceUnknown => StallCause::ConsequenceUnknown,
        Gate::NoCommitmentToChange => StallCause::NoCommitmentToChange,
        Gate::DecisionMakerUnheard => {
            let left = |present: &Present| present.departed && present.roles.decides();
            match moment.people.iter().any(left) {
                true => StallCause::DecisionMakerChanged,
                false => StallCause::DecisionMakerUnheard,
            }
        }
    }
}
