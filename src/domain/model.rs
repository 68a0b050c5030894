//! The numbers of the score. Each is data of a model file; none is a literal in a rule.
//!
//! The values of the default model, with their sources, are in `models/v1.toml`.

use crate::domain::scale::Gate;
use crate::domain::stakeholder::BuyingRole;
use crate::domain::stakeholder::Roles;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Conviction;
use crate::domain::topic::Topic;

/// A scoring model. [`Model::faults`] tells whether it may be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Told with each answer.
    pub version: String,
    /// In the order of [`Topic::ALL`].
    pub topics: [TopicModel; Topic::ALL.len()],
    /// In the order of [`Conviction::ALL`]: what a claim counts by how far the person owns it.
    pub convictions: [f64; Conviction::ALL.len()],
    /// What the buyer's own words count.
    pub verbatim: f64,
    /// What notes of them count.
    pub paraphrased: f64,
    /// In the order of [`BuyingRole::ALL`].
    pub standings: [f64; BuyingRole::ALL.len()],
    /// The standing of a person without a role.
    pub standing_unknown: f64,
    /// What is left of the standing of a person who departed.
    pub departed_factor: f64,
    /// The half-life of a GO_LIVE claim without a target date.
    pub undated_go_live_half_life_days: f64,
    /// What a deferral leaves of support.
    pub deferral_factor: f64,
    /// The share of CONSENSUS that is what people say of the group; the rest is how much of it was heard.
    pub consensus_said_share: f64,
    /// The least sum of standings that the heard are held against.
    pub consensus_standing_min: f64,
    /// What one step of misalignment costs, as a share.
    pub misalignment_per_step: f64,
    /// The most steps of a gap that count against a step nobody stated.
    pub derived_gap_max: u8,
    pub slip_factor: f64,
    pub slip_factor_min: f64,
    /// A close date moved by fewer days than this is not a slip.
    pub slip_days_min: i32,
    pub overdue_factor: f64,
    pub overdue_factor_min: f64,
    /// The most that PRIORITY, ALTERNATIVE and ENGAGEMENT can take, as shares.
    pub priority_weight: f64,
    /// What "later" counts against "not at all" in PRIORITY.
    pub priority_deferral_weight: f64,
    pub alternative_weight: f64,
    pub engagement_weight: f64,
    /// In the order of [`Gate::ALL`].
    pub caps: [f64; Gate::ALL.len()],
    /// Below this level a topic counts as unvoiced.
    pub level_unvoiced: f64,
    /// The least score of EXPLORING, CONSIDERING, COMMITTED and COMPELLED.
    pub bands: [f64; 4],
    /// The least score of Pipeline, Best Case and Commit.
    pub categories: [f64; 3],
    /// The least level of each rung from PROBLEM_IDENTIFICATION to APPROVAL.
    pub rungs: [f64; 6],
    pub seller_stages: Vec<SellerStage>,
    pub stage_probabilities: Vec<StageProbability>,
    pub dark_days: f64,
    pub unheard_days: f64,
    pub stalled_days: f64,
    pub stalled_slips: usize,
    pub slowing_days: f64,
    pub slowing_momentum: f64,
    /// The span over which momentum is measured.
    pub momentum_days: f64,
    /// At level(VALUE) of at least this the buyer is taken with the future.
    pub value_taken: f64,
}

/// The numbers of one topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopicModel {
    /// What a level of 1 earns; 0 for a signal.
    pub weight: f64,
    /// `None`: does not fade (GO_LIVE, which has a date).
    pub half_life_days: Option<f64>,
}

/// A CRM's stage and the step that it presumes of the buyer.
#[derive(Clone, Debug, PartialEq)]
pub struct SellerStage {
    pub name: String,
    pub presumes: BuyingStage,
}

/// A CRM's stage and the probability that the seller's own forecast gives a deal there.
#[derive(Clone, Debug, PartialEq)]
pub struct StageProbability {
    pub name: String,
    /// 0 to 1.
    pub probability: f64,
}

/// What is wrong with a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Fault {
    /// The key in a model file, such as `topics.PROBLEM.weight`.
    pub path: String,
    pub problem: String,
}

/// How far from 100 the sum of the weights may be, for weights that have no exact binary form.
const WEIGHT_SUM_TOLERANCE: f64 = 1e-9;

impl Model {
    pub fn topic(&self, topic: Topic) -> &TopicModel {
        &self.topics[topic.index()]
    }

