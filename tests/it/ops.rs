//! The operations port: numbers that can be read and are right, and probes that tell how things are.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use verbatim::config::LogFormat;
use verbatim::grpc::limits::Limits;
use verbatim::ops::Ops;
use verbatim::telemetry::Telemetry;
use verbatim::telemetry::log::Log;
use verbatim::telemetry::sending::Sending;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement_of;
use crate::server;
use crate::server::Answer;
use crate::server::http;
use crate::server::raw_call;

/// What alert rules and dashboards are written against, but for what not every store has; see `told`.
const FAMILIES: [(&str, &str); 28] = [
    ("verbatim_requests_total", "counter"),
    ("verbatim_request_duration_seconds", "histogram"),
    ("verbatim_requests_in_flight", "gauge"),
    ("verbatim_streams_open", "gauge"),
    ("verbatim_stream_duration_seconds", "histogram"),
    ("verbatim_stream_messages_sent_total", "counter"),
    ("verbatim_stream_messages_received_total", "counter"),
    ("verbatim_store_appends_total", "counter"),
    ("verbatim_store_sync_duration_seconds", "histogram"),
    ("verbatim_store_group_appends", "histogram"),
    ("verbatim_store_event_bytes_total", "counter"),
    ("verbatim_store_fault", "gauge"),
    ("verbatim_deal_cache_hits_total", "counter"),
    ("verbatim_deal_cache_misses_total", "counter"),
    ("verbatim_deal_cache_bytes", "gauge"),
    ("verbatim_watchers", "gauge"),
    ("verbatim_watch_lag_lots", "gauge"),
    ("verbatim_watchers_cut_total", "counter"),
    ("verbatim_extractor_requests_total", "counter"),
    ("verbatim_build_info", "gauge"),
    ("verbatim_runtime_workers", "gauge"),
    ("verbatim_runtime_alive_tasks", "gauge"),
    ("verbatim_runtime_global_queue_depth", "gauge"),
    ("process_cpu_seconds_total", "counter"),
    ("process_open_fds", "gauge"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_start_time_seconds", "gauge"),
    ("process_threads", "gauge"),
];

/// The text of a scrape, read by the rules of its format.
pub struct Scrape {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(ops: SocketAddr) -> Scrape {
        let answer = get(ops, "/metrics").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(
            answer
                .head
                .contains("content-type: text/plain; version=0.0.4")
        );
        Scrape::read(&String::from_utf8(answer.body).unwrap())
    }

    fn read(text: &str) -> Scrape {
        let mut scrape = Scrape {
            kinds: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                let twice = scrape.kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(twice, None, "{line}");
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect(line);
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .filter(|family| scrape.kinds.contains_key(*family))
                .unwrap_or(name);
            assert!(scrape.kinds.contains_key(family), "no type: {line}");
            let value: f64 = value.parse().expect(line);
            let twice = scrape.samples.insert(series.to_owned(), value);
            assert_eq!(twice, None, "{line}");
        }
        scrape
    }

    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| {
            let name = series.split('{').next().unwrap();
            let near: Vec<_> = self
                .samples
                .keys()
                .filter(|key| key.starts_with(name))
                .collect();
            panic!("no {series} among {near:#?}")
        })
    }

    /// How many series a family has.
    pub fn count(&self, family: &str) -> usize {
        let series = self.samples.keys();
        let ours = series.filter(|key| key.split('{').next() == Some(family));
        ours.count()
    }

    /// How often a method of the qualification service ended in a code.
    #[track_caller]
    fn calls(&self, method: &str, code: &str) -> f64 {
        self.value(&format!(
            "verbatim_requests_total{{code=\"{code}\",method=\"{method}\",service=\"verbatim.v1.QualificationService\"}}"
        ))
    }
}

pub async fn get(ops: SocketAddr, path: &str) -> Answer {
    http(ops, "GET", path, &[], b"").await
}

