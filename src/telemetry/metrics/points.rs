//! The numbers as points of OTLP: what a scrape would have shown, family by family, under the same names and labels.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::metrics::v1::Exemplar as ExemplarPoint;
use opentelemetry_proto::tonic::metrics::v1::Gauge;
use opentelemetry_proto::tonic::metrics::v1::Histogram;
use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use opentelemetry_proto::tonic::metrics::v1::ScopeMetrics;
use opentelemetry_proto::tonic::metrics::v1::Sum;
use opentelemetry_proto::tonic::metrics::v1::exemplar;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::Metric as Series;
use prometheus::proto::MetricFamily;
use prometheus::proto::MetricType;

use crate::telemetry::collector::NAME;
use crate::telemetry::metrics::exemplars::Exemplar;

/// The time that points are of.
#[derive(Clone, Copy)]
pub struct Span {
    pub start: SystemTime,
    pub end: SystemTime,
}

/// All families as one request; `exemplars` tells those of a series.
pub fn request(
    resource: Resource,
    families: &[MetricFamily],
    exemplars: impl Fn(&str, &Series) -> Vec<Exemplar>,
    span: Span,
) -> ExportMetricsServiceRequest {
    let metrics = families.iter().map(|family| {
        let name = family.name();
        Metric {
            name: name.to_owned(),
            description: family.help().to_owned(),
            unit: unit(name).to_owned(),
            data: data(family, |series| exemplars(name, series), span),
            ..Metric::default()
        }
    });
    let scope = InstrumentationScope {
        name: NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let metrics = ScopeMetrics {
        scope: Some(scope),
        metrics: metrics.collect(),
        ..ScopeMetrics::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![metrics],
            ..ResourceMetrics::default()
        }],
    }
}

/// By the name, as Prometheus has it, in the terms of UCUM.
fn unit(name: &str) -> &'static str {
    let name = name.strip_suffix("_total").unwrap_or(name);
    if name.ends_with("_seconds") {
        return "s";
    }
    match name.ends_with("_bytes") {
        true => "By",
        false => "",
    }
}

fn data(
    family: &MetricFamily,
    exemplars: impl Fn(&Series) -> Vec<Exemplar>,
    span: Span,
) -> Option<Data> {
    let cumulative = AggregationTemporality::Cumulative as i32;
    let series = family.get_metric().iter();
    match family.get_field_type() {
        MetricType::COUNTER => Some(Data::Sum(Sum {
            data_points: series
                .map(|series| number(series, series.get_counter().get_value(), span))
                .collect(),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        })),
        MetricType::GAUGE => Some(Data::Gauge(Gauge {
            data_points: series
                .map(|series| number(series, series.get_gauge().get_value(), span))
                .collect(),
        })),
        MetricType::HISTOGRAM => Some(Data::Histogram(Histogram {
            data_points: series
                .map(|series| histogram(series, exemplars(series), span))
                .collect(),
            aggregation_temporality: cumulative,
        })),
        // There are none of ours.
        MetricType::SUMMARY | MetricType::UNTYPED => None,
    }
}

fn number(series: &Series, value: f64, span: Span) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(series),
        start_time_unix_nano: nanos(span.start),
        time_unix_nano: nanos(span.end),
        value: Some(Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn histogram(series: &Series, exemplars: Vec<Exemplar>, span: Span) -> HistogramDataPoint {
    let histogram = series.get_histogram();
    let count = histogram.get_sample_count();
    let buckets = histogram.get_bucket();
    let mut before = 0;
    let mut bucket_counts = Vec::with_capacity(buckets.len() + 1);
    // What is counted while it is read may be in a bucket and not yet in the total, or the other way round.
    for upto in buckets.iter().map(|bucket| bucket.cumulative_count()) {
        bucket_counts.push(upto.saturating_sub(before));
        before = before.max(upto);
    }
    bucket_counts.push(count.saturating_sub(before));
    HistogramDataPoint {
        attributes: attributes(series),
        start_time_unix_nano: nanos(span.start),
        time_unix_nano: nanos(span.end),
        count: bucket_counts.iter().sum(),
        sum: Some(histogram.get_sample_sum()),
        bucket_counts,
        explicit_bounds: buckets.iter().map(|bucket| bucket.upper_bound()).collect(),
        exemplars: exemplars.iter().map(exemplar_point).collect(),
        ..HistogramDataPoint::default()
    }
}

fn exemplar_point(exemplar: &Exemplar) -> ExemplarPoint {
    ExemplarPoint {
        time_unix_nano: nanos(exemplar.at),
        span_id: exemplar.call.span.to_bytes().to_vec(),
        trace_id: exemplar.call.trace.to_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(exemplar.seconds)),
        ..ExemplarPoint::default()
    }
}

fn attributes(series: &Series) -> Vec<KeyValue> {
    let labels = series.get_label().iter();
    labels
        .map(|label| KeyValue {
            key: label.name().to_owned(),
            value: Some(AnyValue {
                value: Some(any_value::Value::StringValue(label.value().to_owned())),
            }),
            ..KeyValue::default()
        })
        .collect()
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
