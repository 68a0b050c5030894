//! The checker itself: histories that pass, and histories that must not.

use std::collections::BTreeMap;

use crate::checker::Asked;
use crate::checker::Attempt;
use crate::checker::Kind;
use crate::checker::Outcome;
use crate::checker::Reached;
use crate::checker::Seen;
use crate::checker::Stamp;
use crate::checker::Watched;
use crate::checker::Written;
use crate::checker::check_deal;
use crate::checker::check_feed;
use crate::checker::check_order;
use crate::checker::check_scores;
use crate::checker::feed::Item;
use crate::checker::feed::Start;

fn sent(begun: Stamp, outcome: Outcome) -> Attempt {
    Attempt {
        begun,
        expected: None,
        outcome,
    }
}

pub fn done(begun: Stamp, ended: Stamp, revision: u64, already: Option<bool>) -> Attempt {
    sent(
        begun,
        Outcome::Done {
            ended,
            revision,
            already,
        },
    )
}

fn first(begun: Stamp, ended: Stamp, revision: u64) -> Attempt {
    done(begun, ended, revision, Some(false))
}

/// A write that leaves one event for each of the letters of its name.
pub fn write(name: &str, attempts: &[Attempt]) -> Written {
    Written {
        name: name.to_owned(),
        marks: letters(name),
        attempts: attempts.to_vec(),
    }
}

pub fn read(begun: Stamp, ended: Stamp, revision: u64) -> Seen {
    Seen {
        by: format!("a read from {begun} to {ended}"),
        begun,
        ended,
        revision,
        marks: None,
        score: None,
    }
}

fn told(at: Stamp, revision: u64) -> Reached {
    Reached {
        by: format!("a watcher at {at}"),
        at,
        revision,
    }
}

pub fn letters(word: &str) -> Vec<String> {
    word.chars().map(String::from).collect()
}

#[track_caller]
fn check(log: &str, writes: &[&Written], seen: &[Seen], expected: Option<Kind>) {
    check_told(log, writes, seen, &[], expected);
}

#[track_caller]
fn check_told(
    log: &str,
    writes: &[&Written],
    seen: &[Seen],
    told: &[Reached],
    expected: Option<Kind>,
) {
    let asked = Asked {
        writes: writes.iter().copied().cloned().collect(),
        seen: seen.to_vec(),
        told: told.to_vec(),
    };
    let found = check_deal("d", &asked, &letters(log)).err();
    assert_eq!(
        found.as_ref().map(|fault| fault.kind),
        expected,
        "{found:?}"
    );
}

#[test]
fn a_history_that_an_order_explains_passes() {
    check("", &[], &[read(1, 2, 0)], None);
    let one = write("a", &[first(1, 4, 1)]);
    // While a write is under way a read may see it or not, and one after the other only in that order.
    check("a", &[&one], &[read(2, 3, 0)], None);
    check("a", &[&one], &[read(2, 3, 1)], None);
    // Writers at the same time may come in either order.
    let other = write("b", &[first(2, 3, 2)]);
    check("ab", &[&one, &other], &[], None);
    let other = write("b", &[first(2, 3, 1)]);
    let later = write("a", &[first(1, 4, 2)]);
    check("ba", &[&later, &other], &[], None);
    // The answer to a statement tells the deal as it is a little later.
    let other = write("b", &[first(2, 3, 2)]);
    let looked_later = write("a", &[first(1, 4, 2)]);
    check("ab", &[&looked_later, &other], &[], None);
}

#[test]
fn an_unknown_outcome_may_be_either_and_at_any_later_time() {
    let unsure = write("a", &[sent(1, Outcome::Unknown)]);
    check("", &[&unsure], &[read(2, 3, 0)], None);
    check("a", &[&unsure], &[read(2, 3, 0), read(4, 5, 1)], None);
    check("a", &[&unsure], &[read(2, 3, 1)], None);
    let sent_again = [sent(1, Outcome::Unknown), done(4, 5, 1, Some(true))];
    check("a", &[&write("a", &sent_again)], &[read(2, 3, 0)], None);
    let sent_again = [sent(1, Outcome::Unknown), first(4, 5, 1)];
    check(
        "a",
        &[&write("a", &sent_again)],
        &[read(2, 3, 1)],
        Some(Kind::Order),
    );
}

