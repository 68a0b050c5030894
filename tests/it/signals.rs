//! The signals that end a service: the first in good order, the second at once, whatever it waits for.

use std::io::BufReader;
use std::io::Read;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

use crate::operated::Operated;
use crate::operated::address;
use crate::operated::verbatim;
use crate::ops::get;
use crate::requests::statement_of;
use crate::server::channel;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

/// Less than anything that is cut short would have taken: telemetry 5 s, draining 600 s, a database 5 s.
const AT_ONCE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_second_signal_ends_a_service_that_drains_at_once() {
    let service = Operated::start(&["--log-level", "off", "--drain-ms", "600000"]);
    service.terminate();
    // Signals of one kind that wait are one: so the second is sent when the first has been heard.
    let heard = async { while get(service.ops, "/readyz").await.status == 200 {} };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard).await;
    heard.expect("it drains");
    service.terminate();
    let (exit, log) = service.ended();
    assert_eq!(exit, Some(75), "{log}");
    assert!(
        log.contains("told twice to stop: calls in flight were cut"),
        "{log}"
    );
}

#[tokio::test]
async fn a_second_signal_ends_a_service_at_once_whose_collector_hangs() {
    // Connections are taken by the system, and nobody ever answers.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", hangs.local_addr().unwrap());
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let quiet = ["--log-level", "off"];
    let service = Operated::start_in(&["--store", "memory"], &quiet, &environment);
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    let recorded = client.record_buyer_statement(statement_of("d1")).await;
    recorded.unwrap();
    drop(client);
    service.terminate();
    // The operations port closes when the calls are done and the store is closed: from then on only telemetry is left.
    let flushes = tokio::task::spawn_blocking(move || {
        while TcpStream::connect(service.ops).is_ok() {}
        service
    });
    let flushes = tokio::time::timeout(Duration::from_secs(20), flushes).await;
    let service = flushes.expect("it drains").unwrap();
    let told = Instant::now();
    service.terminate();
    let (exit, log) = service.ended();
    assert_eq!(exit, Some(75), "{log}");
    assert!(
        log.contains("told twice to stop: the last telemetry is lost"),
        "{log}"
    );
    assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
}

#[test]
fn a_signal_ends_a_service_at_once_that_still_opens_its_store() {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("postgres://user@{}/deals", hangs.local_addr().unwrap());
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--ops-listen",
        "127.0.0.1:0",
    ];
    let mut child = verbatim(&serve)
        .env("VERBATIM_STORE", store)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    address(&mut stderr, "answers operators on http://");
    // It is with the database now, and waits.
    let _connected = hangs.accept().unwrap();
    let told = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{log}");
    assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
}
