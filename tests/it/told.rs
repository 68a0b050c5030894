//! What a scrape tells of streams, which end when their callers like, and of stores, which have not all of it.

use std::time::Duration;

use verbatim::wire::pb;
use verbatim::wire::pb::forecast_service_client::ForecastServiceClient;
use verbatim::wire::pb::ingest_request::Item;
use verbatim::wire::pb::ingest_service_client::IngestServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::operated::Operated;
use crate::operated::verbatim;
use crate::ops::Scrape;
use crate::requests::statement_of;
use crate::server::channel;
use crate::server::http;
use crate::streams::all;
use crate::support::database::Database;
use crate::support::run;

const SCORE_DEALS: &str = "/verbatim.v1.ForecastService/ScoreDeals";

const OF_A_DISK: [&str; 4] = [
    "verbatim_store_kept_event_bytes",
    "verbatim_store_disk_bytes",
    "verbatim_store_space_amplification_ratio",
    "verbatim_store_free_bytes",
];

const OF_A_DATABASE: [&str; 3] = [
    "verbatim_store_connections",
    "verbatim_store_connections_idle",
    "verbatim_store_connections_wanted",
];

fn series(family: &str, method: &str, code: Option<&str>) -> String {
    let service = match method {
        "Ingest" => "IngestService",
        _ => "ForecastService",
    };
    let code = code.map_or(String::new(), |code| format!("code=\"{code}\","));
    format!("{family}{{{code}method=\"{method}\",service=\"verbatim.v1.{service}\"}}")
}

