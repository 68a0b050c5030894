//! How qualified a deal is at a moment: the ledger of points gained.
//!
//! Law: the points of the criteria, of the modifiers and of the cap add up to the score, to within 1e-9.

use crate::domain::deal::Deal;
use crate::domain::evidence;
use crate::domain::evidence::Evidence;
use crate::domain::evidence::Hypothesis;
use crate::domain::ledger::Ledger;
use crate::domain::model::Model;
use crate::domain::moment::Lift;
use crate::domain::moment::Moment;
use crate::domain::moment::Weight;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::scale::Gate;
use crate::domain::scale::Modifier;
use crate::domain::stage;
use crate::domain::stage::BuyersStep;
use crate::domain::text::Name;
use crate::domain::time::Instant;
use crate::domain::time::Span;
use crate::domain::topic::Conviction;
use crate::domain::topic::Topic;

/// The score of a deal at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub as_of: Instant,
    /// 0 to 100.
    pub score: f64,
    pub band: Band,
    pub category: ForecastCategory,
    /// The score less the score [`Model::momentum_days`] before; `None` when nothing was true that early.
    pub momentum: Option<f64>,
    pub base: f64,
    pub criteria: [CriterionScore; Topic::CRITERIA.len()],
    pub modifiers: [ModifierScore; Modifier::ALL.len()],
    /// Those that apply, in the order of [`Gate::ALL`].
    pub gates: Vec<GateScore>,
    /// What the binding gate takes: at most 0.
    pub cap_points: f64,
    pub step: BuyersStep,
    pub seller_stage: Option<Name>,
    /// What the seller believes and no buyer said, oldest first.
    pub hypotheses: Vec<Hypothesis>,
    /// Active people who spoke.
    pub heard: usize,
    /// Active people.
    pub active: usize,
}

/// The points of one criterion.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionScore {
    pub topic: Topic,
    pub weight: f64,
    pub level: f64,
    pub points: f64,
    pub support: f64,
    pub opposition: f64,
    /// The strongest first.
    pub evidence: Vec<Evidence>,
}

/// What one modifier takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModifierScore {
    pub modifier: Modifier,
    /// Above 0, at most 1.
    pub factor: f64,
    /// At most 0.
    pub points: f64,
}

/// A gate that applies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateScore {
    pub gate: Gate,
    pub cap: f64,
    /// It is the one that lowers the score.
    pub binding: bool,
}

/// The numbers of a score without the evidence behind them: what losses are split from.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// In the order of [`Topic::CRITERIA`].
    pub weights: [Weight; Topic::CRITERIA.len()],
    /// In the order of [`Modifier::ALL`].
    pub factors: [f64; Modifier::ALL.len()],
    /// In the order of [`Gate::ALL`]: whether it applies.
    pub gates: [bool; Gate::ALL.len()],
    pub step: BuyersStep,
    pub base: f64,
    pub score: f64,
}

/// Scores a deal as of a moment.
pub fn score(deal: &Deal, model: &Model, as_of: Instant) -> Score {
    let moment = Moment::of(deal, model, as_of);
    let tally = tally(&moment);
    score_of(&moment, &tally)
}

/// Puts the evidence to the numbers.
pub fn score_of(moment: &Moment, tally: &Tally) -> Score {
    let model = moment.model;
    let ledger = Ledger::of(tally, model);
    let criteria = Topic::CRITERIA.map(|topic| {
        let Weight {
            support,
            opposition,
            level,
        } = tally.weights[topic.index()];
        let weight = model.topic(topic).weight;
        CriterionScore {
            topic,
            weight,
            level,
            points: ledger.criteria[topic.index()],
            support,
            opposition,
            evidence: evidence::counting(moment, topic),
        }
    });
    let modifiers = Modifier::ALL.map(|modifier| ModifierScore {
        modifier,
        factor: tally.factors[modifier as usize],
        points: ledger.modifiers[modifier as usize],
    });
    let binding = tally.binding(model);
    let gates = tally
        .gates_applying()
        .map(|gate| GateScore {
            gate,
            cap: model.cap(gate),
            binding: binding == Some(gate),
        })
        .collect();
    Score {
        as_of: moment.as_of,
        score: tally.score,
        band: band(model, tally.score),
        category: category(moment, tally.score),
        momentum: momentum(moment, tally.score),
        base: tally.base,
        criteria,
        modifiers,
        gates,
        cap_points: ledger.cap,
        step: tally.step,
        seller_stage: moment.deal.seller_stage.value_at(moment.as_of).cloned(),
        hypotheses: evidence::hypotheses(moment),
        heard: moment
            .active()
            .filter(|(_, present)| present.is_heard_at(moment.as_of))
            .count(),
        active: moment.active().count(),
    }
}

/// Works out the numbers of a moment.
pub fn tally(moment: &Moment) -> Tally {
    let model = moment.model;
    let weights = Topic::CRITERIA.map(|topic| moment.weigh(topic, Lift::Nothing));
    let levels = weights.map(|weight| weight.level);
    let step = stage::buyers_step(moment, &levels);
    let base = base(model, &levels);
    let factors = factors(moment, &step);
    let gates = gates(moment, &levels);
    let mut tally = Tally {
        weights,
        factors,
        gates,
        step,
        base,
        score: 0.0,
    };
    tally.score = tally.modified().min(tally.lowest_cap(model));
    tally
}

