//! The service over PostgreSQL: killed, or with its database restarted, paused, cut off or replaced, it has every write
//! that it acknowledged, once, and nothing by halves.

use std::env;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Signal;
use verbatim::config::DatabaseUrl;
use verbatim::store::postgres::Postgres;

use crate::client::Client;
use crate::cluster::Cluster;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::process::Service;
use crate::support::Dice;
use crate::support::database::Database;

/// Rounds of killing when `VERBATIM_KILL_ROUNDS` does not say.
const ROUNDS: u64 = 20;

/// Writes acknowledged before and after a fault.
const WRITES: u32 = 150;

/// Settings under which a pause of a second is longer than a statement may take.
const BRISK: [&str; 2] = ["--database-timeout-ms", "300"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_killed_have_all_that_they_acknowledged() {
    let Some(database) = Database::new() else {
        return;
    };
    let rounds = env::var("VERBATIM_KILL_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let url = database.text();
    let started = Instant::now();
    let mut dice = Dice(20_261_129);
    let mut ledger = Ledger::default();
    let (mut first, mut there, mut absent) = (0, 0, 0);
    for round in 0..rounds {
        // Two of them, of which one is killed while both write.
        let (one, other) = (Service::start_on(&url, &[]), Service::start_on(&url, &[]));
        let load = Load::start(&one.url, dice.below(u64::MAX), first).await;
        let beside = Load::start(&other.url, dice.below(u64::MAX), first + 1_000_000_000).await;
        let count = 1 + dice.below(200) as u32;
        match round % 2 {
            0 => load.wait_for_sent(count).await,
            _ => load.wait_for_acknowledged(count).await,
        }
        load.ending();
        one.kill();
        let (done, next) = load.end().await;
        beside.wait_for_acknowledged(20).await;
        beside.ending();
        other.kill();
        let (done_beside, next_beside) = beside.end().await;
        for done in done.into_iter().chain(done_beside) {
            ledger.extend(done.entries);
        }
        first = next.max(next_beside - 1_000_000_000);

        let service = Service::start_on(&url, &[]);
        let found = ledger.check(&Client::connect(&service.url).await).await;
        (there, absent) = (there + found.0, absent + found.1);
        service.kill();
    }
    println!(
        "{rounds} kills of two replicas: {} acknowledged writes, all there once; of the unanswered {there} were there \
         whole and {absent} were absent; {:.0} s",
        ledger.acknowledged(),
        started.elapsed().as_secs_f64()
    );
}

/// Writes to a service, does something to its database, and holds what was acknowledged against what is there. Nobody
/// may be refused: what is done passes sooner than a write gives up.
async fn check_fault(
    at: &str,
    cluster: &Cluster,
    settings: &[&str],
    after: impl AsyncFnOnce(&Load) -> String,
) {
    let url = DatabaseUrl::read(&cluster.url()).unwrap();
    Postgres::migrate(&url).await.unwrap();
    let service = Service::start_on(at, settings);
    let load = Load::start(&service.url, 7, 0).await;
    load.wait_for_acknowledged(WRITES).await;
    let url_after = after(&load).await;
    load.wait_for_acknowledged(WRITES).await;
    load.ending();
    service.kill();
    let (done, _) = load.end().await;
    let mut ledger = Ledger::default();
    for done in done {
        ledger.extend(done.entries);
    }
    let service = Service::start_on(&url_after, &[]);
    let client = Client::connect(&service.url).await;
    ledger.check(&client).await;
    ledger.check(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_restarted_under_load_loses_nothing_and_refuses_nobody() {
    for how in ["restart -m fast", "restart -m immediate"] {
        let Some(cluster) = Cluster::start() else {
            return;
        };
        check_fault(&cluster.url(), &cluster, &[], async |_: &Load| {
            cluster.control(how);
            cluster.url()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_pauses_for_longer_than_a_statement_may_take_loses_nothing() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    check_fault(&cluster.url(), &cluster, &BRISK, async |load: &Load| {
        for _ in 0..2 {
            cluster.signal(Signal::STOP);
            // The pause is what is tested.
            tokio::time::sleep(Duration::from_millis(2_000)).await;
            cluster.signal(Signal::CONT);
            load.wait_for_acknowledged(WRITES).await;
        }
        cluster.url()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_reset_in_the_middle_of_transactions_lose_nothing() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    check_fault(&cluster.url(), &cluster, &[], async |load: &Load| {
        let client = cluster.connect().await;
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'verbatim' AND state <> 'idle'";
        let mut cuts = 0;
        while cuts < 40 {
            cuts += client.query(others, &[]).await.unwrap().len();
            load.wait_for_acknowledged(2).await;
        }
        cluster.url()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_synchronous_standby_takes_over_nothing_acknowledged_is_lost() {
    let Some(mut primary) = Cluster::start() else {
        return;
    };
    let standby = Cluster::standby_of(&primary);
    primary.wait_for_standby();
    check_fault(
        &primary.url_or(&standby),
        &primary,
        &[],
        async |_: &Load| {
            primary.control("stop -m immediate");
            standby.control("promote");
            standby.url()
        },
    )
    .await;
}
