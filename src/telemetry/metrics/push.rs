//! Sends the numbers to a collector by OTLP over gRPC, again and again, and once more at the end.
//!
//! Each sending tells the sums since the start: one that fails is made good by the next.

use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tonic::Request;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;

use crate::config::otlp::Collector;
use crate::telemetry::collector;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::points;
use crate::telemetry::metrics::points::Span;
use crate::telemetry::traces::FLUSH_TIMEOUT;

/// The sending, until it is stopped.
pub struct Push {
    stop: oneshot::Sender<()>,
    sending: JoinHandle<()>,
}

struct Sender {
    client: MetricsServiceClient<Channel>,
    headers: MetadataMap,
    resource: Resource,
    metrics: Arc<Metrics>,
    start: SystemTime,
    timeout: Duration,
    /// So that a collector that is away is told of once.
    is_failing: bool,
}

impl Push {
    /// Sends `metrics` every `interval`. Wants a runtime around it.
    ///
    /// # Errors
    ///
    /// What of the environment cannot be.
    pub fn start(
        to: &Collector,
        interval: Duration,
        metrics: Arc<Metrics>,
    ) -> Result<Push, String> {
        let mut client = MetricsServiceClient::new(collector::channel(to)?);
        if to.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let attributes = ResourceAttributesWithSchema::from(&collector::resource());
        let mut sender = Sender {
            client,
            headers: headers(to)?,
            resource: Resource {
                attributes: attributes.attributes.0,
                ..Resource::default()
            },
            metrics,
            start: SystemTime::now(),
            timeout: to.timeout,
            is_failing: false,
        };
        let (stop, mut stopped) = oneshot::channel();
        let sending = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first comes at once, when there is nothing to tell yet.
            ticks.tick().await;
            loop {
                tokio::select! {
                    _ = ticks.tick() => sender.send().await,
                    _ = &mut stopped => break,
                }
            }
            sender.send().await;
        });
        Ok(Push { stop, sending })
    }

    /// Sends once more, and ends; within some seconds.
    pub async fn stop(self) {
        // An error means that the task has panicked, which was told.
        let _ = self.stop.send(());
        let abort = self.sending.abort_handle();
        if tokio::time::timeout(FLUSH_TIMEOUT, self.sending)
            .await
            .is_err()
        {
            abort.abort();
            tracing::warn!("the last numbers could not be sent");
        }
    }
}

impl Sender {
    async fn send(&mut self) {
        let metrics = Arc::clone(&self.metrics);
        let (resource, start) = (self.resource.clone(), self.start);
        // It may wait for a disk that hangs; the next is not begun before this one is done.
        let request = tokio::task::spawn_blocking(move || {
            let families = metrics.gather();
            let span = Span {
                start,
                end: SystemTime::now(),
            };
            points::request(
                resource,
                &families,
                |family, series| metrics.exemplars(family, series),
                span,
            )
        });
        let Ok(message) = request.await else {
            return;
        };
        let mut request = Request::new(message);
        *request.metadata_mut() = self.headers.clone();
        request.set_timeout(self.timeout);
        let failed = self.client.export(request).await.err();
        match (&failed, self.is_failing) {
            (Some(error), false) => {
                let (code, error) = (error.code(), error.message());
                tracing::warn!(?code, error, "the numbers could not be sent");
            }
            (None, true) => tracing::info!("the numbers are sent again"),
            (Some(_), true) | (None, false) => {}
        }
        self.is_failing = failed.is_some();
    }
}

fn headers(to: &Collector) -> Result<MetadataMap, String> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &to.headers {
        // Without the value, which may be a secret.
        let wrong = |_| format!("OTEL_EXPORTER_OTLP_HEADERS: `{name}` cannot be a header");
        let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(()))?;
        let value = http::HeaderValue::from_str(value).map_err(|_| wrong(()))?;
        headers.insert(name, value);
    }
    Ok(MetadataMap::from_headers(headers))
}
