//! Why a deal does not move: every lost point given one cause, and what would bring it back.
//!
//! Law: the points of the causes add up to 100 less the score, to within 1e-9.
//!
//! What is decided here is numbers and whose words to cite; the sentences are made in `phrase`.

use crate::domain::contradiction;
use crate::domain::contradiction::Contradiction;
use crate::domain::evidence;
use crate::domain::evidence::Evidence;
use crate::domain::evidence::Hypothesis;
use crate::domain::loss;
use crate::domain::loss::CauseSet;
use crate::domain::loss::Cell;
use crate::domain::loss::CellOf;
use crate::domain::loss::Impairment;
use crate::domain::loss::Losses;
use crate::domain::loss::StallCause;
use crate::domain::moment::Lift;
use crate::domain::moment::Moment;
use crate::domain::moment::Position;
use crate::domain::scale::Gate;
use crate::domain::score::Tally;
use crate::domain::score::momentum;
use crate::domain::state;
use crate::domain::state::StateSince;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// Why a deal does not move, in numbers and citations.
#[derive(Clone, Debug)]
pub struct Stall {
    pub state: StateSince,
    pub score: f64,
    /// By points lost, the most first.
    pub causes: Vec<Cause>,
    /// Each on top of those before it, with the score reached.
    pub next_steps: Vec<(StallCause, f64)>,
    pub contradictions: Vec<Contradiction>,
    /// The gate that says so, with the words that opened it.
    pub walk_away: Option<(Gate, Evidence)>,
    pub reminders: Vec<(Reminder, Evidence)>,
}

/// One cause and what it costs.
#[derive(Clone, Debug)]
pub struct Cause {
    pub cause: StallCause,
    pub points: f64,
    pub score_if_resolved: f64,
    pub cells: Vec<Cell>,
    /// The strongest first; at most four, which is what fits a side panel.
    pub evidence: Vec<Evidence>,
    /// What the seller believes of what is missing and nobody has put to the buyer, the latest first.
    pub hypotheses: Vec<Hypothesis>,
}

/// Which of their own words to give back to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    MustChange,
    Waiting,
    Worth,
}

/// The most statements cited for one cause: what fits a side panel.
const CITED_MAX: usize = 4;
/// The most next steps.
const STEPS_MAX: usize = 5;

/// Explains a moment.
pub fn explain(moment: &Moment, tally: &Tally) -> Stall {
    let losses = loss::losses(moment, tally);
    let causes = losses
        .ranked()
        .into_iter()
        .map(|(cause, points)| {
            let alone = CauseSet::NONE.with(cause);
            let cells: Vec<Cell> = losses.of(cause).copied().collect();
            Cause {
                cause,
                points,
                score_if_resolved: losses.score_if_resolved(moment, tally, alone),
                evidence: cited(moment, cause, &cells),
                hypotheses: unasked(moment, &cells),
                cells,
            }
        })
        .collect();
    Stall {
        state: state::state(moment, momentum(moment, tally.score)),
        score: tally.score,
        causes,
        next_steps: next_steps(moment, tally, &losses),
        contradictions: contradiction::find(moment),
        walk_away: walk_away(moment, tally),
        reminders: reminders(moment),
    }
}

impl Stall {
    /// The revisions of the statements whose words are cited.
    pub fn citations(&self) -> impl Iterator<Item = u64> {
        let causes = self.causes.iter().flat_map(|cause| &cause.evidence);
        let guesses = self.causes.iter().flat_map(|cause| &cause.hypotheses);
        let contradictions = self
            .contradictions
            .iter()
            .flat_map(|pair| [&pair.earlier, &pair.later]);
        let walk_away = self.walk_away.iter().map(|(_, evidence)| evidence);
        let reminders = self.reminders.iter().map(|(_, evidence)| evidence);
        causes
            .chain(contradictions)
            .chain(walk_away)
            .chain(reminders)
            .map(|evidence| evidence.statement)
            .chain(guesses.map(|hypothesis| hypothesis.statement))
    }
}

