//! What was written by an earlier build opens in this one, and every score is what it was.
//!
//! `format-1` is a store and a backup of `examples/pipeline.ndjson`, with the scores of that day. Never made anew: a build that
//! writes another format adds a directory of its own, and goes on reading this one. Each file of the store is packed by gzip,
//! since most of sled's log is zeros.

use std::fs;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use tempfile::TempDir;
use verbatim::app::Query;
use verbatim::domain::time::Instant;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::memory::Memory;

use super::restore;
use crate::streams::Stage;
use crate::support::files;
use crate::support::open;
use crate::support::run;

/// The moment of the scores.
const AS_OF: &str = "2026-11-01T00:00:00Z";

fn kept() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/keep/format-1"
    ))
}

/// The store as it was left, unpacked.
fn store_of_then() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for file in files(&kept().join("store")) {
        let mut bytes = Vec::new();
        let mut packed = GzDecoder::new(File::open(&file).unwrap());
        packed.read_to_end(&mut bytes).unwrap();
        fs::write(home.path().join(file.file_stem().unwrap()), bytes).unwrap();
    }
    home
}

/// Asserts that each deal has the revision and the score that it had.
async fn check_scores(store: Arc<dyn Store>) {
    let stage = Stage::on(store);
    let scores = fs::read_to_string(kept().join("scores.tsv")).unwrap();
    let mut checked = 0;
    for line in scores.lines() {
        let mut columns = line.split('\t');
        let deal = columns.next().unwrap();
        let revision: u64 = columns.next().unwrap().parse().unwrap();
        let score: f64 = columns.next().unwrap().parse().unwrap();
        let query = Query {
            as_of: Some(Instant::parse(AS_OF).unwrap()),
            ..Query::now(DealKey::new("default", deal))
        };
        let scored = stage.app.score(query).await.unwrap();
        assert_eq!(scored.revision, revision, "{deal}");
        let now = scored.score.score;
        assert!((now - score).abs() < 1e-9, "{deal}: {now}, was {score}");
        checked += 1;
    }
    assert_eq!(checked, 20);
}

#[test]
fn a_store_of_an_earlier_build_opens_with_the_scores_of_then() {
    let home = store_of_then();
    run(async {
        let store: Arc<dyn Store> = Arc::new(open(home.path()));
        check_scores(Arc::clone(&store)).await;
        store.close().await;
        // And it can be written to, and opened again.
        let stage = Stage::on(Arc::new(open(home.path())));
        assert_eq!(stage.write("opp-new", 1).await, 1);
        stage.store.close().await;
        check_scores(Arc::new(open(home.path()))).await;
    });
}

#[test]
fn a_backup_of_an_earlier_build_is_restored_with_the_scores_of_then() {
    let backup = fs::read(kept().join("backup")).unwrap();
    run(async {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        restore(&backup, &*store).await;
        check_scores(store).await;
    });
}
