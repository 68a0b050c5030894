//! The laws of the score, over random histories and moments.

use proptest::prelude::*;
use verbatim::domain::deal::Deal;
use verbatim::domain::event::Event;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::Retraction;
use verbatim::domain::loss;
use verbatim::domain::loss::CauseSet;
use verbatim::domain::moment::Moment;
use verbatim::domain::score;
use verbatim::domain::score::Score;
use verbatim::domain::stall;
use verbatim::domain::statement::Claim;
use verbatim::domain::statement::Statement;
use verbatim::domain::statement::Voice;
use verbatim::domain::text::Id;
use verbatim::domain::text::Reason;
use verbatim::domain::time::Instant;
use verbatim::domain::time::Span;
use verbatim::domain::topic::Conviction;
use verbatim::domain::topic::Stance;
use verbatim::domain::topic::Topic;
use verbatim::model_file;

use crate::histories;
use crate::histories::history;
use crate::histories::moment;
use crate::histories::recorded;

/// What sums may be off, as the interface promises.
const EXACT: f64 = 1e-9;

pub fn score_at(events: &[Event], as_of: Instant) -> Score {
    score::score(&Deal::replay(events), model_file::default(), as_of)
}

/// Two scores of one deal told in other ways must agree in every number.
pub fn agree(one: &Score, other: &Score) -> Result<(), TestCaseError> {
    let numbers = |score: &Score| {
        let criteria = score.criteria.iter();
        let mut numbers: Vec<f64> = criteria
            .flat_map(|criterion| [criterion.level, criterion.support, criterion.opposition])
            .collect();
        numbers.extend(score.modifiers.iter().map(|modifier| modifier.factor));
        numbers.extend([score.score, score.base, score.cap_points]);
        numbers
    };
    for (one, other) in numbers(one).into_iter().zip(numbers(other)) {
        prop_assert!((one - other).abs() <= EXACT, "{one} is not {other}");
    }
    prop_assert_eq!(&one.step, &other.step);
    prop_assert_eq!(one.gates.len(), other.gates.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn points_gained_add_up_to_the_score(facts in history(), as_of in moment()) {
        let score = score_at(&recorded(facts), as_of);
        let criteria: f64 = score.criteria.iter().map(|criterion| criterion.points).sum();
        let modifiers: f64 = score.modifiers.iter().map(|modifier| modifier.points).sum();
        let sum = criteria + modifiers + score.cap_points;
        prop_assert!((sum - score.score).abs() <= EXACT, "{sum} is not {}", score.score);
    }

    #[test]
    fn points_lost_add_up_to_what_is_missing_from_100(facts in history(), as_of in moment()) {
        let deal = Deal::replay(&recorded(facts));
        let moment = Moment::of(&deal, model_file::default(), as_of);
        let tally = score::tally(&moment);
        let stall = stall::explain(&moment, &tally);
        let lost: f64 = stall.causes.iter().map(|cause| cause.points).sum();
        prop_assert!((lost - (100.0 - tally.score)).abs() <= EXACT);
        for cause in &stall.causes {
            let cells: f64 = cause.cells.iter().map(|cell| cell.points).sum();
            prop_assert!((cells - cause.points).abs() <= EXACT);
            prop_assert!(cause.cells.iter().all(|cell| 0.0 <= cell.points));
            prop_assert!(tally.score - EXACT <= cause.score_if_resolved);
        }
    }

    #[test]
    fn every_number_stays_within_its_bounds(facts in history(), as_of in moment()) {
        let score = score_at(&recorded(facts), as_of);
        prop_assert!((0.0..=100.0).contains(&score.score));
        prop_assert!(score.score <= score.base + EXACT && score.base <= 100.0 + EXACT);
        prop_assert!(score.step.gap <= 7 && score.heard <= score.active);
        for criterion in &score.criteria {
            prop_assert!((0.0..=1.0).contains(&criterion.level), "{criterion:?}");
            for evidence in &criterion.evidence {
                prop_assert!((0.0..=1.0).contains(&evidence.strength), "{evidence:?}");
                prop_assert!(evidence.said_at <= as_of);
            }
        }
        for modifier in &score.modifiers {
            prop_assert!(0.0 < modifier.factor && modifier.factor <= 1.0 && modifier.points <= 0.0);
        }
        prop_assert!(score.cap_points <= 0.0);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (facts, shuffled) in history().prop_flat_map(|facts| {
            (Just(facts.clone()), Just(facts).prop_shuffle())
        }),
        as_of in moment(),
    ) {
        let one = score_at(&recorded(facts), as_of);
        let other = score_at(&recorded(shuffled), as_of);
        agree(&one, &other)?;
        prop_assert_eq!(one.momentum.is_some(), other.momentum.is_some());
    }

    #[test]
    fn what_the_seller_believes_never_changes_a_score(facts in history(), as_of in moment()) {
        let said: Vec<Fact> = facts
            .iter()
            .filter(|fact| match fact {
                Fact::Statement(statement) => !matches!(statement.voice, Voice::Seller { .. }),
                _ => true,
            })
            .cloned()
            .collect();
        agree(&score_at(&recorded(facts), as_of), &score_at(&recorded(said), as_of))?;
    }

    #[test]
    fn a_retraction_equals_never_having_recorded(
        facts in history(),
        which in any::<prop::sample::Index>(),
        as_of in moment(),
    ) {
        let statements: Vec<&Statement> = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Statement(statement) => Some(statement),
                _ => None,
            })
            .collect();
        prop_assume!(!statements.is_empty());
        let taken_back = which.get(&statements).id.clone();
        let never: Vec<Fact> = facts
            .iter()
            .filter(|fact| match fact {
                Fact::Statement(statement) => statement.id != taken_back,
                _ => true,
            })
            .cloned()
            .collect();
        let mut retracted = facts.clone();
        retracted.push(Fact::Retraction(Retraction {
            statement: taken_back,
            reason: Reason::new("misheard").unwrap(),
        }));

        let retracted = score_at(&recorded(retracted), as_of);
        let never = score_at(&recorded(never), as_of);
        agree(&retracted, &never)?;
        prop_assert_eq!(retracted.momentum.is_some(), never.momentum.is_some());
        prop_assert_eq!(retracted.active, never.active);
        prop_assert_eq!(retracted.hypotheses.len(), never.hypotheses.len());
    }

    #[test]
    fn saying_it_again_never_lowers_the_score(
        facts in history(),
        which in any::<prop::sample::Index>(),
        later_hours in 0..2_000_i32,
    ) {
        let again: Vec<(Statement, Claim)> = latest_of_each_rung(&facts);
        prop_assume!(!again.is_empty());
        let (mut statement, claim) = which.get(&again).clone();
        let as_of = histories::end().plus(Span::minutes(60 * later_hours));
        statement.id = Id::new("again").unwrap();
        statement.said_at = as_of;
        statement.claims = vec![Claim { buying_stage: None, ..claim }];
        if let Voice::Buyer { speaker, .. } = &mut statement.voice {
            speaker.roles = None;
        }
        let before = score_at(&recorded(facts.clone()), as_of).score;
        let mut more = facts;
        more.push(Fact::Statement(statement));
        let after = score_at(&recorded(more), as_of).score;
        prop_assert!(before - EXACT <= after, "{before} fell to {after}");
    }

    #[test]
    fn freshness_only_falls_as_time_passes(facts in history(), hours in 1..5_000_i32) {
        let deal = Deal::replay(&recorded(facts));
        let earlier = score::score(&deal, model_file::default(), histories::end());
        let as_of = histories::end().plus(Span::minutes(60 * hours));
        let later = score::score(&deal, model_file::default(), as_of);
        for (earlier, later) in earlier.criteria.iter().zip(&later.criteria) {
            for late in &later.evidence {
                let same = earlier.evidence.iter().find(|early| {
                    early.statement == late.statement && early.stance == late.stance
                        && early.conviction == late.conviction
                });
                if let Some(early) = same {
                    prop_assert!(late.freshness <= early.freshness);
                    prop_assert!(late.strength <= early.strength + EXACT);
                }
            }
            prop_assert!(later.support <= earlier.support + EXACT);
        }
    }

    #[test]
    fn resolving_every_cause_gives_100(facts in history(), as_of in moment()) {
        let deal = Deal::replay(&recorded(facts));
        let moment = Moment::of(&deal, model_file::default(), as_of);
        let tally = score::tally(&moment);
        let losses = loss::losses(&moment, &tally);
        let all: CauseSet = losses.causes().collect();
        let reached = losses.score_if_resolved(&moment, &tally, all);
        prop_assert!((reached - 100.0).abs() <= EXACT, "{reached}");
    }

    #[test]
    fn each_next_step_lifts_the_score_and_none_could_lift_it_more(facts in history(), as_of in moment()) {
        let deal = Deal::replay(&recorded(facts));
        let moment = Moment::of(&deal, model_file::default(), as_of);
        let tally = score::tally(&moment);
        let losses = loss::losses(&moment, &tally);
        let mut resolved = CauseSet::NONE;
        let mut score = tally.score;
        for (cause, reached) in stall::explain(&moment, &tally).next_steps {
            prop_assert!(score < reached && reached <= 100.0 + EXACT);
            for other in losses.causes().filter(|other| !resolved.holds(*other)) {
                let with = losses.score_if_resolved(&moment, &tally, resolved.with(other));
                prop_assert!(with <= reached + EXACT, "{other:?} would reach {with}");
            }
            resolved = resolved.with(cause);
            score = reached;
        }
    }
}