/// Greedily the cause that lifts most, then the next on top of it.
fn next_steps(moment: &Moment, tally: &Tally, losses: &Losses) -> Vec<(StallCause, f64)> {
    let [_, _, commit] = moment.model.categories;
    let mut steps = Vec::new();
    let mut resolved = CauseSet::NONE;
    let mut score = tally.score;
    while steps.len() < STEPS_MAX && score < commit {
        let reached: Vec<(StallCause, f64)> = losses
            .causes()
            .filter(|cause| !resolved.holds(*cause))
            .map(|cause| {
                let with = resolved.with(cause);
                (cause, losses.score_if_resolved(moment, tally, with))
            })
            .collect();
        let Some(best) = loss::first_of_most(&reached).map(|place| reached[place]) else {
            break;
        };
        if best.1 - score <= loss::ROUNDING {
            break;
        }
        steps.push(best);
        resolved = resolved.with(best.0);
        score = best.1;
    }
    steps
}

/// A statement to cite, and how much it has to do with the loss: points, or as good as.
type Ranked = (f64, Evidence);

/// The words behind a cause, those that matter most first, each statement once.
fn cited(moment: &Moment, cause: StallCause, cells: &[Cell]) -> Vec<Evidence> {
    let mut ranked: Vec<Ranked> = Vec::new();
    for cell in cells {
        match cell.of {
            CellOf::Criterion(topic, impairment) => {
                behind_loss(moment, cause, topic, impairment, &mut ranked);
            }
            CellOf::Modifier(_) => {}
            CellOf::Gate(gate) => ranked.extend(by_strength(moment, behind_gate(moment, gate))),
        }
    }
    ranked.extend(match cause {
        StallCause::Deprioritized => against(moment, Topic::Priority),
        StallCause::AlternativePreferred => against(moment, Topic::Alternative),
        StallCause::BuyerDisengaged => against(moment, Topic::Engagement),
        _ => Vec::new(),
    });
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    // What was said beside the matter comes after what was said about it.
    ranked.extend(match cause {
        // They named the problem, so that is where to ask what it costs.
        StallCause::ConsequenceUnknown => for_it(moment, Topic::Problem),
        // They like the future, which is not yet a reason to leave the present.
        StallCause::NoCommitmentToChange => for_it(moment, Topic::Value),
        _ => Vec::new(),
    });
    let mut cited: Vec<Evidence> = Vec::new();
    for (_, evidence) in ranked {
        if cited
            .iter()
            .all(|other| other.statement != evidence.statement)
        {
            cited.push(evidence);
        }
    }
    cited.truncate(CITED_MAX);
    cited
}

/// The hypotheses on the criteria that nobody supports.
fn unasked(moment: &Moment, cells: &[Cell]) -> Vec<Hypothesis> {
    let missing = |topic| {
        let cell_of = CellOf::Criterion(topic, Impairment::Missing);
        cells.iter().any(|cell| cell.of == cell_of)
    };
    let mut unasked = evidence::hypotheses(moment);
    unasked.retain(|hypothesis| missing(hypothesis.topic));
    unasked.reverse();
    unasked.truncate(CITED_MAX);
    unasked
}

fn behind_loss(
    moment: &Moment,
    cause: StallCause,
    topic: Topic,
    impairment: Impairment,
    ranked: &mut Vec<Ranked>,
) {
    let weight = moment.model.topic(topic).weight;
    for position in moment.positions(topic) {
        let now = moment.support(position, Lift::Nothing);
        let would_be = |lift| weight * (moment.support(position, lift) - now);
        let lost = || evidence::lost_support(moment, position, topic);
        let opposed = || evidence::opposition(moment, position, topic);
        let found = match impairment {
            Impairment::Opposed => opposed().map(|against| (weight * against.strength, against)),
            Impairment::Deferred => evidence::deferral(moment, position, topic)
                .filter(|deferral| is_later(moment, position, deferral))
                .map(|deferral| (would_be(Lift::Deferral), deferral)),
            Impairment::Drifted => lost()
                .filter(|lost| lost.freshness < 1.0)
                .map(|lost| (would_be(Lift::Age), lost)),
            Impairment::Departed => {
                let present = &moment.people[position.person];
                let decider = cause == StallCause::DecisionMakerChanged;
                lost()
                    .filter(|_| present.departed && present.roles.decides() == decider)
                    .map(|lost| (would_be(Lift::Departure), lost))
            }
            Impairment::Missing => {
                evidence::support(moment, position, topic).map(|support| (weight * now, support))
            }
        };
        ranked.extend(found);
    }
}

