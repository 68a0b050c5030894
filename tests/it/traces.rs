//! Traces as a collector gets them: over OTLP/gRPC, in the trace of the caller, the last ones before the service ends.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::Request;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::collector::Collector;
use crate::collector::hex;
use crate::operated::Operated;
use crate::operated::SCORE;
use crate::operated::TRACEPARENT;
use crate::requests::statement_of;
use crate::server::channel;
use crate::server::http;
use crate::support::database::Database;
use crate::support::run;

const RECORD: &str = "QualificationService/RecordBuyerStatement";

fn attribute(span: &Span, key: &str) -> Option<Value> {
    let found = span.attributes.iter().find(|found| found.key == key);
    found.and_then(|found| found.value.clone()?.value)
}

#[tokio::test]
async fn a_write_is_a_trace_of_its_steps_below_what_its_caller_named() {
    let (collector, address) = Collector::start().await;
    let home = tempfile::tempdir().unwrap();
    let data = ["--data", home.path().to_str().unwrap()];
    let endpoint = format!("http://{address}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
    ];
    let service = Operated::start_in(&data, &["--log-format", "json"], &environment);
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    let mut request = Request::new(statement_of("d1"));
    let parent = TRACEPARENT.parse().unwrap();
    request.metadata_mut().insert("traceparent", parent);
    client.record_buyer_statement(request).await.unwrap();
    let headers = [
        ("content-type", "application/json"),
        (
            "traceparent",
            "00-11111111111111111111111111111111-2222222222222222-01",
        ),
    ];
    let body = b"{\"dealId\": \"nowhere\"}";
    http(service.listens, "POST", SCORE, &headers, body).await;
    // What is waiting is sent before the process ends.
    let log = service.stop().await;

    let spans = collector.spans();
    let one = |name: &str, trace: &str| {
        let found: Vec<&Span> = spans
            .iter()
            .filter(|span| span.name == name && hex(&span.trace_id) == trace)
            .collect();
        assert_eq!(found.len(), 1, "{name} in {spans:#?}");
        found[0].clone()
    };
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let call = one(RECORD, trace);
    assert_eq!(hex(&call.parent_span_id), "b7ad6b7169203331");
    assert_eq!(
        attribute(&call, "rpc.grpc.status_code"),
        Some(Value::IntValue(0))
    );
    for step in ["decode", "load", "decide", "append", "derive"] {
        let step = one(step, trace);
        assert_eq!(step.parent_span_id, call.span_id, "{step:?}");
        assert!(call.start_time_unix_nano <= step.start_time_unix_nano);
    }
    let append = one("append", trace);
    assert_eq!(
        attribute(&append, "group.appends"),
        Some(Value::IntValue(1))
    );
    let sync = one("sync", trace);
    assert_eq!(sync.parent_span_id, append.span_id);
    // Of JSON as of gRPC, and its line of the log names the trace.
    let score = one(
        "QualificationService/ScoreDeal",
        "11111111111111111111111111111111",
    );
    assert_eq!(hex(&score.parent_span_id), "2222222222222222");
    assert!(
        log.contains("\"trace_id\":\"11111111111111111111111111111111\""),
        "{log}"
    );
    let traces = collector.traces();
    let sent = format!("{traces:?}");
    assert!(!sent.contains("We lose a day"), "{sent}");
    let resource = format!("{:?}", traces[0].resource_spans[0].resource);
    assert!(resource.contains("StringValue(\"verbatim\")"), "{resource}");
    assert!(resource.contains("deployment.environment"), "{resource}");
}

#[tokio::test]
async fn a_collector_that_is_not_there_costs_no_call_and_no_end() {
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")];
    let service = Operated::start_in(
        &["--store", "memory"],
        &["--log-level", "off"],
        &environment,
    );
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    client
        .record_buyer_statement(statement_of("d1"))
        .await
        .unwrap();
    service.stop().await;
}

#[test]
fn what_the_database_does_for_a_call_is_told_within_its_trace() {
    let Some(database) = Database::new() else {
        return;
    };
    run(async {
        let (collector, address) = Collector::start().await;
        let endpoint = format!("http://{address}");
        let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        let store = ["--store", &database.text()];
        let service = Operated::start_in(&store, &["--log-level", "off"], &environment);
        let mut client = QualificationServiceClient::new(channel(service.listens).await);
        let mut request = Request::new(statement_of("d1"));
        let parent = TRACEPARENT.parse().unwrap();
        request.metadata_mut().insert("traceparent", parent);
        client.record_buyer_statement(request).await.unwrap();
        service.stop().await;

        let spans = collector.spans();
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let of_call = |name: &str| {
            let found = spans
                .iter()
                .find(|span| span.name == name && hex(&span.trace_id) == trace);
            found.unwrap_or_else(|| panic!("{name} in {spans:#?}"))
        };
        let (append, commit) = (of_call("append"), of_call("commit"));
        assert_eq!(commit.parent_span_id, append.span_id);
        let (load, query) = (of_call("load"), of_call("query"));
        assert_eq!(query.parent_span_id, load.span_id);
        let system = Some(Value::StringValue("postgresql".to_owned()));
        for span in [commit, query] {
            assert_eq!(attribute(span, "db.system"), system);
        }
        let sent = format!("{:?}", collector.traces());
        assert!(!sent.contains("We lose a day"), "{sent}");
    });
}
