//! `verbatim import`, run as people run it.

use std::process::Output;

use crate::cli::verbatim;
use crate::server;

const CALL: &str = "WEBVTT\n\n00:01.000 --> 00:04.000\nLee Fox: What does it cost you?\n\n00:05.000 --> 00:09.000\nAna Ruiz: Forty thousand a month. We cannot go on.\n";

const EMAIL: &str = "From: Ana Ruiz <ana@acme.example>\nDate: Sat, 28 Feb 2026 10:00:00 +0000\nMessage-ID: <1@acme.example>\n\nWe cannot go on.\n\n-- \nAna\n";

async fn run(arguments: Vec<String>) -> Output {
    // The service is in this process: its thread must not wait for the command.
    let ran = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        verbatim(&arguments).output().unwrap()
    });
    ran.await.unwrap()
}

#[tokio::test]
async fn a_transcript_and_an_email_are_imported_by_command() {
    let running = server::start().await;
    let url = format!("http://{}", running.address());
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (call, email) = (path("call.vtt", CALL), path("reply.eml", EMAIL));
    let half = path("half.vtt", &CALL[..CALL.find("Ana").unwrap()]);
    let check = async |arguments: &[&str], exit: i32, out: &[&str], err: &[&str]| {
        let whole = [&["import"], arguments, &["--deal", "d1", "--server", &url]].concat();
        let output = run(whole.iter().map(|part| (*part).to_owned()).collect()).await;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{arguments:?}\n{stdout}\n{stderr}"
        );
        for part in out {
            assert!(stdout.contains(part), "{part} in {stdout}");
        }
        for part in err {
            assert!(stderr.contains(part), "{part} in {stderr}");
        }
    };

    let who = [
        "who of these is a buyer",
        "1 turns  Lee Fox",
        "1 turns  Ana Ruiz",
        "--seller \"Lee Fox\"",
    ];
    check(&["transcript", &call], 64, &[], &who).await;
    let named = [
        "transcript",
        &call,
        "--buyer",
        "Ana Ruiz=ana",
        "--seller",
        "Lee Fox",
    ];
    check(&named, 65, &[], &["held_at: must be set"]).await;
    let held = [&named[..], &["--held-at", "2026-02-28T10:00:00Z"]].concat();
    check(
        &[&held[..], &["--dry-run"]].concat(),
        0,
        &["Checked, not recorded"],
        &[],
    )
    .await;
    assert_eq!(running.store.events_kept(), 0);
    check(
        &held,
        0,
        &[
            "Imported\n",
            "web vtt, UTF-8",
            "1 statement",
            "1 seller",
            "“Forty thousand",
        ],
        &[],
    )
    .await;
    check(
        &held,
        0,
        &["Imported before; nothing changed", "1 there before"],
        &[],
    )
    .await;
    check(
        &[&held[..], &["--json"]].concat(),
        0,
        &["\"alreadyRecorded\": 1"],
        &[],
    )
    .await;

    let cut = [&["transcript", half.as_str()], &held[2..]].concat();
    check(
        &cut,
        65,
        &[],
        &[
            "content: must be understood",
            "line 6: the file ends with a cue without words",
        ],
    )
    .await;
    check(
        &[&cut[..], &["--partial"]].concat(),
        0,
        &["0 statements", "Not understood"],
        &[],
    )
    .await;

    check(&["email", &email], 64, &[], &["ana@acme.example"]).await;
    let named = ["email", &email, "--buyer", "ana@acme.example=ana"];
    check(
        &named,
        0,
        &["email, MIME", "“We cannot go on.”", "signature"],
        &[],
    )
    .await;
    assert_eq!(running.store.events_kept(), 2);
    check(&["email", "/nonexistent.eml"], 64, &[], &["cannot be read"]).await;
    check(
        &["email", &email, "--buyer", "ana"],
        64,
        &[],
        &["`ana` is not NAME=ID"],
    )
    .await;
    running.stop().await;
}