/// Whether the person supported the topic before they deferred it.
fn is_later(moment: &Moment, position: &Position, deferral: &Evidence) -> bool {
    evidence::lost_support(moment, position, deferral.topic)
        .is_some_and(|support| support.said_at < deferral.said_at)
}

fn behind_gate(moment: &Moment, gate: Gate) -> Vec<Evidence> {
    let deciders_against = |topic: Topic, firm: fn(Conviction) -> bool| {
        moment
            .positions(topic)
            .iter()
            .filter(|position| {
                let present = &moment.people[position.person];
                !present.departed && present.roles.decides()
            })
            .filter_map(move |position| evidence::opposition(moment, position, topic))
            .filter(|evidence| firm(evidence.conviction))
            .collect::<Vec<_>>()
    };
    match gate {
        Gate::AlternativeChosen => deciders_against(Topic::Alternative, |conviction| {
            conviction == Conviction::Committed
        }),
        Gate::RiskAccepted => {
            let mut against = deciders_against(Topic::Consequence, |_| true);
            against.extend(deciders_against(Topic::StatusQuo, |_| true));
            against
        }
        Gate::ProblemUnvoiced
        | Gate::ConsequenceUnknown
        | Gate::NoCommitmentToChange
        | Gate::DecisionMakerUnheard => Vec::new(),
    }
}

/// Who is against it, or against it now, on a signal.
fn against(moment: &Moment, topic: Topic) -> Vec<Ranked> {
    let mut against = Vec::new();
    for position in moment.positions(topic) {
        against.extend(evidence::opposition(moment, position, topic));
        let deferred = moment.latest_stance(position) == Some(Stance::Defers);
        if topic == Topic::Priority && deferred {
            against.extend(evidence::deferral(moment, position, topic));
        }
    }
    by_strength(moment, against)
}

fn for_it(moment: &Moment, topic: Topic) -> Vec<Ranked> {
    let supports = evidence::counting(moment, topic)
        .into_iter()
        .filter(|evidence| evidence.stance == Stance::Supports);
    by_strength(moment, supports.take(2).collect())
}

/// Ranks by strength, and by what a criterion weighs; a signal weighs 1.
fn by_strength(moment: &Moment, evidence: Vec<Evidence>) -> Vec<Ranked> {
    evidence
        .into_iter()
        .map(|evidence| {
            let weight = moment.model.topic(evidence.topic).weight.max(1.0);
            (weight * evidence.strength, evidence)
        })
        .collect()
}

fn walk_away(moment: &Moment, tally: &Tally) -> Option<(Gate, Evidence)> {
    [Gate::AlternativeChosen, Gate::RiskAccepted]
        .into_iter()
        .filter(|gate| tally.gates[*gate as usize])
        .find_map(|gate| {
            let latest = behind_gate(moment, gate)
                .into_iter()
                .max_by_key(|evidence| evidence.said_at)?;
            Some((gate, latest))
        })
}

/// The strongest live words on why they must change, what they miss by waiting, and what it is worth to them.
fn reminders(moment: &Moment) -> Vec<(Reminder, Evidence)> {
    let strongest = |topics: &[Topic]| {
        topics
            .iter()
            .flat_map(|topic| evidence::counting(moment, *topic))
            .filter(|evidence| evidence.stance == Stance::Supports && 0.0 < evidence.strength)
            .reduce(|best, next| {
                if best.strength < next.strength {
                    next
                } else {
                    best
                }
            })
    };
    [
        (
            Reminder::MustChange,
            strongest(&[Topic::StatusQuo, Topic::Consequence]),
        ),
        (Reminder::Waiting, strongest(&[Topic::GoLive])),
        (Reminder::Worth, strongest(&[Topic::Value])),
    ]
    .into_iter()
    .filter_map(|(reminder, evidence)| Some((reminder, evidence?)))
    .collect()
}
