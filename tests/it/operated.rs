//! The service as an operator has it: a process with an operations port, its log, its end.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use prost_types::Timestamp;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use serde_json::Value;
use serde_json::json;
use tokio_stream::StreamExt;
use tonic::Request;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::ingest_request;
use verbatim::wire::pb::ingest_service_client::IngestServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::ops::Scrape;
use crate::ops::get;
use crate::requests::statement_of;
use crate::server::channel;
use crate::server::http;
use crate::server::post;

const RECORD: &str = "/verbatim.v1.QualificationService/RecordBuyerStatement";
pub const SCORE: &str = "/verbatim.v1.QualificationService/ScoreDeal";
pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A service with an operations port, gone at the end of the test.
pub struct Operated {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub listens: SocketAddr,
    pub ops: SocketAddr,
}

pub fn verbatim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verbatim"));
    // The settings of whoever runs the tests are not those of the tests.
    for (name, _) in std::env::vars()
        .filter(|(name, _)| name.starts_with("VERBATIM_") || name.starts_with("OTEL_"))
    {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

impl Operated {
    pub fn start(arguments: &[&str]) -> Operated {
        Operated::start_in(&["--store", "memory"], arguments, &[])
    }

    /// Starts it in an environment.
    pub fn start_in(store: &[&str], arguments: &[&str], environment: &[(&str, &str)]) -> Operated {
        let ports = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
        let mut child = verbatim(&[&["serve"][..], store, &ports, arguments].concat())
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let ops = address(&mut stderr, "answers operators on http://");
        let listens = address(&mut stderr, "listens on http://");
        Operated {
            child,
            stderr,
            listens,
            ops,
        }
    }

    /// Asks it to stop; answers what it logged since it listens.
    pub async fn stop(self) -> String {
        self.terminate();
        // The connections of the test have to hear of it meanwhile.
        let ended = tokio::task::spawn_blocking(move || self.ended());
        let (exit, log) = ended.await.unwrap();
        assert_eq!(exit, Some(0), "{log}");
        log
    }

    /// Sends it the signal to stop.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits for its end: the exit code, and what it logged since it listens.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }

    async fn put_filter(&self, filter: &str) {
        let answer = http(self.ops, "PUT", "/loglevel", &[], filter.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

impl Drop for Operated {
    fn drop(&mut self) {
        // It has ended already where the test got to its end.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

pub fn address(stderr: &mut BufReader<ChildStderr>, before: &str) -> SocketAddr {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let (_, rest) = line.split_once(before).expect(&line);
    rest.split([';', '\n']).next().unwrap().parse().unwrap()
}

/// What is marked so must not be found in the log.
fn marked(word: &str) -> String {
    format!("Zebra{word}")
}

/// Sends words and names by every other way in; some are taken and some refused.
async fn send_all_else(service: &Operated) {
    let mut ingest = IngestServiceClient::new(channel(service.listens).await);
    let mut call = pb::ImportTranscriptRequest {
        deal_id: "deal-1".into(),
        content: format!("Lee: Well?\nZebraAna: {}\n", marked("said.")).into(),
        held_at: Some(Timestamp {
            seconds: 1_767_348_000,
            nanos: 0,
        }),
        ..pb::ImportTranscriptRequest::default()
    };
    ingest.import_transcript(call.clone()).await.unwrap_err();
    call.sellers = vec!["Lee".into()];
    call.buyers = vec![pb::TranscriptBuyer {
        label: "ZebraAna".into(),
        speaker: Some(pb::Speaker {
            stakeholder_id: "a".into(),
            ..pb::Speaker::default()
        }),
    }];
    ingest.import_transcript(call).await.unwrap();
    for (method, body) in [
        (
            "Qualification/ExtractClaims",
            json!({"quote": marked("extract"), "context": marked("before")}),
        ),
        (
            "Qualification/ExplainStall",
            json!({"dealId": "deal-1", "plannedNextSteps": [marked("plan")]}),
        ),
        (
            "Deal/UpsertStakeholders",
            json!({"dealId": "deal-1", "stakeholders": [{"stakeholderId": "q", "displayName": marked("q")}]}),
        ),
        (
            "Deal/UpsertMilestones",
            json!({"dealId": "deal-1", "milestones": [{"milestoneId": "m", "name": marked("step"), "dueDate": marked("day")}]}),
        ),
        (
            "Ingest/Ingest",
            json!({"upsertDeal": {"deal": {"dealId": "deal-3", "name": marked("three"), "closeDate": marked("day")}}}),
        ),
        (
            "Qualification/ConfirmClaims",
            json!({"dealId": "deal-1", "statementId": "s1", "confirmedBy": marked("eve"), "claims": [{"topic": marked("t")}]}),
        ),
        (
            "Deal/RetractBuyerStatement",
            json!({"dealId": "deal-1", "statementId": "nowhere", "reason": marked("why")}),
        ),
        (
            "Deal/RecordOutcome",
            json!({"dealId": "deal-1", "outcome": {"outcome": "OUTCOME_WON", "reason": marked("won")}}),
        ),
    ] {
        let path = format!("/verbatim.v1.{}", method.replace('/', "Service/"));
        post(service.listens, &path, &body.to_string()).await;
    }
}

/// Sends facts of a deal, and statements as JSON of which some are wrong.
async fn send_facts(service: &Operated) {
    let mut deals = DealServiceClient::new(channel(service.listens).await);
    let facts = pb::UpsertDealRequest {
        deal: Some(pb::Deal {
            deal_id: "deal-1".into(),
            name: Some(marked("deal")),
            account: Some(marked("account")),
            owner: Some(marked("owner")),
            ..pb::Deal::default()
        }),
        expected_revision: None,
    };
    deals.upsert_deal(facts).await.unwrap();
    for body in [
        json!({"statement": {"dealId": "deal-1", "quote": marked("json"), "attribution": marked("enum")}}),
        json!({"statement": {marked("field"): 1}}),
        json!({"statement": {"dealId": "deal-2", "speaker": {"stakeholderId": "p", "displayName": marked("p")},
            "quote": marked("two"), "attribution": "ATTRIBUTION_VERBATIM", "claims": [{"topic": "TOPIC_PROBLEM"}]}}),
    ] {
        post(service.listens, RECORD, &body.to_string()).await;
    }
}

#[tokio::test]
async fn no_line_of_the_log_has_what_was_said_or_a_name() {
    let service = Operated::start(&["--log-level", "info,verbatim=trace", "--log-format", "json"]);
    let mut request = statement_of("deal-1");
    let statement = request.statement.as_mut().unwrap();
    statement.quote = marked("quote said by them.");
    statement.context = marked("context");
    let speaker = statement.speaker.as_mut().unwrap();
    speaker.display_name = marked("Name");
    speaker.title = marked("Title");
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    client
        .record_buyer_statement(request.clone())
        .await
        .unwrap();
    // Refused for many reasons, each of which names what was sent to its caller.
    let statement = request.statement.as_mut().unwrap();
    statement.statement_id = marked("id \u{0}");
    statement.claims[0].topic = 999;
    client.record_buyer_statement(request).await.unwrap_err();
    send_facts(&service).await;
    send_all_else(&service).await;
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", TRACEPARENT),
    ];
    let body = b"{\"dealId\": \"nowhere\"}";
    http(service.listens, "POST", SCORE, &headers, body).await;

    let log = service.stop().await;
    assert!(!log.contains("Zebra"), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .filter(|line: &Value| line["message"] == "call")
        .collect();
    let line = |method: &str, code: &str| {
        let found = lines
            .iter()
            .find(|line| line["method"] == method && line["code"] == code);
        found.unwrap_or_else(|| panic!("{method} {code} in {log}"))
    };
    for (method, code) in [
        ("QualificationService/ExtractClaims", "OK"),
        ("QualificationService/ExplainStall", "OK"),
        ("QualificationService/ConfirmClaims", "INVALID_ARGUMENT"),
        ("DealService/UpsertStakeholders", "OK"),
        ("DealService/UpsertMilestones", "INVALID_ARGUMENT"),
        ("DealService/RecordOutcome", "OK"),
        ("DealService/RetractBuyerStatement", "NOT_FOUND"),
        ("IngestService/ImportTranscript", "INVALID_ARGUMENT"),
        ("IngestService/ImportTranscript", "OK"),
    ] {
        line(method, code);
    }
    let ok = line("QualificationService/RecordBuyerStatement", "OK");
    assert_eq!(ok["level"], "DEBUG");
    assert!(0.0 < ok["duration_ms"].as_f64().unwrap());
    let refused = line(
        "QualificationService/RecordBuyerStatement",
        "INVALID_ARGUMENT",
    );
    assert_eq!(refused["level"], "INFO");
    let traced = line("QualificationService/ScoreDeal", "NOT_FOUND");
    assert_eq!(traced["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn every_line_of_a_call_names_its_trace_also_when_no_trace_is_sent() {
    // Nobody is there to read quotes, which is a line of its own, from a task of its own where it streams.
    let extractor = ["--extractor", "http://127.0.0.1:1"];
    let format = ["--log-level", "info,verbatim=debug", "--log-format", "json"];
    let service = Operated::start(&[&extractor[..], &format].concat());
    let unread = |deal: &str| {
        let mut unread = statement_of(deal);
        unread.statement.as_mut().unwrap().claims.clear();
        unread
    };
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    let mut named = Request::new(unread("d1"));
    let parent = TRACEPARENT.parse().unwrap();
    named.metadata_mut().insert("traceparent", parent);
    client.record_buyer_statement(named).await.unwrap();
    client.record_buyer_statement(unread("d2")).await.unwrap();
    let mut ingest = IngestServiceClient::new(channel(service.listens).await);
    let written = pb::IngestRequest {
        item: Some(ingest_request::Item::RecordBuyerStatement(unread("d3"))),
        ..pb::IngestRequest::default()
    };
    let answers = ingest.ingest(tokio_stream::iter([written])).await.unwrap();
    let answers: Vec<_> = answers.into_inner().collect().await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    // Refused before a call is asked, and by a call.
    post(service.listens, SCORE, "{\"dealId\": ").await;
    post(service.listens, SCORE, "{\"dealId\": \"nowhere\"}").await;

    let log = service.stop().await;
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect(line));
    let mut traces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let message = line["message"].as_str().unwrap().to_owned();
        let trace = line["trace_id"].as_str().expect(&log).to_owned();
        traces.entry(trace).or_default().push(message);
    }
    let is_trace =
        |trace: &String| trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(traces.keys().all(is_trace), "{log}");
    let unread = "the extractor did not read a quote; it was read without it";
    let with = |messages: &[&str]| traces.values().filter(|found| *found == messages).count();
    assert_eq!(traces.len(), 5, "{log}");
    assert_eq!((with(&[unread, "call"]), with(&["call"])), (3, 2), "{log}");
    let named = &traces["0af7651916cd43dd8448eb211c80319c"];
    assert_eq!(*named, [unread, "call"], "{log}");
}

#[tokio::test]
async fn what_is_logged_can_be_changed_while_the_service_runs() {
    let service = Operated::start(&["--log-level", "warn", "--log-format", "json"]);
    let call = || post(service.listens, SCORE, "{\"dealId\": \"nowhere\"}");
    call().await;
    service.put_filter("verbatim=info").await;
    let answer = get(service.ops, "/loglevel").await;
    assert_eq!(answer.body, b"verbatim=info\n");
    call().await;
    service.put_filter("off").await;
    call().await;
    assert_eq!(
        Scrape::of(service.ops)
            .await
            .value("verbatim_requests_in_flight"),
        0.0
    );
    let log = service.stop().await;
    let calls = log.lines().filter(|line| line.contains("NOT_FOUND"));
    assert_eq!(calls.count(), 1, "{log}");
}

#[tokio::test]
async fn the_pipeline_is_told_to_scrapers_when_that_is_asked_for() {
    let service = Operated::start(&["--log-level", "off", "--pipeline-metrics-s", "1"]);
    let told = async {
        loop {
            let answer = get(service.ops, "/metrics").await;
            let text = String::from_utf8(answer.body).unwrap();
            if text.contains("verbatim_pipeline_deals{by=\"state\",is=\"DARK\"} 0\n") {
                return;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(20), told).await;
    told.expect("the pipeline is looked at");
    service.stop().await;
}

#[tokio::test]
async fn healthcheck_ends_with_0_only_when_the_service_is_ready() {
    let service = Operated::start(&["--log-level", "off"]);
    let server = format!("http://{}", service.listens);
    let ops = format!("http://{}", service.ops);
    let check = |arguments: &[&str], exit: i32, words: &str| {
        let output = verbatim(&[&["healthcheck"], arguments].concat())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        assert!(said.contains(words), "{words} in {said}");
    };
    check(&["--server", &server], 0, "ready");
    check(&["--ops", &ops], 0, "ready");
    let deals = ["--server", &server, "--service", "verbatim.v1.DealService"];
    check(&deals, 0, "ready");
    check(&["--server", &server, "--service", "nowhere"], 1, "");
    // The operations port does not speak gRPC, and the other has no /readyz.
    check(&["--server", &ops], 1, "");
    check(&["--ops", &server], 1, "");
    check(&["--ops", "https://127.0.0.1:1"], 64, "--ops");
    service.stop().await;
    check(&["--server", &server], 1, "no service answers");
    check(&["--ops", &ops], 1, "nobody answers");
}

#[test]
fn a_fatal_end_leaves_a_line_why() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("termination-log");
    let at = path.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let check = |arguments: &[&str], exit: i32, words: &str| {
        let serve = ["serve", "--store", "memory", "--log-level", "off"];
        let output = verbatim(&[&serve, arguments].concat())
            .env("VERBATIM_TERMINATION_LOG", at)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        let why = fs::read_to_string(&path).unwrap();
        assert!(why.contains(words), "{words} in {why}");
        assert_eq!(why.matches('\n').count(), 1, "{why}");
    };
    check(&["--listen", &taken], 69, "cannot listen on");
    check(&["--ops-listen", &taken], 69, "for operators");
    let wrong = ["--workers", "0", "--calls-max", "0"];
    check(
        &wrong,
        64,
        "--workers: must be a whole number from 1 to 1024",
    );
}
