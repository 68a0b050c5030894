//! What time alone does to deals: told by the sweep of each day, in its place among the changes.

use std::sync::Arc;

use verbatim::app::watch::Cause;
use verbatim::app::watch::From;
use verbatim::app::watch::Moved;
use verbatim::domain::scale::Band;
use verbatim::domain::state::DealState;
use verbatim::grpc::request;
use verbatim::store::memory::Memory;

use crate::streams::Stage;
use crate::streams::day;
use crate::streams::heartbeat;
use crate::streams::next;
use crate::streams::said_at;
use crate::streams::take;
use crate::support;

/// Records what was said so many days before or after the first day.
async fn write_at(stage: &Stage, deal: &str, number: usize, days: i64) {
    let request = said_at(deal, number, Some(days));
    let recording = request::record(request, stage.app.now()).unwrap();
    stage.app.record(recording).await.unwrap();
}

fn is_sweep(moved: &Moved) -> bool {
    matches!(moved.cause, Cause::Time(_))
}

/// Two deals that were told of long ago, a week that goes by with one write, and a live watcher throughout.
async fn a_week(stage: &Stage) -> Vec<Arc<Moved>> {
    for number in 0..9 {
        write_at(stage, "old", number, -28).await;
        write_at(stage, "older", number, -60).await;
    }
    let mut live = stage.watch(From::Beginning).await;
    let mut items = take(&mut live, 18).await;
    for days in 1..=6 {
        stage.clock.set(day(days));
        if days == 4 {
            write_at(stage, "older", 9, days).await;
        }
        // A write of each day, to see that its sweep comes first.
        write_at(stage, "marker", days as usize, days).await;
        loop {
            let item = next(&mut live).await.unwrap();
            let marked = &*item.deal_id == "marker" && !is_sweep(&item);
            items.push(item);
            if marked {
                break;
            }
        }
    }
    items
}

#[tokio::test(start_paused = true)]
async fn a_deal_that_fades_is_told_by_the_sweep_of_its_day_before_the_changes_of_that_day() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let items = a_week(&stage).await;
    let swept: Vec<&Arc<Moved>> = items.iter().filter(|moved| is_sweep(moved)).collect();
    assert!(!swept.is_empty(), "28 days old evidence fades in a week");
    for moved in &swept {
        let before = moved.before.expect("a sweep has a before");
        let crossed = before.score.floor() != moved.after.score.floor();
        assert!(crossed || moved.band_crossed() || moved.state_crossed());
        assert_eq!(moved.cause, Cause::Time(moved.at.date()));
        assert_eq!(moved.at, moved.at.date().start());
    }
    // Nobody spoke on the old deal for more than 30 days: the sweep of the third day says so.
    let dark = swept
        .iter()
        .find(|moved| &*moved.deal_id == "old" && moved.after.state == DealState::Dark)
        .expect("the deal went dark by time alone");
    assert_ne!(dark.before.unwrap().state, DealState::Dark);
    assert_eq!(dark.at.date(), day(3).date());
    let days: Vec<_> = items.iter().map(|moved| moved.at.date()).collect();
    assert!(days.windows(2).all(|pair| pair[0] <= pair[1]), "{days:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumed_from_any_token_gets_the_sweeps_it_missed() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let items = a_week(&stage).await;
    for (number, item) in items.iter().enumerate() {
        let mut resumed = stage.watch(From::Behind(item.place.clone())).await;
        let rest = take(&mut resumed, items.len() - number - 1).await;
        assert_eq!(rest, items[number + 1..], "behind item {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_comes_at_midnight_though_nobody_writes() {
    let stage = Stage::on(Arc::new(Memory::new()));
    for number in 0..9 {
        write_at(&stage, "old", number, -28).await;
    }
    let mut live = stage.watch(From::Now).await;
    heartbeat(&mut live).await;
    stage.clock.set(day(3));
    let mut states = Vec::new();
    while states.last() != Some(&DealState::Dark) {
        let moved = next(&mut live).await.unwrap();
        assert!(is_sweep(&moved));
        states.push(moved.after.state);
    }
}

#[tokio::test(start_paused = true)]
async fn sweeps_of_days_more_than_a_week_back_are_passed_over() {
    let stage = Stage::on(Arc::new(Memory::new()));
    for number in 0..9 {
        write_at(&stage, "old", number, -5).await;
    }
    stage.clock.set(day(60));
    write_at(&stage, "marker", 0, 60).await;
    let mut resumed = stage.watch(From::Beginning).await;
    let mut items = take(&mut resumed, 9).await;
    loop {
        let item = next(&mut resumed).await.unwrap();
        let marked = &*item.deal_id == "marker";
        items.push(item);
        if marked {
            break;
        }
    }
    let oldest = items
        .iter()
        .filter(|moved| is_sweep(moved))
        .map(|moved| moved.at);
    assert!(day(53).date() < oldest.min().expect("a fade in a week").date());
}

#[tokio::test(start_paused = true)]
async fn a_closed_deal_is_left_alone_and_a_sweep_survives_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::on(Arc::new(support::open(home.path())));
    let items = a_week(&stage).await;
    stage.app.end_streams();
    stage.store.close().await;
    let stage = Stage::on(Arc::new(support::open(home.path())));
    stage.clock.set(day(6));
    let middle = items.iter().position(|moved| is_sweep(moved)).unwrap();
    let mut resumed = stage.watch(From::Behind(items[middle].place.clone())).await;
    let rest = take(&mut resumed, items.len() - middle - 1).await;
    assert_eq!(rest, items[middle + 1..]);

    let closed = verbatim::domain::facts::Ending {
        outcome: verbatim::domain::topic::Outcome::Won,
        reason: verbatim::domain::text::Reason::new("").unwrap(),
        effective_at: day(6),
    };
    let key = verbatim::store::DealKey::new("default", "old");
    stage.app.record_outcome(&key, closed, None).await.unwrap();
    let ended = next(&mut resumed).await.unwrap();
    assert_eq!(ended.after.state, DealState::Closed);
    assert!(ended.before.unwrap().band >= Band::NotBuying);
    stage.clock.set(day(9));
    write_at(&stage, "marker", 9, 9).await;
    loop {
        let item = next(&mut resumed).await.unwrap();
        assert_ne!(&*item.deal_id, "old");
        if &*item.deal_id == "marker" && !is_sweep(&item) {
            break;
        }
    }
}
