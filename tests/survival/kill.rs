//! Killed at any moment, the service has every write that it acknowledged, once, and nothing by halves.

use std::env;
use std::time::Instant;

use crate::client::Client;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::process::Service;
use crate::process::kill_while_it_opens;
use crate::rebuilt::all_answers;
use crate::rebuilt::serve;
use crate::rebuilt::without_projections;
use crate::support::Dice;

/// Rounds when `VERBATIM_KILL_ROUNDS` does not say.
const ROUNDS: u64 = 50;

/// Rounds on one data directory, so that a long run does not get slower and slower.
const ROUNDS_A_DIRECTORY: u64 = 25;

/// Every so many rounds all answers are compared with those of a service that had to fold every deal anew.
const ROUNDS_A_REBUILD: u64 = 2;

/// Every so many rounds the service is killed once more while it opens.
const ROUNDS_AN_OPENING: u64 = 4;

#[derive(Default)]
struct Figures {
    acknowledged: usize,
    unanswered_there: usize,
    unanswered_absent: usize,
    openings_cut: u64,
    rebuilds: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_has_all_that_it_acknowledged() {
    let rounds = env::var("VERBATIM_KILL_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let started = Instant::now();
    let mut dice = Dice(20_261_121);
    let mut figures = Figures::default();
    let mut left = rounds;
    while 0 < left {
        let here = left.min(ROUNDS_A_DIRECTORY);
        wear_out(here, &mut dice, &mut figures).await;
        left -= here;
    }

    let Figures {
        acknowledged,
        unanswered_there,
        unanswered_absent,
        openings_cut,
        rebuilds,
    } = figures;
    println!(
        "{rounds} kills under load and {openings_cut} while opening: {acknowledged} acknowledged writes, all there once; \
         of the unanswered {unanswered_there} were there whole and {unanswered_absent} were absent; \
         {rebuilds} times all answers were those of a service without projections; {:.0} s",
        started.elapsed().as_secs_f64()
    );
}

/// Kills the service on one directory again and again.
async fn wear_out(rounds: u64, dice: &mut Dice, figures: &mut Figures) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut ledger = Ledger::default();
    let mut first = 0;
    for round in 0..rounds {
        let service = Service::start(&data);
        let load = Load::start(&service.url, dice.below(u64::MAX), first).await;
        // Sometimes just when a call is sent, sometimes just when one was answered.
        let count = 1 + dice.below(400) as u32;
        match round % 2 {
            0 => load.wait_for_sent(count).await,
            _ => load.wait_for_acknowledged(count).await,
        }
        load.ending();
        service.kill();
        let (done, next) = load.end().await;
        for done in done {
            ledger.extend(done.entries);
        }
        first = next;

        if round % ROUNDS_AN_OPENING == 0 {
            kill_while_it_opens(&data);
            figures.openings_cut += 1;
        }
        let bare = (round % ROUNDS_A_REBUILD == 0).then(|| without_projections(&data));

        let service = Service::start(&data);
        let client = Client::connect(&service.url).await;
        if let Some(bare) = bare {
            let answers = all_answers(&client).await;
            let (server, rebuilt) = serve(bare.path()).await.unwrap();
            for (told, anew) in answers.iter().zip(all_answers(&rebuilt).await) {
                assert_eq!(*told, anew);
            }
            server.stop().await;
            figures.rebuilds += 1;
        }
        let (there, absent) = ledger.check(&client).await;
        figures.unanswered_there += there;
        figures.unanswered_absent += absent;
        // What was sent again is acknowledged now, and this kill must not take it either.
        service.kill();
    }
    let service = Service::start(&data);
    ledger.check(&Client::connect(&service.url).await).await;
    figures.acknowledged += ledger.acknowledged();
}
