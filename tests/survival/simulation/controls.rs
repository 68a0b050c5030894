//! A harness that has never caught anything proves nothing: services that are broken on purpose, each of which is caught.

use crate::checker::Kind;
use crate::simulation::shaky::Broken;
use crate::simulation::simulate;

/// Seeds tried: a fault needs its occasion.
const SEEDS: u64 = 40;

/// Asserts that a broken service is caught, as what it is.
#[track_caller]
fn check(broken: Broken, kinds: &[Kind]) {
    for seed in 1..=SEEDS {
        if let Err(fault) = simulate(seed, broken).judged {
            println!("{broken:?}, seed {seed}: {fault}");
            assert!(kinds.contains(&fault.kind), "seed {seed}: {fault}");
            return;
        }
    }
    panic!("{broken:?} was not caught by {SEEDS} seeds");
}

#[test]
fn an_acknowledgement_before_the_sync_is_caught() {
    let kinds = [Kind::Lost, Kind::Vanished, Kind::Contents, Kind::Torn];
    check(Broken::AcknowledgesBeforeTheSync, &kinds);
}

#[test]
fn a_read_of_what_is_not_on_the_disk_yet_is_caught() {
    // Also as a refusal by who saw what was then lost.
    let kinds = [
        Kind::Vanished,
        Kind::Contents,
        Kind::Torn,
        Kind::NeverThere,
        Kind::Refused,
    ];
    check(Broken::ShowsBeforeTheSync, &kinds);
}

#[test]
fn an_append_that_was_acknowledged_and_not_done_is_caught() {
    check(Broken::LosesAnAppend, &[Kind::Lost]);
}

#[test]
fn half_an_append_is_caught() {
    check(Broken::TearsAnAppend, &[Kind::Torn]);
}

#[test]
fn a_fold_out_of_order_is_caught() {
    check(Broken::FoldsOutOfOrder, &[Kind::Score]);
}

#[test]
fn a_stale_read_is_caught() {
    // Also as a refusal: there is no such deal, says the answer to the write that made it.
    check(Broken::ReadsAreOld, &[Kind::Order, Kind::Refused]);
}

#[test]
fn a_watch_that_skips_is_caught() {
    check(Broken::HidesAChange, &[Kind::Skipped]);
}

#[test]
fn a_change_that_is_told_again_after_resuming_is_caught() {
    check(Broken::ResumesTooEarly, &[Kind::Repeated]);
}
