//! Metrics and logs as a collector gets them: over OTLP/gRPC, the same numbers and lines that are there without it.

use std::fs;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::exemplar;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use tonic::Request;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::collector::Collector;
use crate::collector::hex;
use crate::operated::Operated;
use crate::operated::SCORE;
use crate::operated::TRACEPARENT;
use crate::ops::Scrape;
use crate::requests::statement_of;
use crate::server::channel;
use crate::server::http;
use crate::server::post;

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|found| found.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn sums(collector: &Collector, name: &str) -> Vec<NumberDataPoint> {
    match collector.metric(name).data {
        Some(Data::Sum(sum)) => {
            assert!(sum.is_monotonic);
            sum.data_points
        }
        other => panic!("{name} is {other:?}"),
    }
}

/// The durations of a method that have been measured.
fn histogram(collector: &Collector, method: &str) -> HistogramDataPoint {
    match collector.metric("verbatim_request_duration_seconds").data {
        Some(Data::Histogram(histogram)) => histogram
            .data_points
            .into_iter()
            .find(|point| {
                0 < point.count && text(&point.attributes, "method").as_deref() == Some(method)
            })
            .unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Records one statement in a trace of the caller's.
async fn record(service: &Operated) {
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    let mut request = Request::new(statement_of("d1"));
    let parent = TRACEPARENT.parse().unwrap();
    request.metadata_mut().insert("traceparent", parent);
    client.record_buyer_statement(request).await.unwrap();
}

#[tokio::test]
async fn numbers_are_sent_as_they_are_scraped_the_last_before_the_end() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_SERVICE_NAME", "verbatim-eu"),
        // Longer than the test: what is sent is sent at the end.
        ("OTEL_METRIC_EXPORT_INTERVAL", "600000"),
    ];
    let home = tempfile::tempdir().unwrap();
    let data = ["--data", home.path().to_str().unwrap()];
    let service = Operated::start_in(&data, &["--log-level", "off"], &environment);
    record(&service).await;
    post(service.listens, SCORE, "{\"dealId\": \"nowhere\"}").await;
    let scraped = Scrape::of(service.ops).await;
    service.stop().await;

    assert!(collector.spans().is_empty() && collector.records().is_empty());
    assert_eq!(collector.headers("api-key"), [Some("a b".to_owned())]);
    assert_eq!(
        collector.headers("grpc-encoding"),
        [Some("gzip".to_owned())]
    );
    let resource = format!("{:?}", collector.metrics()[0].resource_metrics[0].resource);
    assert!(resource.contains("verbatim-eu"), "{resource}");
    let mut compared = 0;
    for point in sums(&collector, "verbatim_requests_total") {
        let label = |key| text(&point.attributes, key).unwrap();
        let series = format!(
            "verbatim_requests_total{{code=\"{}\",method=\"{}\",service=\"{}\"}}",
            label("code"),
            label("method"),
            label("service")
        );
        let Some(Number::AsDouble(value)) = point.value else {
            panic!("{point:?}");
        };
        assert_eq!(value, scraped.value(&series), "{series}");
        compared += 1;
    }
    assert_eq!(compared, scraped.count("verbatim_requests_total"));
    let recorded = histogram(&collector, "RecordBuyerStatement");
    assert_eq!(recorded.count, 1);
    assert_eq!(recorded.bucket_counts.iter().sum::<u64>(), 1);
    assert_eq!(
        recorded.explicit_bounds.len() + 1,
        recorded.bucket_counts.len()
    );
    let syncs = collector.metric("verbatim_store_sync_duration_seconds");
    assert_eq!(syncs.unit, "s");
    assert!(matches!(syncs.data, Some(Data::Histogram(_))));
    let alive = collector.metric("verbatim_runtime_workers").data;
    assert!(matches!(alive, Some(Data::Gauge(_))), "{alive:?}");
}

#[tokio::test]
async fn a_slow_call_leads_to_its_trace_in_a_scrape_and_at_the_collector() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
    ];
    let memory = ["--store", "memory"];
    let service = Operated::start_in(&memory, &["--log-level", "off"], &environment);
    record(&service).await;
    // Not sampled, so there is no trace to lead to.
    post(service.listens, SCORE, "{\"dealId\": \"nowhere\"}").await;
    let accept = [("accept", OPEN_METRICS)];
    let answer = http(service.ops, "GET", "/metrics", &accept, b"").await;
    assert!(
        answer
            .head
            .contains("content-type: application/openmetrics-text; version=1.0.0")
    );
    let scraped = String::from_utf8(answer.body).unwrap();
    service.stop().await;

    let spans = collector.spans();
    let name = "QualificationService/RecordBuyerStatement";
    let call = spans.iter().find(|span| span.name == name).unwrap();
    let (trace, span) = (hex(&call.trace_id), hex(&call.span_id));
    let told = format!(" # {{trace_id=\"{trace}\",span_id=\"{span}\"}} 0.");
    let lines: Vec<&str> = scraped
        .lines()
        .filter(|line| line.contains(" # {"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(&told), "{lines:#?}");
    assert!(lines[0].starts_with(
        "verbatim_request_duration_seconds_bucket{code=\"OK\",method=\"RecordBuyerStatement\""
    ));
    assert!(scraped.ends_with("# EOF\n"), "{scraped}");
    assert!(
        scraped.contains("# TYPE verbatim_requests counter\n"),
        "{scraped}"
    );
    let exemplars = histogram(&collector, "RecordBuyerStatement").exemplars;
    assert_eq!(exemplars.len(), 1);
    assert_eq!(exemplars[0].trace_id, call.trace_id);
    assert_eq!(exemplars[0].span_id, call.span_id);
    assert!(matches!(exemplars[0].value, Some(exemplar::Value::AsDouble(took)) if 0.0 < took));
    assert!(histogram(&collector, "ScoreDeal").exemplars.is_empty());
}