/// The gates that hang on a level: the topic whose level below [`Model::level_unvoiced`] opens each.
pub const LEVEL_GATES: [(Gate, Topic); 3] = [
    (Gate::ProblemUnvoiced, Topic::Problem),
    (Gate::ConsequenceUnknown, Topic::Consequence),
    (Gate::NoCommitmentToChange, Topic::StatusQuo),
];

impl Score {
    /// The revisions of the statements whose words are cited.
    pub fn citations(&self) -> impl Iterator<Item = u64> {
        let evidence = self
            .criteria
            .iter()
            .flat_map(|criterion| &criterion.evidence);
        let guesses = self.hypotheses.iter();
        evidence
            .map(|evidence| evidence.statement)
            .chain(guesses.map(|hypothesis| hypothesis.statement))
    }
}

impl Tally {
    /// The base after all modifiers.
    pub fn modified(&self) -> f64 {
        self.factors
            .iter()
            .fold(self.base, |points, factor| points * factor)
    }

    /// The gates that apply, in order.
    pub fn gates_applying(&self) -> impl Iterator<Item = Gate> {
        Gate::ALL
            .into_iter()
            .filter(|gate| self.gates[*gate as usize])
    }

    /// The gate that lowers the score, if one does.
    pub fn binding(&self, model: &Model) -> Option<Gate> {
        self.gates_applying()
            .reduce(|lowest, gate| match model.cap(gate) < model.cap(lowest) {
                true => gate,
                false => lowest,
            })
            .filter(|gate| model.cap(*gate) < self.modified())
    }

    fn lowest_cap(&self, model: &Model) -> f64 {
        self.gates_applying()
            .map(|gate| model.cap(gate))
            .fold(f64::INFINITY, f64::min)
    }
}

/// The sum of the criteria's points.
pub fn base(model: &Model, levels: &[f64; Topic::CRITERIA.len()]) -> f64 {
    Topic::CRITERIA
        .iter()
        .zip(levels)
        .map(|(topic, level)| model.topic(*topic).weight * level)
        .sum()
}

/// The band of a score.
pub fn band(model: &Model, score: f64) -> Band {
    let reached = model.bands.iter().filter(|least| **least <= score).count();
    Band::ALL[reached]
}

/// The forecast category that the evidence suggests.
pub fn category(moment: &Moment, score: f64) -> ForecastCategory {
    if moment.deal.endings.at(moment.as_of).is_some() {
        return ForecastCategory::Closed;
    }
    let least = moment.model.categories;
    let reached = least.iter().filter(|least| **least <= score).count();
    ForecastCategory::ALL[reached]
}

/// The score less the score some days before, unless nothing was true that early.
pub fn momentum(moment: &Moment, score: f64) -> Option<f64> {
    let before = moment
        .as_of
        .minus(Span::days_f64(moment.model.momentum_days))?;
    let first_at = moment.deal.first_at()?;
    if before < first_at {
        return None;
    }
    let earlier = Moment::of(moment.deal, moment.model, before);
    Some(score - tally(&earlier).score)
}

fn factors(moment: &Moment, step: &BuyersStep) -> [f64; Modifier::ALL.len()] {
    let model = moment.model;
    let opposition = |topic| moment.opposing(topic);
    Modifier::ALL.map(|modifier| match modifier {
        Modifier::StageMisalignment => {
            (1.0 - model.misalignment_per_step).powi(i32::from(step.gap))
        }
        Modifier::CloseDateSlips => {
            let slips = stage::slips(moment).len();
            model
                .slip_factor_min
                .max(model.slip_factor.powf(slips as f64))
        }
        Modifier::PlanSlippage => {
            let overdue = stage::overdue(moment).len();
            model
                .overdue_factor_min
                .max(model.overdue_factor.powf(overdue as f64))
        }
        Modifier::Priority => {
            let against = opposition(Topic::Priority).max(moment.deferral(Topic::Priority));
            1.0 - model.priority_weight * against
        }
        Modifier::Alternative => 1.0 - model.alternative_weight * opposition(Topic::Alternative),
        Modifier::Engagement => 1.0 - model.engagement_weight * opposition(Topic::Engagement),
    })
}

fn gates(moment: &Moment, levels: &[f64; Topic::CRITERIA.len()]) -> [bool; Gate::ALL.len()] {
    let unvoiced = |topic: Topic| levels[topic.index()] < moment.model.level_unvoiced;
    Gate::ALL.map(|gate| match gate {
        Gate::AlternativeChosen => opposed_by_decider(moment, Topic::Alternative, |conviction| {
            conviction == Conviction::Committed
        }),
        Gate::RiskAccepted => {
            opposed_by_decider(moment, Topic::Consequence, |_| true)
                || opposed_by_decider(moment, Topic::StatusQuo, |_| true)
        }
        Gate::ProblemUnvoiced => unvoiced(Topic::Problem),
        Gate::ConsequenceUnknown => unvoiced(Topic::Consequence),
        Gate::NoCommitmentToChange => unvoiced(Topic::StatusQuo),
        Gate::DecisionMakerUnheard => {
            !moment.any_decider(|_, present| present.is_heard_at(moment.as_of))
        }
    })
}

fn opposed_by_decider(moment: &Moment, topic: Topic, firm: fn(Conviction) -> bool) -> bool {
    moment.positions(topic).iter().any(|position| {
        let present = &moment.people[position.person];
        !present.departed
            && present.roles.decides()
            && position
                .opposition
                .is_some_and(|claim| firm(claim.entry.value.conviction))
    })
}
