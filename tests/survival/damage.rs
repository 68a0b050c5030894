//! On damaged files the service refuses to start and names the place, or gives right answers or none; never wrong ones.
//!
//! `VERBATIM_DAMAGE_ROUNDS=10000` damages more.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::task::JoinSet;
use verbatim::store::Store;
use verbatim::store::archive::Export;
use verbatim::store::archive::Reader;
use verbatim::store::archive::replay;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::Options;

use crate::client::Answers;
use crate::client::Client;
use crate::process::Service;
use crate::rebuilt::serve;
use crate::support::Dice;
use crate::support::copy;
use crate::support::files;
use crate::write::What;
use crate::write::Write;
use crate::write::deal_id;

/// Deals written to.
const DEALS: u64 = 5;

/// Writes before the store is closed, and again twice.
const WRITES: u64 = 100;

/// Places damaged when `VERBATIM_DAMAGE_ROUNDS` does not say.
const ROUNDS: u64 = 1_000;

/// Copies that are damaged and asked at the same time: most of a round is waiting for the disk.
const LANES: u64 = 4;

/// Of the stores that were refused, each of so many is restored.
const REFUSALS_A_RESTORE: u64 = 20;

/// A directory with acknowledged writes, let go of in good order and taken up again in between: so sled's snapshot
/// knows of a part of it, and only the log of the rest.
async fn written() -> (TempDir, Vec<Answers>) {
    let home = tempfile::tempdir().unwrap();
    let mut answers = Vec::new();
    for first in [0, WRITES, 2 * WRITES] {
        let (server, client) = serve(home.path()).await.unwrap();
        write_from(first, &client).await;
        answers = ask(&client).await;
        server.stop().await;
    }
    assert!(answers.iter().all(|all| all.score.is_ok()));
    (home, answers)
}

async fn write_from(first: u64, client: &Client) {
    for number in first..first + WRITES {
        let what = match number % 11 {
            0 => What::Facts,
            1 => What::People(3),
            // Each takes back the statement before it in the same deal.
            2 if DEALS < number && (number - DEALS) % 11 > 2 => What::Retraction(number - DEALS),
            _ => What::Statement,
        };
        let deal = deal_id(number % DEALS);
        let write = Write { number, deal, what };
        write.send(client).await.unwrap();
    }
}

async fn ask(client: &Client) -> Vec<Answers> {
    let mut all = Vec::new();
    for number in 0..DEALS {
        all.push(client.answers(&deal_id(number)).await);
    }
    all
}

/// Asserts that each answer is right or says that bytes are broken. Answers whether all were right.
#[track_caller]
fn check_answers(right: &[Answers], got: Vec<Answers>, what: &str) -> bool {
    let mut all_right = true;
    for (right, got) in right.iter().zip(got) {
        all_right &= check_answer(&right.score, got.score, what);
        all_right &= check_answer(&right.stall, got.stall, what);
        all_right &= check_answer(&right.deal, got.deal, what);
        all_right &= check_answer(&right.history, got.history, what);
    }
    all_right
}

#[track_caller]
fn check_answer<T: PartialEq + std::fmt::Debug>(
    right: &Result<T, String>,
    got: Result<T, String>,
    what: &str,
) -> bool {
    match &got {
        Err(refusal) if refusal == "DataLoss/DATA_LOSS" => false,
        Err(refusal) => panic!("{what}: {refusal}"),
        Ok(_) => {
            assert_eq!(got, *right, "{what}");
            true
        }
    }
}

/// Damages one record in a way that sled cannot see: its own checksums fit. Answers what was done.
fn damage_through_sled(data: &Path, tree: &str, dice: &mut Dice) -> String {
    let db = sled::open(data).unwrap();
    let records = db.open_tree(tree).unwrap();
    let keys: Vec<sled::IVec> = records.iter().keys().map(Result::unwrap).collect();
    let place = dice.below(keys.len() as u64) as usize;
    let key = &keys[place];
    let value = records.get(key).unwrap().unwrap();
    let done = match dice.below(3) {
        0 => {
            let mut bytes = value.to_vec();
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 + dice.below(255) as u8;
            records.insert(key, bytes).unwrap();
            format!("byte {at} changed")
        }
        1 => {
            records.remove(key).unwrap();
            "record removed".to_owned()
        }
        _ => {
            let other = &keys[(place + 1) % keys.len()];
            records.insert(other, value).unwrap();
            "next record overwritten".to_owned()
        }
    };
    drop(records);
    drop(db);
    format!(
        "{tree}, {}: {done}",
        String::from_utf8_lossy(key).escape_default()
    )
}

