//! The laws of a comparison and of a trend, over random histories that are told late and taken back.

use proptest::prelude::*;
use verbatim::domain::deal::Deal;
use verbatim::domain::difference::Between;
use verbatim::domain::difference::Difference;
use verbatim::domain::difference::Seen;
use verbatim::domain::event::Event;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::Retraction;
use verbatim::domain::ledger::Ledger;
use verbatim::domain::score;
use verbatim::domain::text::Id;
use verbatim::domain::text::Reason;
use verbatim::domain::time::Instant;
use verbatim::domain::time::Span;
use verbatim::domain::trend::Knowledge;
use verbatim::domain::trend::Lived;
use verbatim::domain::trend::Point;
use verbatim::domain::trend::Shown;
use verbatim::domain::trend::TrendStep;
use verbatim::domain::trend::moments;
use verbatim::domain::walk;
use verbatim::domain::walk::Change;
use verbatim::domain::walk::ChangeKind;
use verbatim::model_file;

use crate::histories;
use crate::histories::effective_at;
use crate::histories::history;
use crate::histories::moment;
use crate::histories::recorded;

/// What sums may be off, as the interface promises.
const EXACT: f64 = 1e-9;

/// A history that is told up to three weeks late, with statements that are taken back up to a month after.
fn told() -> impl Strategy<Value = Vec<Event>> {
    let lateness = prop::collection::vec((0..500_i32, prop::option::weighted(0.2, 0..700_i32)), 40);
    (history(), lateness).prop_map(|(facts, lateness)| {
        let mut told: Vec<(Instant, Fact)> = Vec::new();
        for (fact, (late, taken_back)) in facts.into_iter().zip(lateness) {
            let told_at = effective_at(&fact).plus(Span::minutes(60 * late));
            if let (Fact::Statement(statement), Some(hours)) = (&fact, taken_back) {
                let retraction = Retraction {
                    statement: statement.id.clone(),
                    reason: Reason::new("misheard").unwrap(),
                };
                let taken_back_at = told_at.plus(Span::minutes(60 * hours));
                told.push((taken_back_at, Fact::Retraction(retraction)));
            }
            told.push((told_at, fact));
        }
        // A retraction of the same moment comes after its statement.
        told.sort_by_key(|(at, fact)| (*at, matches!(fact, Fact::Retraction(_))));
        told.into_iter()
            .zip(1..)
            .map(|((recorded_at, fact), revision)| Event {
                revision,
                recorded_at,
                fact,
            })
            .collect()
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    (moment(), prop::option::of(moment())).prop_map(|(as_of, known_at)| Seen {
        as_of,
        known_at: known_at.unwrap_or(Instant::MAX),
    })
}

fn all_known(as_of: Instant) -> Seen {
    Seen {
        as_of,
        known_at: Instant::MAX,
    }
}

fn compare(events: &[Event], from: Seen, to: Seen) -> Difference {
    let mut between = Between::new(from, to);
    for event in events {
        between.take(event.clone());
    }
    between.difference(model_file::default())
}

/// The deal as it is known at a moment.
fn known(events: &[Event], known_at: Instant) -> Deal {
    Deal::replay(
        events
            .iter()
            .take_while(|event| event.recorded_at <= known_at),
    )
}

/// The score as the service gives it.
fn score_at(events: &[Event], seen: Seen) -> f64 {
    let deal = known(events, seen.known_at);
    score::score(&deal, model_file::default(), seen.as_of).score
}

fn sum<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Ledger {
    changes
        .into_iter()
        .fold(Ledger::NOTHING, |sum, change| sum + change.ledger)
}

fn same(one: Ledger, other: Ledger) -> Result<(), TestCaseError> {
    prop_assert!((one - other).is_rounding(), "{one:?} is not {other:?}");
    Ok(())
}

/// What tells one change from another.
fn key(change: &Change) -> (ChangeKind, Option<u64>, Instant) {
    let at = match change.kind {
        ChangeKind::Aged => Instant::MIN,
        _ => change.at,
    };
    (change.kind, change.entry.map(|entry| entry.revision), at)
}

fn of_key(changes: &[Change], wanted: &Change) -> Ledger {
    sum(changes.iter().filter(|change| key(change) == key(wanted)))
}

fn trend(events: &[Event], from: Instant, to: Instant, knowledge: Knowledge) -> Vec<Point> {
    let mut lived = Lived::new(from, to, knowledge);
    for event in events {
        lived.take(event.clone());
    }
    lived.points(model_file::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changes_add_up_to_the_difference_line_by_line(events in told(), from in seen(), to in seen()) {
        let difference = compare(&events, from, to);
        prop_assert!((difference.from.ledger.total - score_at(&events, from)).abs() <= EXACT);
        prop_assert!((difference.to.ledger.total - score_at(&events, to)).abs() <= EXACT);
        same(sum(&difference.changes), difference.ledger)?;
        for change in &difference.changes {
            prop_assert!((change.ledger.sum() - change.ledger.total).abs() <= EXACT, "{change:?}");
            prop_assert!(!change.summary.is_empty());
        }
    }

    #[test]
    fn a_moment_differs_in_nothing_from_itself(events in told(), seen in seen()) {
        let difference = compare(&events, seen, seen);
        prop_assert_eq!(difference.changes, vec![]);
        prop_assert_eq!(difference.ledger, Ledger::NOTHING);
    }

    #[test]
    fn the_other_way_round_each_change_has_the_other_sign(events in told(), from in seen(), to in seen()) {
        let there = compare(&events, from, to);
        let back = compare(&events, to, from);
        prop_assert_eq!(there.from, back.to);
        prop_assert_eq!(there.changes.len(), back.changes.len());
        for (there, back) in there.changes.iter().zip(back.changes) {
            prop_assert_eq!(there.ledger, -back.ledger);
            prop_assert_eq!(&there.summary, &back.summary);
        }
    }

    #[test]
    fn a_long_span_has_the_changes_of_its_parts(events in told(), mut at in prop::array::uniform3(moment()), known_at in moment()) {
        at.sort_unstable();
        let [first, middle, last] = at.map(|as_of| Seen { as_of, known_at });
        let whole = compare(&events, first, last).changes;
        let mut parts = compare(&events, first, middle).changes;
        parts.extend(compare(&events, middle, last).changes);
        for change in whole.iter().chain(&parts) {
            same(of_key(&whole, change), of_key(&parts, change))?;
        }
    }

    #[test]
    fn a_change_cites_what_lies_between(events in told(), mut ends in prop::array::uniform2(seen())) {
        ends.sort_unstable();
        let [from, to] = ends;
        let known = from.known_at.min(to.known_at)..=from.known_at.max(to.known_at);
        for change in compare(&events, from, to).changes {
            if let Some(citation) = &change.citation {
                prop_assert_eq!(change.kind, ChangeKind::Said);
                prop_assert_eq!(change.person.as_ref(), Some(&citation.speaker));
            }
            let Some(entry) = change.entry else {
                prop_assert!(matches!(change.kind, ChangeKind::Aged | ChangeKind::DatePassed));
                continue;
            };
            let event = &events[entry.revision as usize - 1];
            prop_assert_eq!(event.recorded_at, entry.recorded_at);
            if entry.learned_later {
                prop_assert!(known.contains(&entry.recorded_at), "{change:?}");
                prop_assert!(change.kind == ChangeKind::TakenBack || event.effective_at() <= from.as_of);
            } else {
                let at = event.effective_at();
                prop_assert!(from.as_of < at && at <= to.as_of && at == change.at, "{change:?}");
                prop_assert!(entry.recorded_at <= to.known_at);
            }
        }
    }

    #[test]
    fn only_a_person_who_changed_is_named_as_one(events in told(), from in moment(), to in moment()) {
        let deal = known(&events, Instant::MAX);
        for change in compare(&events, all_known(from), all_known(to)).changes {
            let person = change.person.clone();
            let about_people = matches!(
                change.kind,
                ChangeKind::Joined | ChangeKind::Left | ChangeKind::RoleChanged
            );
            prop_assert_eq!(person.is_some(), about_people || change.kind == ChangeKind::Said);
            if let Some(person) = person.filter(|_| about_people) {
                let before = walk::standing(&deal, &person, change.at.just_before());
                let after = walk::standing(&deal, &person, change.at);
                prop_assert_ne!(before, after, "{:?}", change);
                let gone = |standing: Option<walk::Standing>| standing.is_some_and(|it| it.departed);
                prop_assert_eq!(change.kind == ChangeKind::Left, before.is_some() && !gone(before) && gone(after));
            }
        }
    }

    #[test]
    fn the_order_of_arrival_changes_no_change(
        (facts, shuffled) in history().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        from in moment(),
        to in moment(),
    ) {
        let one = compare(&recorded(facts), all_known(from), all_known(to)).changes;
        let other = compare(&recorded(shuffled), all_known(from), all_known(to)).changes;
        let statement = |change: &Change| -> Option<Id> { Some(change.citation.as_ref()?.statement.clone()) };
        prop_assert_eq!(one.len(), other.len());
        for change in &one {
            let twins = other.iter().filter(|twin| {
                twin.kind == change.kind && twin.at == change.at && statement(twin) == statement(change)
            });
            same(change.ledger, sum(twins))?;
        }
    }

    #[test]
    fn a_trend_tells_at_each_moment_what_a_score_tells(events in told(), then in any::<bool>()) {
        let knowledge = if then { Knowledge::Then } else { Knowledge::Now };
        let (from, to) = (histories::end().minus(Span::days(120)).unwrap(), histories::end());
        let mut shown = Shown::new(moments(from, to, TrendStep::Weekly).unwrap());
        events.iter().for_each(|event| shown.take(event, model_file::default()));
        let weekly = shown.end(model_file::default());
        prop_assert_eq!(weekly.len(), 18);
        for point in &weekly {
            let seen = Seen { as_of: point.at, known_at: point.at };
            prop_assert_eq!(point.score, score_at(&events, seen));
            prop_assert_eq!(point.revision, known(&events, point.at).revision());
        }

        let points = trend(&events, from, to, knowledge);
        prop_assert_eq!(points.last().map(|point| point.at), Some(to));
        for point in &points {
            let known_at = if then { point.at } else { Instant::MAX };
            let seen = Seen { as_of: point.at, known_at };
            let expected = score_at(&events, seen);
            prop_assert!((point.score - expected).abs() <= EXACT, "{point:?} is not {expected}");
            prop_assert!(!point.changes.is_empty() || point.at == to);
        }
    }

    #[test]
    fn a_comparison_has_the_changes_of_the_trend(events in told(), mut ends in prop::array::uniform2(moment())) {
        ends.sort_unstable();
        let [from, to] = ends;
        let difference = compare(&events, all_known(from.just_before()), all_known(to));
        let trend = trend(&events, from, to, Knowledge::Now);
        let changes: Vec<Change> = trend.into_iter().flat_map(|point| point.changes).collect();
        let named = difference.changes.iter().filter(|change| change.kind != ChangeKind::Aged);
        prop_assert_eq!(named.clone().count(), changes.len());
        for change in named {
            prop_assert!(changes.contains(change), "{change:?}");
        }
    }
}