#[tokio::test]
async fn lines_of_the_log_are_sent_in_the_trace_of_their_call_without_quotes_and_names() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let memory = ["--store", "memory"];
    let arguments = ["--log-level", "info,verbatim=trace", "--log-format", "json"];
    let service = Operated::start_in(&memory, &arguments, &environment);
    record(&service).await;
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    let mut refused = statement_of("d1");
    let statement = refused.statement.as_mut().unwrap();
    statement.quote = "Zebra said so.".to_owned();
    statement.speaker.as_mut().unwrap().display_name = "Zebra".to_owned();
    statement.claims[0].topic = 999;
    client.record_buyer_statement(refused).await.unwrap_err();
    let log = service.stop().await;

    assert!(collector.metrics().is_empty());
    let records = collector.records();
    let line = |code: &str| {
        let found = records
            .iter()
            .find(|record| text(&record.attributes, "code").as_deref() == Some(code));
        found.unwrap_or_else(|| panic!("{code} in {records:#?}"))
    };
    let ok = line("OK");
    assert_eq!(ok.severity_text, "DEBUG");
    assert_eq!(hex(&ok.trace_id), "0af7651916cd43dd8448eb211c80319c");
    let method = text(&ok.attributes, "method");
    assert_eq!(
        method.as_deref(),
        Some("QualificationService/RecordBuyerStatement")
    );
    let refused = line("INVALID_ARGUMENT");
    assert_eq!(refused.severity_text, "INFO");
    // As many lines here as there, each with the same trace.
    let traced = log
        .lines()
        .filter(|line| line.contains("\"message\":\"call\""));
    assert_eq!(traced.clone().count(), 2, "{log}");
    let trace = hex(&refused.trace_id);
    assert!(
        log.contains(&format!("{{\"trace_id\":\"{trace}\",")),
        "{trace} in {log}"
    );
    let sent = format!("{:?}", collector.logs());
    for secret in ["Zebra", "We lose a day"] {
        assert!(
            !sent.contains(secret) && !log.contains(secret),
            "{secret} in {sent}"
        );
    }
}

#[tokio::test]
async fn lines_are_sent_in_the_trace_of_their_call_also_where_spans_are_not() {
    let lines_alone = [("OTEL_TRACES_EXPORTER", "none")];
    let sampled_out = [("OTEL_TRACES_SAMPLER", "always_off")];
    for spans in [lines_alone, sampled_out] {
        let (collector, address) = Collector::start().await;
        let endpoint = format!("http://{address}");
        let all = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_METRICS_EXPORTER", "none"),
        ];
        let environment = [&all[..], &spans].concat();
        let memory = ["--store", "memory"];
        let arguments = ["--log-level", "info,verbatim=debug", "--log-format", "json"];
        let service = Operated::start_in(&memory, &arguments, &environment);
        record(&service).await;
        post(service.listens, SCORE, "{\"dealId\": \"nowhere\"}").await;
        let log = service.stop().await;

        assert!(collector.spans().is_empty() && collector.metrics().is_empty());
        let records = collector.records();
        let traces: Vec<String> = records.iter().map(|record| hex(&record.trace_id)).collect();
        assert_eq!(traces.len(), 2, "{spans:?}: {records:#?}");
        assert_eq!(traces[0], "0af7651916cd43dd8448eb211c80319c");
        for trace in traces {
            assert!(
                log.contains(&format!("{{\"trace_id\":\"{trace}\",")),
                "{trace} in {log}"
            );
        }
    }
}

#[tokio::test]
async fn a_collector_is_spoken_to_by_tls_and_only_by_one_that_is_trusted() {
    let names = vec!["localhost".to_owned()];
    let ours = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    let other = rcgen::generate_simple_self_signed(names).unwrap();
    let home = tempfile::tempdir().unwrap();
    let trusted = home.path().join("ca.pem");
    fs::write(&trusted, ours.cert.pem()).unwrap();
    let check = async |shown: &rcgen::CertifiedKey<rcgen::KeyPair>, is_sent: bool| {
        let (certificate, key) = (shown.cert.pem(), shown.signing_key.serialize_pem());
        let (collector, address) = Collector::start_with_tls(&certificate, &key).await;
        let endpoint = format!("https://localhost:{}", address.port());
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.to_str().unwrap()),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ];
        let memory = ["--store", "memory"];
        let arguments = ["--log-level", "info,verbatim=debug"];
        let service = Operated::start_in(&memory, &arguments, &environment);
        record(&service).await;
        service.stop().await;
        assert_eq!(!collector.spans().is_empty(), is_sent);
        assert_eq!(!collector.metrics().is_empty(), is_sent);
        assert_eq!(!collector.records().is_empty(), is_sent);
    };
    check(&ours, true).await;
    check(&other, false).await;
}