/// The claims that are the last of their speaker on their topic, conviction and attribution, with their statements.
fn latest_of_each_rung(facts: &[Fact]) -> Vec<(Statement, Claim)> {
    let mut latest: Vec<(Statement, Claim)> = Vec::new();
    for fact in facts {
        let Fact::Statement(statement) = fact else {
            continue;
        };
        if matches!(statement.voice, Voice::Seller { .. }) {
            continue;
        }
        for claim in statement
            .claims
            .iter()
            .filter(|claim| claim.stance == Stance::Supports)
        {
            let rung = |statement: &Statement, claim: &Claim| {
                // A wish for results without a date is a nod at most.
                let undated = claim.topic == Topic::GoLive && claim.target_date.is_none();
                (
                    statement
                        .voice
                        .speaker()
                        .map(|speaker| speaker.stakeholder.clone()),
                    statement.voice.attribution(),
                    claim.topic,
                    match undated {
                        true => Conviction::Acknowledged,
                        false => claim.conviction,
                    },
                )
            };
            latest.retain(|(other, earlier)| {
                rung(other, earlier) != rung(statement, claim) || statement.said_at < other.said_at
            });
            let newest = latest
                .iter()
                .all(|(other, earlier)| rung(other, earlier) != rung(statement, claim));
            if newest {
                latest.push((statement.clone(), claim.clone()));
            }
        }
    }
    latest
}