#[test]
fn what_is_lost_torn_twice_or_of_nobody_is_told() {
    let one = write("a", &[first(1, 2, 1)]);
    check("", &[&one], &[], Some(Kind::Lost));
    check("aa", &[&one], &[], Some(Kind::Twice));
    check("ab", &[&one], &[], Some(Kind::Foreign));
    let people = write("abc", &[done(1, 2, 3, None)]);
    check("abc", &[&people], &[read(3, 4, 3)], None);
    check("ab", &[&people], &[], Some(Kind::Torn));
    check("acb", &[&people], &[], Some(Kind::Torn));
    check("abc", &[&people], &[read(3, 4, 2)], Some(Kind::Torn));
    let twice = write("a", &[first(1, 2, 1), first(3, 4, 1)]);
    check("a", &[&twice], &[], Some(Kind::Twice));
    let refused = write("a", &[sent(1, Outcome::Refused)]);
    check("", &[&refused], &[], None);
    check("a", &[&refused], &[], Some(Kind::Refused));
}

#[test]
fn a_read_that_is_stale_or_ahead_or_goes_back_is_told() {
    let one = write("a", &[first(1, 2, 1)]);
    check("a", &[&one], &[read(3, 4, 0)], Some(Kind::Order));
    check("a", &[&one], &[read(3, 4, 2)], Some(Kind::Vanished));
    let long = write("a", &[first(1, 9, 1)]);
    check(
        "a",
        &[&long],
        &[read(2, 3, 1), read(4, 5, 0)],
        Some(Kind::Order),
    );
    check("a", &[&long], &[read(2, 5, 1), read(3, 4, 0)], None);
    // What was seen before it was sent.
    let late = write("a", &[first(3, 4, 1)]);
    check("a", &[&late], &[read(1, 2, 1)], Some(Kind::Order));
    let mut other = read(3, 4, 1);
    other.marks = Some(letters("b"));
    check("a", &[&one], &[other], Some(Kind::Contents));
    // A watcher's word counts as well: who was told, and asks then, must see it.
    check_told(
        "a",
        &[&long],
        &[read(4, 5, 0)],
        &[told(3, 1)],
        Some(Kind::Order),
    );
    check_told("a", &[&long], &[read(2, 4, 0)], &[told(3, 1)], None);
    check_told("a", &[&long], &[], &[told(3, 2)], Some(Kind::NeverThere));
}

#[test]
fn writes_that_followed_each_other_the_other_way_round_are_told() {
    let one = write("a", &[first(1, 2, 2)]);
    let two = write("b", &[first(3, 4, 2)]);
    check("ba", &[&one, &two], &[], Some(Kind::Order));
    let early = write("a", &[first(1, 4, 0)]);
    check("a", &[&early], &[], Some(Kind::Order));
}

#[test]
fn a_write_that_expected_a_revision_is_behind_it_or_nowhere() {
    let expecting = |expected, outcome| {
        let attempt = Attempt {
            begun: 3,
            expected: Some(expected),
            outcome,
        };
        write("b", &[attempt])
    };
    let recorded = Outcome::Done {
        ended: 4,
        revision: 2,
        already: Some(false),
    };
    let one = write("a", &[first(1, 2, 1)]);
    check("ab", &[&one, &expecting(1, recorded)], &[], None);
    check(
        "ab",
        &[&one, &expecting(0, recorded)],
        &[],
        Some(Kind::Expected),
    );
    check(
        "a",
        &[&one, &expecting(0, Outcome::Refused)],
        &[read(3, 4, 1)],
        None,
    );
}

#[test]
fn a_score_that_the_events_do_not_make_is_told() {
    let mut shown = read(3, 4, 1);
    shown.score = Some(30_f64.to_bits());
    let asked = Asked {
        seen: vec![shown],
        ..Asked::default()
    };
    assert_eq!(check_scores("d", &asked, &[30_f64.to_bits()]), Ok(1));
    let fault = check_scores("d", &asked, &[31_f64.to_bits()]).unwrap_err();
    assert_eq!(fault.kind, Kind::Score);
    assert!(
        fault.to_string().contains("shows 30 at revision 1"),
        "{fault}"
    );
}

