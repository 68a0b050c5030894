//! `verbatim import`, run as people run it.

use tempfile::TempDir;

use crate::cli::verbatim;
use crate::server;
use crate::server::Running;

const CALL: &str = "WEBVTT\n\n00:01.000 --> 00:04.000\nLee Fox: What does it cost you?\n\n00:05.000 --> 00:09.000\nAna Ruiz: Forty thousand a month. We cannot go on.\n";

const EMAIL: &str = "From: Ana Ruiz <ana@acme.example>\nDate: Sat, 28 Feb 2026 10:00:00 +0000\nMessage-ID: <1@acme.example>\n\nWe cannot go on.\n\n-- \nAna\n";

/// A service in this process, and files to import.
struct Desk {
    running: Running,
    home: TempDir,
}

impl Desk {
    async fn set_up() -> Desk {
        Desk {
            running: server::start().await,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs `import` and looks for parts of what it prints: on standard output when it is done, else on standard error.
    async fn check(&self, arguments: &[&str], exit: i32, told: &[&str]) {
        let url = format!("http://{}", self.running.address());
        let deal = ["--deal", "d1", "--server", &url];
        let whole = [&["import"], arguments, &deal].concat();
        let whole: Vec<String> = whole.into_iter().map(str::to_owned).collect();
        // The service's thread must not wait for the command.
        let ran = tokio::task::spawn_blocking(move || {
            let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
            verbatim(&whole).output().unwrap()
        });
        let output = ran.await.unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert_eq!(code, Some(exit), "{arguments:?}\n{stdout}\n{stderr}");
        let text = if exit == 0 { stdout } else { stderr };
        for part in told {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[tokio::test]
async fn a_transcript_is_imported_once_its_speakers_are_named() {
    let desk = Desk::set_up().await;
    let call = desk.file("call.vtt", CALL);
    let who = [
        "1 turn  Lee Fox",
        "1 turn  Ana Ruiz",
        "--seller \"Lee Fox\"",
    ];
    desk.check(&["transcript", &call], 64, &who).await;
    let prose = desk.file("prose.txt", "once upon a time\n");
    let told = ["nobody speaks in it", "line 1: not written in a format"];
    desk.check(&["transcript", &prose], 65, &told).await;
    let misnamed = ["transcript", &call, "--buyer", "Anna Ruiz=ana"];
    let told = ["1 turn  Ana Ruiz\n", "nobody in it is called \"Anna Ruiz\""];
    desk.check(&misnamed, 64, &told).await;
    let named = ["transcript", &call, "--buyer", "Ana Ruiz=ana"];
    desk.check(&named, 64, &["Ana Ruiz  (named)", "--partial"])
        .await;
    let named = [&named[..], &["--seller", "Lee Fox"]].concat();
    desk.check(&named, 65, &["held_at: must be set"]).await;

    let held = [&named[..], &["--held-at", "2026-02-28T10:00:00Z"]].concat();
    let rehearsed = [&held[..], &["--dry-run"]].concat();
    desk.check(&rehearsed, 0, &["Checked, not recorded"]).await;
    assert_eq!(desk.running.store.events_kept(), 0);
    let told = [
        "Imported\n",
        "web vtt, UTF-8",
        "1 statement",
        "1 seller",
        "“Forty thousand",
    ];
    desk.check(&held, 0, &told).await;
    let told = ["Imported before; nothing changed", "1 there before"];
    desk.check(&held, 0, &told).await;
    let json = [&held[..], &["--json"]].concat();
    desk.check(&json, 0, &["\"alreadyRecorded\": 1"]).await;
    assert_eq!(desk.running.store.events_kept(), 1);
    desk.running.stop().await;
}

#[tokio::test]
async fn a_transcript_that_is_cut_off_is_imported_in_part_only_when_asked_for() {
    let desk = Desk::set_up().await;
    let half = desk.file("half.vtt", &CALL[..CALL.find("Ana").unwrap()]);
    let cut = [
        "transcript",
        &half,
        "--seller",
        "Lee Fox",
        "--held-at",
        "2026-02-28T10:00:00Z",
    ];
    let told = [
        "content: must be understood",
        "line 6: the file ends with a cue without words",
    ];
    desk.check(&cut, 65, &told).await;
    assert_eq!(desk.running.store.events_kept(), 0);

    let half = desk.file("half.vtt", &format!("{CALL}\n00:10.000 --> 00:11.000\n"));
    let cut = [
        "transcript",
        &half,
        "--seller",
        "Lee Fox",
        "--held-at",
        "2026-02-28T10:00:00Z",
    ];
    let cut = [&cut[..], &["--buyer", "Ana Ruiz=ana", "--partial"]].concat();
    desk.check(
        &cut,
        0,
        &["1 statement", "Not understood", "perhaps it is cut"],
    )
    .await;
    assert_eq!(desk.running.store.events_kept(), 1);
    desk.running.stop().await;
}

#[tokio::test]
async fn an_email_is_imported_by_the_address_of_its_sender() {
    let desk = Desk::set_up().await;
    let email = desk.file("reply.eml", EMAIL);
    desk.check(&["email", &email], 64, &["ana@acme.example"])
        .await;
    let named = ["email", &email, "--buyer", "ana@acme.example=ana"];
    desk.check(
        &named,
        0,
        &["email, MIME", "“We cannot go on.”", "signature"],
    )
    .await;
    assert_eq!(desk.running.store.events_kept(), 1);
    // As the head of the letter calls her.
    desk.check(&named, 0, &["Imported before; nothing changed"])
        .await;
    desk.check(&["email", "/nonexistent.eml"], 64, &["cannot be read"])
        .await;
    let wrong = ["email", &email, "--buyer", "ana"];
    desk.check(&wrong, 64, &["`ana` is not NAME=ID"]).await;
    desk.running.stop().await;
}