    /// The standing of a person with these roles who is still there: that of the best role.
    pub fn standing(&self, roles: Roles) -> f64 {
        if roles.is_empty() {
            return self.standing_unknown;
        }
        roles
            .iter()
            .map(|role| self.standings[role as usize])
            .fold(0.0, f64::max)
    }

    /// The step that a CRM's stage presumes of the buyer; `None` for a stage that the model does not know.
    ///
    /// Matched without regard to case, spaces or punctuation.
    pub fn presumes(&self, seller_stage: &str) -> Option<BuyingStage> {
        let stages = &self.seller_stages;
        // Most CRMs write a name as the model does, and that is told at a glance.
        let as_written = stages.iter().find(|stage| stage.name == seller_stage);
        as_written
            .or_else(|| {
                stages
                    .iter()
                    .find(|stage| same_letters(&stage.name, seller_stage))
            })
            .map(|stage| stage.presumes)
    }

    pub fn cap(&self, gate: Gate) -> f64 {
        self.caps[gate as usize]
    }

    /// Everything that is wrong with it; empty when it may be used.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check_topics(&mut faults);
        self.check_shares(&mut faults);
        self.check_thresholds(&mut faults);
        self.check_stages(&mut faults);
        if self.version.is_empty() || 64 < self.version.len() {
            faults.push(fault("version", "must be 1 to 64 bytes".into()));
        }
        faults
    }

    fn check_topics(&self, faults: &mut Vec<Fault>) {
        for topic in Topic::ALL {
            let TopicModel {
                weight,
                half_life_days,
            } = *self.topic(topic);
            let path = format!("topics.{}", topic.name());
            let criterion = Topic::CRITERIA.contains(&topic);
            if criterion && !(0.0..=100.0).contains(&weight) {
                faults.push(fault(
                    &format!("{path}.weight"),
                    format!("must be from 0 to 100, got {weight}"),
                ));
            }
            if !criterion && weight != 0.0 {
                faults.push(fault(
                    &format!("{path}.weight"),
                    "must be absent: a signal earns nothing".into(),
                ));
            }
            match half_life_days {
                None if topic != Topic::GoLive => faults.push(fault(
                    &format!("{path}.half_life_days"),
                    "must be set".into(),
                )),
                Some(_) if topic == Topic::GoLive => faults.push(fault(
                    &format!("{path}.half_life_days"),
                    "must be absent: it counts until its date".into(),
                )),
                Some(days) => check_days(faults, &format!("{path}.half_life_days"), days),
                None => {}
            }
        }
        let sum: f64 = self.topics.iter().map(|topic| topic.weight).sum();
        if sum.is_nan() || WEIGHT_SUM_TOLERANCE < (sum - 100.0).abs() {
            faults.push(fault(
                "topics",
                format!("the weights must add up to 100, got {sum}"),
            ));
        }
    }

    fn check_shares(&self, faults: &mut Vec<Fault>) {
        let mut shares = vec![
            ("attribution.VERBATIM".into(), self.verbatim),
            ("attribution.PARAPHRASED".into(), self.paraphrased),
            ("standing.UNKNOWN".into(), self.standing_unknown),
            ("departed_factor".into(), self.departed_factor),
            ("deferral_factor".into(), self.deferral_factor),
            ("consensus.said_share".into(), self.consensus_said_share),
            ("level_unvoiced".into(), self.level_unvoiced),
            ("value_taken".into(), self.value_taken),
            (
                "modifiers.priority_deferral_weight".into(),
                self.priority_deferral_weight,
            ),
        ];
        for conviction in Conviction::ALL {
            let path = format!("conviction.{}", conviction.name());
            shares.push((path, self.convictions[conviction as usize]));
        }
        for role in BuyingRole::ALL {
            let path = format!("standing.{}", role.name());
            shares.push((path, self.standings[role as usize]));
        }
        for (stage, level) in BuyingStage::ALL[1..].iter().zip(self.rungs) {
            shares.push((format!("stage_rungs.{}", stage.name()), level));
        }
        for (path, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                faults.push(fault(&path, format!("must be from 0 to 1, got {share}")));
            }
        }
        // A modifier stays above 0, or it could not be told from a gate.
        for (path, taken) in [
            (
                "modifiers.stage_misalignment_per_step",
                self.misalignment_per_step,
            ),
            ("modifiers.priority_weight", self.priority_weight),
            ("modifiers.alternative_weight", self.alternative_weight),
            ("modifiers.engagement_weight", self.engagement_weight),
        ] {
            if !(0.0..1.0).contains(&taken) {
                faults.push(fault(
                    path,
                    format!("must be from 0 to below 1, got {taken}"),
                ));
            }
        }
        for (path, factor) in [
            ("modifiers.slip_factor", self.slip_factor),
            ("modifiers.slip_factor_min", self.slip_factor_min),
            ("modifiers.overdue_factor", self.overdue_factor),
            ("modifiers.overdue_factor_min", self.overdue_factor_min),
        ] {
            if !(0.0 < factor && factor <= 1.0) {
                faults.push(fault(
                    path,
                    format!("must be above 0 and at most 1, got {factor}"),
                ));
            }
        }
    }

    fn check_thresholds(&self, faults: &mut Vec<Fault>) {
        check_rising(faults, "bands", &self.bands);
        check_rising(faults, "forecast_categories", &self.categories);
        for gate in Gate::ALL {
            let cap = self.cap(gate);
            if !(0.0..=100.0).contains(&cap) {
                faults.push(fault(
                    &format!("gates.{}", gate.name()),
                    format!("must be from 0 to 100, got {cap}"),
                ));
            }
        }
        for (path, days) in [
            (
                "undated_go_live_half_life_days",
                self.undated_go_live_half_life_days,
            ),
            ("states.dark_days", self.dark_days),
            ("states.unheard_days", self.unheard_days),
            ("states.stalled_days", self.stalled_days),
            ("states.slowing_days", self.slowing_days),
            ("momentum_days", self.momentum_days),
        ] {
            check_days(faults, path, days);
        }
        if !(0.0 < self.consensus_standing_min && self.consensus_standing_min <= 100.0) {
            faults.push(fault(
                "consensus.standing_min",
                format!(
                    "must be above 0 and at most 100, got {}",
                    self.consensus_standing_min
                ),
            ));
        }
        if !(-100.0..=0.0).contains(&self.slowing_momentum) {
            faults.push(fault(
                "states.slowing_momentum",
                format!("must be from -100 to 0, got {}", self.slowing_momentum),
            ));
        }
        if !(1..=365).contains(&self.slip_days_min) {
            faults.push(fault(
                "modifiers.slip_days_min",
                format!("must be from 1 to 365, got {}", self.slip_days_min),
            ));
        }
        if 7 < self.derived_gap_max {
            faults.push(fault(
                "modifiers.derived_gap_max",
                format!("must be from 0 to 7, got {}", self.derived_gap_max),
            ));
        }
    }

    fn check_stages(&self, faults: &mut Vec<Fault>) {
        let stages = self.seller_stages.iter().map(|stage| stage.name.as_str());
        check_names(faults, "seller_stages", &stages.collect::<Vec<_>>());
        let stages = self.stage_probabilities.iter();
        let names = stages.clone().map(|stage| stage.name.as_str());
        check_names(faults, "stage_probabilities", &names.collect::<Vec<_>>());
        for StageProbability { name, probability } in stages {
            if !(0.0..=1.0).contains(probability) {
                faults.push(fault(
                    &format!("stage_probabilities.{name:?}"),
                    format!("must be from 0 to 1, got {probability}"),
                ));
            }
        }
    }
}