/// Damages a copy at a place that the dice choose. Answers what was done.
fn damage(data: &Path, dice: &mut Dice) -> String {
    let files: Vec<_> = files(data)
        .into_iter()
        .filter(|file| fs::metadata(file).unwrap().len() > 0)
        .collect();
    // Two of three times the log, which is nearly all of the bytes.
    let file = match dice.below(3) {
        0 => files[dice.below(files.len() as u64) as usize].clone(),
        _ => data.join("db"),
    };
    let mut bytes = fs::read(&file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    // The log is zeros behind its end, where damage damages nothing.
    let end = 1 + bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    let at = dice.below(end as u64) as usize;
    let what = match dice.below(4) {
        0 => {
            bytes.truncate(at);
            format!("{name} cut off at byte {at}")
        }
        _ => {
            bytes[at] ^= 1 + dice.below(255) as u8;
            format!("{name} with byte {at} changed")
        }
    };
    fs::write(&file, bytes).unwrap();
    what
}

/// A backup of a directory that nobody holds.
async fn backup_of(data: &Path) -> Vec<u8> {
    let twin = copy(data);
    let store: Arc<dyn Store> = Arc::new(Embedded::open(twin.path(), Options::default()).unwrap());
    let mut export = Export::begin(Arc::clone(&store), u64::MAX).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = export.next().await.unwrap() {
        bytes.extend(piece.bytes);
    }
    store.close().await;
    bytes
}

/// Asserts that a backup brings back, in place of a damaged directory, every answer.
async fn check_restored(data: &Path, backup: &[u8], right: &[Answers], what: &str) {
    fs::remove_dir_all(data).unwrap();
    let store = Embedded::begin(data, Options::default()).unwrap();
    let mut reader = Reader::open(backup).unwrap();
    replay(&mut reader, &store, |_| true).await.unwrap();
    store.finish(data).await.unwrap();
    let (server, client) = serve(data).await.unwrap();
    assert!(check_answers(right, ask(&client).await, what), "{what}");
    server.stop().await;
}

/// What became of damaged copies.
#[derive(Default)]
struct Figures {
    refused: u64,
    with_losses: u64,
    unharmed: u64,
    restored: u64,
}

/// A store, what it answers, and a backup of it.
struct Whole {
    home: TempDir,
    right: Vec<Answers>,
    backup: Vec<u8>,
}

impl Whole {
    /// Damages a copy, and holds what it answers, or why it does not, against what is right.
    async fn damage_once(&self, round: u64, figures: &mut Figures) {
        let damaged = copy(self.home.path());
        let mut dice = Dice(20_261_121 + round);
        let what = format!("round {round}, {}", damage(damaged.path(), &mut dice));
        match serve(damaged.path()).await {
            Ok((server, client)) => {
                match check_answers(&self.right, ask(&client).await, &what) {
                    true => figures.unharmed += 1,
                    false => figures.with_losses += 1,
                }
                server.stop().await;
            }
            Err(refusal) => {
                let text = refusal.to_string();
                let place = damaged.path().display().to_string();
                assert!(text.starts_with(&place), "{what}: {text}");
                assert_eq!(refusal.exit_code(), 70, "{what}: {text}");
                if figures.refused.is_multiple_of(REFUSALS_A_RESTORE) {
                    check_restored(damaged.path(), &self.backup, &self.right, &what).await;
                    figures.restored += 1;
                }
                figures.refused += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_directory_gives_right_answers_or_none_and_a_backup_brings_it_back() {
    let rounds = env::var("VERBATIM_DAMAGE_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let (home, right) = written().await;
    let backup = backup_of(home.path()).await;
    let whole = Arc::new(Whole {
        home,
        right,
        backup,
    });
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let whole = Arc::clone(&whole);
        lanes.spawn(async move {
            let mut figures = Figures::default();
            for round in (lane..rounds).step_by(LANES as usize) {
                whole.damage_once(round, &mut figures).await;
            }
            figures
        });
    }
    let mut sums = Figures::default();
    while let Some(figures) = lanes.join_next().await {
        let figures = figures.unwrap();
        sums.refused += figures.refused;
        sums.with_losses += figures.with_losses;
        sums.unharmed += figures.unharmed;
        sums.restored += figures.restored;
    }
    let Figures {
        refused,
        with_losses,
        unharmed,
        restored,
    } = sums;
    println!(
        "{rounds} places damaged: {refused} refused to start, {with_losses} answered DATA_LOSS, {unharmed} answered all; \
         {restored} restored, and all answers were there again"
    );
    assert_eq!(refused + with_losses + unharmed, rounds);
    assert!(0 < restored && 0 < unharmed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_fact_that_sled_takes_for_good_is_refused_and_named() {
    let (home, _) = written().await;
    let mut dice = Dice(5);
    for _ in 0..40 {
        let damaged = copy(home.path());
        let what = damage_through_sled(damaged.path(), "facts", &mut dice);
        let Err(refusal) = serve(damaged.path()).await else {
            panic!("{what}: it serves");
        };
        let text = refusal.to_string();
        assert_eq!(refusal.exit_code(), 70, "{what}: {text}");
        let named = ["default/deal-", "change", "acknowledged"];
        assert!(
            named.iter().any(|name| text.contains(name)),
            "{what}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_projection_that_sled_takes_for_good_changes_no_answer() {
    let (home, right) = written().await;
    let mut dice = Dice(6);
    for _ in 0..40 {
        let damaged = copy(home.path());
        let what = damage_through_sled(damaged.path(), "projections", &mut dice);
        let (server, client) = serve(damaged.path()).await.unwrap();
        assert!(check_answers(&right, ask(&client).await, &what), "{what}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_on_a_damaged_directory_ends_with_70_and_a_sentence() {
    let (home, right) = written().await;
    let mut dice = Dice(3);
    let mut refused = 0;
    for _ in 0..24 {
        let damaged = copy(home.path());
        let what = damage(damaged.path(), &mut dice);
        match Service::try_start(damaged.path()) {
            Ok(service) => {
                let client = Client::connect(&service.url).await;
                check_answers(&right, ask(&client).await, &what);
            }
            Err(ended) => {
                assert_eq!(ended.code, Some(70), "{what}: {ended:?}");
                let said = &ended.stderr;
                let place = damaged.path().display().to_string();
                assert!(said.contains(&place), "{what}: {said}");
                for noise in ["panicked at", "backtrace", "RUST_BACKTRACE"] {
                    assert!(!said.contains(noise), "{what}: {said}");
                }
                println!("{what}: {said}");
                refused += 1;
            }
        }
    }
    assert!(0 < refused);
}
