//! The commands, as an operator runs them.

use std::path::Path;

use crate::cli::STORY;
use crate::cli::Service;
use crate::cli::check;

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_service_is_backed_up_while_it_runs_and_what_was_kept_is_restored_verified_and_compacted() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("monday.verbatim");
    let (file, data) = (shown(&file), home.path().join("data"));
    let service = Service::start();
    let held = shown(service.data()).to_owned();
    check(&["load", STORY, "--server", &service.url], 0, "", "");
    let done = "changes: ";
    check(
        &["backup", "--server", &service.url, "--to", file],
        0,
        done,
        "",
    );
    let online = "verbatim backup --server URL";
    check(&["backup", "--data", &held, "--to", file], 69, "", online);
    check(&["verify", "--data", &held], 69, "", "held by process");
    check(
        &["compact", "--data", &held],
        69,
        "",
        "stop the service first",
    );
    drop(service);

    check(&["verify", file], 0, "is sound", "");
    check(&["restore", file, "--data", shown(&data)], 0, done, "");
    check(
        &["restore", file, "--data", shown(&data)],
        64,
        "",
        "is not empty",
    );
    check(&["rebuild", "--data", shown(&data)], 0, "made anew", "");
    check(
        &["verify", "--data", shown(&data)],
        0,
        "as the events fold",
        "",
    );
    check(&["compact", "--data", shown(&data)], 0, "it had", "");
    check(&["verify", "--data", shown(&data)], 0, "is sound", "");

    let again = home.path().join("again.verbatim");
    check(
        &["backup", "--data", shown(&data), "--to", shown(&again)],
        0,
        done,
        "",
    );
    // The same order and the same bytes make the same file.
    assert_eq!(std::fs::read(again).unwrap(), std::fs::read(file).unwrap());
}

#[test]
fn a_backup_that_was_damaged_or_is_none_is_named_and_restores_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("monday.verbatim");
    let data = home.path().join("data");
    let service = Service::start();
    check(&["load", STORY, "--server", &service.url], 0, "", "");
    check(
        &["backup", "--server", &service.url, "--to", shown(&file)],
        0,
        "changes: ",
        "",
    );
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    check(&["verify", shown(&file)], 65, "", "the archive is cut off");
    check(
        &["restore", shown(&file), "--data", shown(&data)],
        65,
        "",
        "the archive is cut off",
    );
    assert!(!data.exists());
    check(&["verify", STORY], 65, "", "this is not an archive");
    check(
        &["verify", "--data", shown(&data)],
        64,
        "",
        "there is no store",
    );
    check(
        &["backup", "--data", shown(&data), "--to", "f"],
        64,
        "",
        "there is no store",
    );
}
