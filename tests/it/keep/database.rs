//! The commands on a database, as an operator runs them.

use std::ops::ControlFlow;
use std::path::Path;

use verbatim::store::Store;
use verbatim::store::archive;
use verbatim::store::postgres::Options;
use verbatim::store::postgres::Postgres;

use crate::cli::STORY;
use crate::cli::Service;
use crate::cli::check;
use crate::support::database::Database;
use crate::support::open;
use crate::support::run;

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The directory of a store that holds the story.
fn told(home: &Path) -> String {
    let service = Service::start();
    check(&["load", STORY, "--server", &service.url], 0, "", "");
    let file = home.join("told.verbatim");
    let to = shown(&file);
    check(&["backup", "--server", &service.url, "--to", to], 0, "", "");
    let data = home.join("told");
    check(&["restore", to, "--data", shown(&data)], 0, "", "");
    shown(&data).to_owned()
}

#[test]
fn a_store_goes_into_a_database_and_back_and_is_the_same() {
    let Some(database) = Database::empty() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let data = told(home.path());
    let url = database.text();

    check(
        &["copy", "--from", &data, "--to", &url],
        69,
        "",
        "verbatim migrate",
    );
    check(
        &["migrate", "--store", &url, "--dry-run"],
        0,
        "CREATE TABLE",
        "",
    );
    check(&["migrate", "--store", &url], 0, "is at 1", "");
    check(&["migrate", "--store", &url], 0, "nothing was missing", "");
    check(
        &["migrate", "--store", &url, "--dry-run"],
        0,
        "nothing is missing",
        "",
    );
    check(
        &["copy", "--from", &data, "--to", &url],
        0,
        "equal to",
        "left",
    );
    check(
        &["copy", "--from", &data, "--to", &url],
        64,
        "",
        "holds deals already",
    );
    check(&["rebuild", "--data", &url], 0, "made anew", "");
    check(&["verify", "--data", &url], 0, "as the events fold", "");

    let back = home.path().join("back");
    check(
        &["copy", "--from", &url, "--to", shown(&back)],
        0,
        "equal to",
        "",
    );
    let mut files = Vec::new();
    for (number, place) in [&data, &url, shown(&back)].into_iter().enumerate() {
        let file = home.path().join(format!("{number}.verbatim"));
        check(
            &["backup", "--data", place, "--to", shown(&file)],
            0,
            "changes: ",
            "",
        );
        files.push(std::fs::read(file).unwrap());
    }
    // The same order and the same bytes make the same file.
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_backup_is_restored_into_a_database() {
    let Some(database) = Database::new() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let data = told(home.path());
    let (file, url) = (home.path().join("b.verbatim"), database.text());
    check(
        &["backup", "--data", &data, "--to", shown(&file)],
        0,
        "",
        "",
    );
    check(
        &["restore", shown(&file), "--data", &url],
        0,
        "changes: ",
        "",
    );
    check(
        &["restore", shown(&file), "--data", &url],
        64,
        "",
        "holds deals already",
    );
    check(&["verify", "--data", &url], 0, "is sound", "");

    // The last event of a deal: nothing that follows on it is missing.
    let gone = "DELETE FROM verbatim_events e WHERE deal = 'opp-1031' AND revision =
        (SELECT max(revision) FROM verbatim_events WHERE deal = 'opp-1031')";
    run(database.execute(gone));
    check(&["verify", "--data", &url], 65, "", "opp-1031");
}

#[test]
fn a_copy_that_was_interrupted_is_taken_up_again_and_of_another_store_is_refused() {
    let Some(database) = Database::new() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let data = told(home.path());
    let url = database.text();
    // Another one of the same, since this process may go on holding what it has opened.
    let file = home.path().join("told.verbatim");
    let twin = home.path().join("twin");
    check(
        &["restore", shown(&file), "--data", shown(&twin)],
        0,
        "",
        "",
    );
    run(async {
        let from = open(&twin);
        let to = Postgres::begin(&database.url(), Options::default())
            .await
            .unwrap();
        let stopped = archive::copy(&from, &to, 40, |_| ControlFlow::Break(())).await;
        assert!(stopped.is_err());
        assert_eq!(to.newest_sequence().await, Ok(40));
        from.close().await;
    });
    check(&["serve", "--store", &url], 69, "", "has not ended");
    let other_home = tempfile::tempdir().unwrap();
    let other = told(other_home.path());
    check(
        &["copy", "--from", &other, "--to", &url],
        65,
        "",
        "another store",
    );
    check(&["copy", "--from", &data, "--to", &url], 0, "equal to", "");
    check(&["verify", "--data", &url], 0, "is sound", "");
}

#[test]
fn a_database_that_is_not_ready_for_this_build_or_not_there_is_refused_by_69() {
    let nowhere = "postgres://me:secret@127.0.0.1:1/d";
    check(
        &["serve", "--store", nowhere],
        69,
        "",
        "me:***@127.0.0.1:1/d",
    );
    check(
        &["migrate", "--store", nowhere],
        69,
        "",
        "me:***@127.0.0.1:1/d",
    );
    check(
        &["verify", "--data", nowhere],
        69,
        "",
        "me:***@127.0.0.1:1/d",
    );
    check(
        &["serve", "--store", "postgres://h/d?sslmode=x"],
        64,
        "",
        "sslmode",
    );
    let Some(database) = Database::empty() else {
        return;
    };
    let url = database.text();
    check(&["serve", "--store", &url], 69, "", "verbatim migrate");
    check(&["migrate", "--store", &url], 0, "", "");
    run(database.execute("UPDATE verbatim_schema SET version = 7"));
    check(&["serve", "--store", &url], 69, "", "newer build");
    check(&["migrate", "--store", &url], 69, "", "newer build");
}