/// Reads until `holds`.
async fn until(service: &Operated, holds: impl Fn(&Scrape) -> bool) -> Scrape {
    let told = async {
        loop {
            let scrape = Scrape::of(service.ops).await;
            if holds(&scrape) {
                return scrape;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(20), told).await;
    told.expect("it is told")
}

async fn record(service: &Operated, deals: &[&str]) {
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    for deal in deals {
        let recorded = client.record_buyer_statement(statement_of(deal)).await;
        recorded.unwrap();
    }
}

#[tokio::test]
async fn streams_are_counted_and_timed_by_method_and_code_and_so_are_their_messages() {
    let service = Operated::start(&["--log-level", "off"]);
    let written = ["d1", "d2", "d3"].map(|deal| pb::IngestRequest {
        item: Some(Item::RecordBuyerStatement(statement_of(deal))),
        ..pb::IngestRequest::default()
    });
    let mut ingest = IngestServiceClient::new(channel(service.listens).await);
    let answers = ingest.ingest(tokio_stream::iter(written)).await.unwrap();
    assert_eq!(all(answers.into_inner()).await.len(), 3);
    let json = [("content-type", "application/json")];
    let scored = http(service.listens, "POST", SCORE_DEALS, &json, b"{}").await;
    assert_eq!(scored.body.split(|byte| *byte == b'\n').count(), 4);
    let mut forecast = ForecastServiceClient::new(channel(service.listens).await);
    let wrong = pb::WatchDealsRequest {
        resume_token: "from nowhere".to_owned(),
        ..pb::WatchDealsRequest::default()
    };
    forecast.watch_deals(wrong).await.unwrap_err();
    let watching = forecast.watch_deals(pb::WatchDealsRequest::default()).await;
    let watching = watching.unwrap().into_inner();
    let opened = until(&service, |scrape| {
        scrape.value("verbatim_streams_open{method=\"WatchDeals\"}") == 1.0
    });
    let duration = "verbatim_stream_duration_seconds_count";
    let watched = series(duration, "WatchDeals", Some("OK"));
    assert_eq!(opened.await.value(&watched), 0.0);
    // Its caller goes away, which ends it.
    drop((watching, forecast));
    let scrape = until(&service, |scrape| {
        scrape.value("verbatim_streams_open{method=\"WatchDeals\"}") == 0.0
    });
    let scrape = scrape.await;
    for (method, code) in [
        ("Ingest", "OK"),
        ("ScoreDeals", "OK"),
        ("WatchDeals", "INVALID_ARGUMENT"),
        ("WatchDeals", "CANCELLED"),
    ] {
        for family in ["verbatim_requests_total", duration] {
            let found = scrape.value(&series(family, method, Some(code)));
            assert_eq!(found, 1.0, "{family} of {method} {code}");
        }
        let seconds = series("verbatim_stream_duration_seconds_sum", method, Some(code));
        assert!(0.0 < scrape.value(&seconds), "{seconds}");
    }
    let sent = |method| scrape.value(&series("verbatim_stream_messages_sent_total", method, None));
    let received = |method| {
        scrape.value(&series(
            "verbatim_stream_messages_received_total",
            method,
            None,
        ))
    };
    assert_eq!((received("Ingest"), sent("Ingest")), (3.0, 3.0));
    assert_eq!((received("ScoreDeals"), sent("ScoreDeals")), (1.0, 3.0));
    assert_eq!(received("WatchDeals"), 2.0);
    service.stop().await;
}

#[tokio::test]
async fn a_file_that_is_loaded_is_not_a_stream_that_its_caller_broke_off() {
    let service = Operated::start(&["--log-level", "off"]);
    let url = format!("http://{}", service.listens);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pipeline.ndjson");
    // Which of the two is first is a matter of luck each time.
    const TIMES: u32 = 10;
    for _ in 0..TIMES {
        let load = verbatim(&["load", file, "--server", &url]).output();
        assert!(load.unwrap().status.success());
    }
    let scrape = Scrape::of(service.ops).await;
    let ended_well = series("verbatim_requests_total", "Ingest", Some("OK"));
    assert_eq!(scrape.value(&ended_well), f64::from(TIMES));
    service.stop().await;
}

#[tokio::test]
async fn what_a_store_has_not_is_not_told_as_0() {
    let service = Operated::start(&["--log-level", "off"]);
    record(&service, &["d1"]).await;
    let scrape = Scrape::of(service.ops).await;
    let others = [
        "verbatim_store_queue_appends",
        "verbatim_store_open_seconds",
    ];
    for family in OF_A_DISK.iter().chain(&OF_A_DATABASE).chain(&others) {
        assert_eq!(scrape.count(family), 0, "{family} of a store in memory");
    }
    service.stop().await;
}

#[tokio::test]
async fn the_disk_for_each_byte_of_event_is_told_also_after_a_start() {
    let home = tempfile::tempdir().unwrap();
    let data = ["--data", home.path().to_str().unwrap()];
    let start = || Operated::start_in(&data, &["--log-level", "off"], &[]);
    let ratio = "verbatim_store_space_amplification_ratio";
    let check = |scrape: &Scrape| {
        let kept = scrape.value("verbatim_store_kept_event_bytes");
        let disk = scrape.value("verbatim_store_disk_bytes");
        assert!(0.0 < kept && kept < disk, "{kept} of {disk}");
        assert_eq!(scrape.value(ratio), disk / kept);
        for family in OF_A_DATABASE {
            assert_eq!(scrape.count(family), 0, "{family} of a directory");
        }
        kept
    };
    let service = start();
    // Nothing is kept, so there is nothing to divide by.
    assert_eq!(Scrape::of(service.ops).await.count(ratio), 0);
    record(&service, &["d1", "d1", "d2"]).await;
    let scrape = Scrape::of(service.ops).await;
    let kept = check(&scrape);
    assert_eq!(scrape.value("verbatim_store_event_bytes_total"), kept);
    service.stop().await;

    let service = start();
    let scrape = Scrape::of(service.ops).await;
    assert_eq!(check(&scrape), kept);
    assert_eq!(scrape.value("verbatim_store_event_bytes_total"), 0.0);
    service.stop().await;
}

#[test]
fn of_a_database_is_told_what_its_tables_take_and_nothing_of_its_disk() {
    let Some(database) = Database::new() else {
        return;
    };
    run(async {
        let store = ["--store", &database.text()];
        let service = Operated::start_in(&store, &["--log-level", "off"], &[]);
        let told = |scrape: &Scrape| scrape.count("verbatim_store_disk_bytes") == 1;
        let scrape = until(&service, told).await;
        assert!(8_192.0 <= scrape.value("verbatim_store_disk_bytes"));
        for family in OF_A_DATABASE {
            assert_eq!(scrape.count(family), 1, "{family}");
        }
        for family in OF_A_DISK {
            let wanted = usize::from(family == "verbatim_store_disk_bytes");
            assert_eq!(scrape.count(family), wanted, "{family}");
        }
        service.stop().await;
    });
}