/// What a watcher of `deals` is told, over an order such as `a1 b1 a2`, where each change was made after the one before.
#[track_caller]
fn check_watcher(order: &str, start: Start, deals: &[&str], keys: &str, expected: Option<Kind>) {
    let items: Vec<Item> = order
        .split_whitespace()
        .map(|key| Item {
            deal: key[..1].to_owned(),
            revision: key[1..].parse().unwrap(),
            key: key.to_owned(),
            recorded: true,
        })
        .collect();
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    for (item, at) in items.iter().zip((10..).step_by(10)) {
        let written = Written {
            name: item.key.clone(),
            marks: vec![item.key.clone()],
            attempts: vec![first(at, at + 5, item.revision)],
        };
        asked
            .entry(item.deal.clone())
            .or_default()
            .writes
            .push(written);
    }
    let steps = asked
        .iter()
        .map(|(deal, asked)| {
            let log: Vec<String> = asked
                .writes
                .iter()
                .map(|write| write.name.clone())
                .collect();
            (deal.clone(), check_deal(deal, asked, &log).unwrap())
        })
        .collect();
    assert_eq!(check_order(&items, &steps), Ok(()));
    let watched = Watched {
        by: "a watcher".to_owned(),
        deals: deals.iter().map(ToString::to_string).collect(),
        start,
        keys: keys.split_whitespace().map(String::from).collect(),
    };
    let found = check_feed(&items, &steps, &watched).err();
    assert_eq!(
        found.as_ref().map(|fault| fault.kind),
        expected,
        "{keys}: {found:?}"
    );
}

#[test]
fn a_watcher_is_told_each_change_once_and_in_order() {
    let order = "a1 b1 a2 b2";
    check_watcher(order, Start::Beginning, &[], order, None);
    check_watcher(order, Start::Beginning, &["b"], "b1 b2", None);
    for (keys, kind) in [
        ("a1 a2 b2", Kind::Skipped),
        ("b1 a2 b2", Kind::Skipped),
        ("a1 b1 a2", Kind::Skipped),
        ("", Kind::Skipped),
        ("a1 b1 b1 a2 b2", Kind::Repeated),
        ("a1 b1 a2 b1 a2 b2", Kind::Repeated),
        ("b1 a1 a2 b2", Kind::Skipped),
        ("a1 b1 a2 b2 a3", Kind::NeverThere),
    ] {
        check_watcher(order, Start::Beginning, &[], keys, Some(kind));
    }
    check_watcher(
        order,
        Start::Now { greeted: 12 },
        &[],
        "a2 b1",
        Some(Kind::Skipped),
    );
    check_watcher(
        order,
        Start::Now { greeted: 31 },
        &[],
        "b2 a2",
        Some(Kind::Disordered),
    );
}

#[test]
fn who_watches_from_now_on_misses_nothing_that_was_sent_after_the_greeting() {
    let order = "a1 b1 a2 b2";
    let greeted = |greeted| Start::Now { greeted };
    check_watcher(order, greeted(25), &[], "a2 b2", None);
    // Under way at the greeting: it may be told or not.
    check_watcher(order, greeted(22), &[], "b1 a2 b2", None);
    check_watcher(order, greeted(22), &[], "a2 b2", None);
    check_watcher(order, greeted(19), &[], "a2 b2", Some(Kind::Skipped));
    check_watcher(order, greeted(50), &[], "", None);
    check_watcher(order, greeted(35), &[], "", Some(Kind::Skipped));
}

#[test]
fn an_order_over_all_deals_that_no_moments_explain_is_told() {
    let one = |begun, ended| Asked {
        writes: vec![write("x", &[first(begun, ended, 1)])],
        ..Asked::default()
    };
    let item = |deal: &str| Item {
        deal: deal.to_owned(),
        revision: 1,
        key: format!("{deal}1"),
        recorded: true,
    };
    let steps: BTreeMap<_, _> = [("a", one(1, 2)), ("b", one(3, 4))]
        .into_iter()
        .map(|(deal, asked)| {
            (
                deal.to_owned(),
                check_deal(deal, &asked, &letters("x")).unwrap(),
            )
        })
        .collect();
    let kind = |order: &[Item]| check_order(order, &steps).map_err(|fault| fault.kind);
    assert_eq!(kind(&[item("a"), item("b")]), Ok(()));
    assert_eq!(kind(&[item("b"), item("a")]), Err(Kind::Order));
    assert_eq!(kind(&[item("a")]), Err(Kind::Skipped));
    assert_eq!(
        kind(&[item("a"), item("b"), item("b")]),
        Err(Kind::NeverThere)
    );
}
