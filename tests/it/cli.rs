//! The one binary, run as people run it: what it prints and the exit code it ends with.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use tempfile::TempDir;

pub const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pipeline.ndjson");

pub fn verbatim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verbatim"));
    // The settings of whoever runs the tests are not those of the tests.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VERBATIM_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    verbatim(arguments).output().unwrap()
}

#[track_caller]
pub fn check(arguments: &[&str], exit: i32, out: &str, err: &str) {
    let output = run(arguments);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(exit),
        "{arguments:?}\n{stdout}\n{stderr}"
    );
    assert!(stdout.contains(out), "{out} in {stdout}");
    assert!(stderr.contains(err), "{err} in {stderr}");
}

/// A service of its own, on a free port, gone at the end of the test.
pub struct Service {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub url: String,
    data: TempDir,
}

impl Service {
    pub fn start() -> Service {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().to_str().unwrap();
        let mut command = verbatim(&[
            "serve",
            "--data",
            path,
            "--listen",
            "127.0.0.1:0",
            "--log-level",
            "off",
        ]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let url = line
            .split_once("listens on ")
            .expect(&line)
            .1
            .split_once(';')
            .unwrap()
            .0
            .to_owned();
        Service {
            child,
            stderr,
            url,
            data,
        }
    }

    /// Where it keeps deals.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Asks it to stop; answers how it ended.
    fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.stderr.read_line(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing more is said");
        status.code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where the test got to its end.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

#[test]
fn the_demo_tells_the_pipeline_and_one_deal() {
    let output = run(&["demo", "--once", "--listen", "127.0.0.1:0"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let parts = [
        "The pipeline: ",
        "→",
        "best ",
        "Base ",
        "of 100 points are lost",
        "Ask ",
        "verbatim explain opp-",
        "curl -s",
    ];
    for part in parts {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
    assert!(stdout.lines().all(|line| line.chars().count() <= 80
        || line.contains("--server")
        || line.contains("curl")));
}

#[test]
fn a_file_loaded_twice_is_kept_once_and_asked_about() {
    let service = Service::start();
    let at = ["--server", &service.url];
    let with = |arguments: &[&'static str]| [arguments, &at].concat();
    let load = [&["load", STORY, "--shift-to-today"], at.as_slice()].concat();
    check(&load, 0, "lines taken, in", "sending ");
    check(&load, 0, "there already", "");
    check(&with(&["score", "opp-1031"]), 0, "Consequence", "");
    check(
        &with(&[
            "explain",
            "opp-1031",
            "--plan",
            "Offer 10 % off if they sign by Friday",
        ]),
        0,
        "Expiring offer",
        "",
    );
    check(
        &with(&["history", "opp-1031", "--json"]),
        0,
        "\"revision\": \"1\"",
        "",
    );
    check(
        &with(&["score", "nosuch"]),
        1,
        "",
        "verbatim: there is no deal nosuch",
    );
    check(
        &with(&["score", "nosuch", "--json"]),
        1,
        "",
        "\"reason\": \"DEAL_NOT_FOUND\"",
    );
    assert_eq!(service.stop(), Some(0));
}

/// Loads lines as a file of them.
fn load_lines(service: &Service, lines: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("deal.ndjson");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let load = ["load", file.to_str().unwrap(), "--server", &service.url];
    check(&load, 0, "lines taken, in", "");
}

/// What a command answers a program.
#[track_caller]
pub fn ask(service: &Service, arguments: &[&str]) -> serde_json::Value {
    let asked = [arguments, &["--json", "--server", &service.url]].concat();
    let output = verbatim(&asked).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_comparison_as_shown_ends_with_what_was_known_at_the_close() {
    let service = Service::start();
    // All of it is recorded now, and so was not known when the deal was closed.
    load_lines(
        &service,
        &[
            r#"{"recordBuyerStatement":{"statement":{"statementId":"s1","dealId":"d1","speaker":{"stakeholderId":"ana"},"saidAt":"2026-03-20T09:00:00Z","quote":"We cannot go on.","attribution":"ATTRIBUTION_VERBATIM"}}}"#,
            r#"{"recordOutcome":{"dealId":"d1","outcome":{"outcome":"OUTCOME_WON","effectiveAt":"2026-04-01T09:00:00Z"}}}"#,
        ],
    );
    let told = |more: &[&str]| {
        let compare = ["compare", "d1", "--from", "2026-03-01"];
        ask(&service, &[&compare, more].concat())["scoreAfter"].clone()
    };
    let to = ["--as-shown", "--to", "2026-04-01T09:00:00Z"];
    assert_eq!(told(&["--as-shown"]), told(&to));
    assert_ne!(told(&["--as-shown"]), told(&[]));
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn who_no_longer_says_that_it_has_to_wait_is_not_said_to() {
    let service = Service::start();
    let said = |who: &str, day: u32, stance: &str| {
        format!(
            r#"{{"recordBuyerStatement":{{"statement":{{"statementId":"{who}-{day}","dealId":"d1","speaker":{{"stakeholderId":"{who}","displayName":"{who}"}},"saidAt":"2026-03-{day:02}T09:00:00Z","quote":"It is where it is.","attribution":"ATTRIBUTION_VERBATIM","claims":[{{"topic":"TOPIC_PRIORITY","stance":"STANCE_{stance}","conviction":"CONVICTION_OWNED"}}]}}}}}}"#
        )
    };
    let lines = [
        said("Ana", 1, "DEFERS"),
        said("Ben", 5, "OPPOSES"),
        said("Ana", 10, "SUPPORTS"),
    ];
    load_lines(&service, &lines.each_ref().map(String::as_str));
    let score = ask(
        &service,
        &["score", "d1", "--as-of", "2026-03-11T09:00:00Z"],
    );
    let modifiers = score["score"]["modifiers"].as_array().unwrap();
    let priority = modifiers
        .iter()
        .find(|one| one["modifier"] == "MODIFIER_PRIORITY");
    let reason = priority.unwrap()["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("Ben says that this has to wait"),
        "{reason}"
    );
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn the_past_of_a_deal_and_the_whole_pipeline_are_asked_about() {
    let service = Service::start();
    let at = ["--server", &service.url];
    let with = |arguments: &[&'static str]| [arguments, &at].concat();
    let load = [&["load", STORY, "--shift-to-today"], at.as_slice()].concat();
    check(&load, 0, "lines taken, in", "sending ");
    check(&with(&["trend", "opp-1031"]), 0, "week by week", "");
    check(
        &with(&["trend", "opp-1031", "--changes"]),
        0,
        "What happened",
        "",
    );
    check(
        &with(&["compare", "opp-1031", "--from", "-60d"]),
        0,
        "Difference",
        "",
    );
    check(
        &with(&["compare", "opp-1031", "--from", "-60d", "--json"]),
        0,
        "\"kind\": \"CHANGE_KIND_AGED\"",
        "",
    );
    check(
        &with(&["trend", "opp-1031", "--from", "-1d", "--to", "-2d"]),
        65,
        "",
        "from must not be later than `to`",
    );
    check(&with(&["pipeline"]), 0, "Happy ears: EUR ", "");
    let stalled = [
        "pipeline",
        "--state",
        "stalled,dark",
        "--order",
        "lift",
        "--json",
    ];
    check(&with(&stalled), 0, "\"state\": \"DEAL_STATE_DARK\"", "");
    let grouped = [
        "pipeline",
        "--all",
        "--group-by",
        "band",
        "--compare",
        "-8w",
    ];
    check(&with(&grouped), 0, "Not buying", "");
    check(
        &with(&["pipeline", "--score-min", "101"]),
        65,
        "",
        "filter.score_min must be from 0 to 100, got 101",
    );
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn what_is_read_from_a_quote_is_shown_kept_and_corrected() {
    let service = Service::start();
    let with = |arguments: &[&'static str]| {
        let at = ["--server", &service.url];
        [arguments, &at].concat()
    };
    let quote = "We don't have the budget for this.";
    check(&with(&["extract", quote]), 0, "management opposes", "");
    check(
        &with(&["extract", quote, "--json"]),
        0,
        "TOPIC_MANAGEMENT",
        "",
    );
    check(
        &with(&[
            "extract",
            "Wir haben kein Budget.",
            "--said-on",
            "2026-05-12",
        ]),
        0,
        "in a language that is not read",
        "",
    );
    let nothing = with(&["extract", ""]);
    check(&nothing, 65, "", "quote must not be empty");

    let record = &[
        "record",
        "d1",
        "--by",
        "ana",
        "--attribution",
        "verbatim",
        "--id",
        "s1",
    ];
    let record = with(
        &[
            record.as_slice(),
            &["--said-at", "2026-05-12", "--quote", quote],
        ]
        .concat(),
    );
    check(&record, 0, "by the service, as en", "");
    check(&record, 0, "Recorded before", "");
    let correct = with(&[
        "confirm",
        "d1",
        "s1",
        "--claim",
        "value:opposes",
        "--by",
        "eve",
    ]);
    check(&correct, 0, "Confirmed\n", "");
    check(&correct, 0, "nothing changed", "");
    check(
        &with(&["confirm", "d1", "s1", "--reject"]),
        0,
        "Rejected",
        "",
    );
    check(
        &with(&["confirm", "d1", "s2", "--reject"]),
        1,
        "",
        "no statement s2",
    );
    check(&with(&["history", "d1"]), 0, "s1 judged by eve", "");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn the_exit_code_tells_what_went_wrong() {
    let nobody = "http://127.0.0.1:1";
    check(
        &["score", "d", "--server", nobody],
        69,
        "",
        "no service answers at http://127.0.0.1:1",
    );
    check(&["score"], 64, "", "Usage: verbatim score");
    check(
        &["serve", "--workers", "0", "--calls-max", "0"],
        64,
        "",
        "--workers: must be a whole number from 1 to 1024",
    );
    check(
        &["serve", "--extractor", "reader:7460"],
        64,
        "",
        "--extractor: must be a URL such as http://127.0.0.1:7460, got `reader:7460`",
    );
    check(&["load", "/nonexistent.ndjson"], 64, "", "cannot be read");
    check(&["serve", "--print-config"], 0, "deadline_ms = 10000 ", "");
    check(&["--help"], 0, "Exit codes:", "");

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.ndjson");
    std::fs::write(&file, "# one\n{\"upsertDeal\":{}}\n").unwrap();
    let file = file.to_str().unwrap();
    let place = format!("{file}:2: upsertDeal.deal.dealId: must be set");
    check(&["load", file, "--server", nobody], 65, "", &place);
    check(
        &["demo", "--data", dir.path().to_str().unwrap()],
        64,
        "",
        "must be empty or absent",
    );
}

#[test]
fn watch_tells_a_line_a_change_and_at_the_end_where_to_go_on() {
    let service = Service::start();
    let server = ["--server", &service.url];
    check(&[&["load", STORY], &server[..]].concat(), 0, "taken", "");
    let arguments = [&["watch", "--from", "beginning"], &server[..]].concat();
    let (lines, token) = watched(&arguments, 20);
    assert!(lines[0].contains("\"bandCrossed\":true"), "{}", lines[0]);

    // What was told is behind the token; the rest is the same as without a break.
    let arguments = [&["watch", "--from", &token], &server[..]].concat();
    let (rest, _) = watched(&arguments, 5);
    let arguments = [&["watch", "--from", "beginning"], &server[..]].concat();
    let (whole, _) = watched(&arguments, 25);
    assert_eq!(whole[..20], lines);
    assert_eq!(whole[20..], rest);

    let refused = [&["watch", "--from", "yesterday"], &server[..]].concat();
    check(&refused, 65, "", "resume_token");
}

/// The first lines of a watch and the token behind them: it ends when nobody reads on.
fn watched(arguments: &[&str], count: usize) -> (Vec<String>, String) {
    let mut command = verbatim(&[arguments, &["--json"]].concat());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut token = String::new();
    let mut lines = Vec::new();
    for line in out.lines() {
        let item: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if item["change"].is_object() {
            token = item["change"]["token"].as_str().unwrap().to_owned();
            lines.push(item["change"].to_string());
        }
        if lines.len() == count {
            break;
        }
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{ended:?}");
    (lines, token)
}