async fn text(ops: SocketAddr, path: &str) -> (u16, String) {
    let answer = get(ops, path).await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

fn ops(telemetry: &Telemetry) -> Ops {
    let log = Log::start("off", LogFormat::Console, &Sending::default());
    let listen = "127.0.0.1:0".parse().unwrap();
    Ops::start(listen, telemetry.clone(), log).unwrap()
}

#[tokio::test]
async fn every_family_is_there_from_the_start() {
    let running = server::start().await;
    let ops = ops(&running.telemetry);
    // So that the one family without a closed list of labels has a line.
    running.telemetry.metrics.extractor_requests("ok").inc();
    let scrape = Scrape::of(ops.local_addr()).await;
    for (name, kind) in FAMILIES {
        assert_eq!(
            scrape.kinds.get(name).map(String::as_str),
            Some(kind),
            "{name}"
        );
    }
    assert_eq!(scrape.calls("ScoreDeal", "OK"), 0.0);
    assert_eq!(scrape.value("verbatim_store_fault{kind=\"lasting\"}"), 0.0);
    assert!(0.0 < scrape.value("verbatim_runtime_workers"));
    running.stop().await;
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code_and_what_is_unknown_makes_no_label() {
    let running = server::start().await;
    let ops = ops(&running.telemetry);
    let mut channel = running.channel().await;
    let mut client = QualificationServiceClient::new(channel.clone());
    for deal in ["d1", "d1", "d2"] {
        client
            .record_buyer_statement(statement_of(deal))
            .await
            .unwrap();
    }
    let score = pb::ScoreDealRequest {
        deal_id: "nowhere".into(),
        ..pb::ScoreDealRequest::default()
    };
    client.score_deal(score).await.unwrap_err();
    let path = "/verbatim.v1.QualificationService/ScoreDeal";
    let (status, _) = server::post(running.address(), path, "{\"dealId\": \"d1\"}").await;
    assert_eq!(status, 200);
    for path in ["/verbatim.v1.QualificationService/ana-said", "/ana/said"] {
        let status = raw_call(&mut channel, path, &[], Vec::new()).await;
        assert_eq!(status.code(), Code::Unimplemented);
    }

    // Refused before a call is asked, and counted all the same.
    let (status, _) = server::post(running.address(), path, "{\"said\": 1}").await;
    assert_eq!(status, 400);
    let (status, _) = server::post(running.address(), "/ana/said", "{}").await;
    assert_eq!(status, 404);

    let scrape = Scrape::of(ops.local_addr()).await;
    assert_eq!(scrape.calls("ScoreDeal", "INVALID_ARGUMENT"), 1.0);
    assert_eq!(scrape.calls("RecordBuyerStatement", "OK"), 3.0);
    assert_eq!(scrape.calls("ScoreDeal", "NOT_FOUND"), 1.0);
    assert_eq!(scrape.calls("ScoreDeal", "OK"), 1.0);
    for code in ["INVALID_ARGUMENT", "NOT_FOUND", "OK"] {
        let timed = format!(
            "verbatim_request_duration_seconds_count{{code=\"{code}\",method=\"ScoreDeal\",service=\"verbatim.v1.QualificationService\"}}"
        );
        assert_eq!(scrape.value(&timed), 1.0, "{code}");
    }
    let unknown =
        "verbatim_requests_total{code=\"UNIMPLEMENTED\",method=\"unknown\",service=\"unknown\"}";
    assert_eq!(scrape.value(unknown), 3.0);
    assert!(scrape.samples.keys().all(|series| !series.contains("said")));
    assert_eq!(scrape.value("verbatim_requests_in_flight"), 0.0);
    assert_eq!(
        scrape.value("verbatim_store_appends_total{outcome=\"ok\"}"),
        3.0
    );
    assert!(100.0 < scrape.value("verbatim_store_event_bytes_total"));
    assert!(0.0 < scrape.value("verbatim_deal_cache_bytes"));
    // Each deal is folded once, and found in memory after that.
    assert_eq!(scrape.value("verbatim_deal_cache_misses_total"), 3.0);
    assert!(3.0 <= scrape.value("verbatim_deal_cache_hits_total"));
    running.stop().await;
}

#[tokio::test]
async fn a_call_in_flight_is_a_gauge_and_a_caller_who_went_away_is_cancelled() {
    let running = server::start().await;
    let ops = ops(&running.telemetry);
    running.store.appends.hold();
    let mut client = QualificationServiceClient::new(running.channel().await);
    let call = tokio::spawn(async move { client.record_buyer_statement(statement_of("d")).await });
    running.store.appends.until_arrived(1).await;
    let scrape = Scrape::of(ops.local_addr()).await;
    assert_eq!(scrape.value("verbatim_requests_in_flight"), 1.0);
    call.abort();
    let _aborted = call.await;
    let gone = async {
        while Scrape::of(ops.local_addr())
            .await
            .value("verbatim_requests_in_flight")
            != 0.0
        {}
    };
    let gone = tokio::time::timeout(Duration::from_secs(20), gone).await;
    gone.expect("the call ends with its caller");
    let scrape = Scrape::of(ops.local_addr()).await;
    assert_eq!(scrape.calls("RecordBuyerStatement", "CANCELLED"), 1.0);
    running.store.appends.open();
    running.stop().await;
}

#[tokio::test]
async fn a_service_is_ready_from_its_start_to_its_fault_and_says_why_not() {
    let starting = Telemetry::default();
    let starts = ops(&starting);
    let (status, why) = text(starts.local_addr(), "/readyz").await;
    assert_eq!(
        (status, why.as_str()),
        (503, "not ready: the service is starting\n")
    );
    assert_eq!(
        text(starts.local_addr(), "/livez").await,
        (200, "ok\n".into())
    );

    let running = server::start().await;
    let ops = ops(&running.telemetry);
    assert_eq!(
        text(ops.local_addr(), "/readyz").await,
        (200, "ok\n".into())
    );
    running.store.break_down("the disk is on fire");
    let mut deals = DealServiceClient::new(running.channel().await);
    let request = pb::UpsertDealRequest {
        deal: Some(pb::Deal {
            deal_id: "d".into(),
            name: Some("n".into()),
            ..pb::Deal::default()
        }),
        expected_revision: None,
    };
    deals.upsert_deal(request).await.unwrap_err();
    until_health_is(&running, ServingStatus::NotServing).await;
    let (status, checks) = text(ops.local_addr(), "/readyz?verbose").await;
    assert_eq!(status, 503);
    assert!(checks.contains("[+]start ok\n"), "{checks}");
    assert!(
        checks.contains("[-]store failed: the disk is on fire\n"),
        "{checks}"
    );
    let scrape = Scrape::of(ops.local_addr()).await;
    assert_eq!(scrape.value("verbatim_store_fault{kind=\"lasting\"}"), 1.0);
    assert_eq!(
        scrape.value("verbatim_store_appends_total{outcome=\"fault\"}"),
        1.0
    );
    running.stop().await;
}

#[tokio::test]
async fn a_service_whose_threads_stand_still_is_not_alive() {
    let telemetry = Telemetry::default();
    let ops = ops(&telemetry);
    let now = Instant::now();
    telemetry.pulse.beat(now);
    assert_eq!(text(ops.local_addr(), "/livez").await.0, 200);
    let Some(long_ago) = now.checked_sub(Duration::from_secs(31)) else {
        // The clock of a machine that has just started does not reach back so far.
        return;
    };
    telemetry.pulse.beat(long_ago);
    let (status, why) = text(ops.local_addr(), "/livez").await;
    assert_eq!(status, 503);
    assert!(why.contains("have not run for 31 s"), "{why}");
}

#[tokio::test]
async fn a_service_that_drains_is_not_ready_and_still_answers_and_the_port_outlives_it() {
    let limits = Limits {
        drain: Duration::from_secs(1),
        ..Limits::default()
    };
    let running = server::start_with(limits).await;
    let ops = ops(&running.telemetry);
    let channel = running.channel().await;
    let mut watch = HealthClient::new(channel.clone())
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    watch.message().await.unwrap().unwrap();
    let stopping = tokio::spawn(running.stop());
    let told = watch.message().await.unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::NotServing);
    let (status, why) = text(ops.local_addr(), "/readyz").await;
    assert_eq!(
        (status, why.as_str()),
        (503, "not ready: the service is stopping\n")
    );
    let mut client = QualificationServiceClient::new(channel);
    client
        .record_buyer_statement(statement_of("d"))
        .await
        .unwrap();
    stopping.await.unwrap();
    assert_eq!(text(ops.local_addr(), "/readyz").await.0, 503);
    assert_eq!(text(ops.local_addr(), "/livez").await.0, 200);
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_told_with_what_is() {
    let ops = ops(&Telemetry::default());
    let at = ops.local_addr();
    let (status, paths) = text(at, "/nowhere").await;
    assert_eq!(status, 404);
    assert!(
        paths.contains("/readyz") && paths.contains("/metrics"),
        "{paths}"
    );
    for (method, path, allow) in [
        ("POST", "/metrics", "allow: get, head\r\n"),
        ("DELETE", "/loglevel", "allow: get, head, put\r\n"),
    ] {
        let answer = http(at, method, path, &[], b"").await;
        assert_eq!(answer.status, 405);
        assert!(format!("{}\r\n", answer.head).contains(allow), "{answer:?}");
    }
    for filter in ["loud", "", "info,[span]=debug", &"x".repeat(2_000)] {
        let answer = http(at, "PUT", "/loglevel", &[], filter.as_bytes()).await;
        assert_eq!(answer.status, 400, "{filter}: {answer:?}");
    }
    assert_eq!(text(at, "/loglevel").await, (200, "off\n".into()));
}

async fn until_health_is(running: &server::Running, wanted: ServingStatus) {
    let mut health = HealthClient::new(running.channel().await);
    let watch = health.watch(HealthCheckRequest::default()).await;
    let mut told = watch.unwrap().into_inner();
    let reached = async { while told.message().await.unwrap().unwrap().status() != wanted {} };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    reached.expect("health changes");
}