fn check_names(faults: &mut Vec<Fault>, table: &str, names: &[&str]) {
    for (place, name) in names.iter().enumerate() {
        let path = format!("{table}.{name:?}");
        if !name.chars().any(char::is_alphanumeric) {
            faults.push(fault(&path, "must have a letter or a digit".into()));
        }
        let twin = names[..place]
            .iter()
            .find(|earlier| same_letters(earlier, name));
        if let Some(twin) = twin {
            faults.push(fault(&path, format!("reads the same as {twin:?}")));
        }
    }
}

fn fault(path: &str, problem: String) -> Fault {
    Fault {
        path: path.into(),
        problem,
    }
}

fn check_days(faults: &mut Vec<Fault>, path: &str, days: f64) {
    if !(1.0..=3650.0).contains(&days) {
        faults.push(fault(
            path,
            format!("must be from 1 to 3650 days, got {days}"),
        ));
    }
}

fn check_rising(faults: &mut Vec<Fault>, path: &str, scores: &[f64]) {
    if !scores.iter().all(|score| (0.0..=100.0).contains(score)) {
        faults.push(fault(
            path,
            format!("must be from 0 to 100, got {scores:?}"),
        ));
    }
    if !scores.is_sorted_by(|low, high| low < high) {
        faults.push(fault(path, format!("must rise, got {scores:?}")));
    }
}

/// Whether two names of a stage are the same without regard to case, spaces and punctuation.
pub fn same_letters(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
}
