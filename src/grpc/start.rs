//! Puts a service together from its settings: store, model, clock, app, server.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use crate::app::App;
use crate::app::overview;
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::config::StoreKind;
use crate::domain::model::Model;
use crate::grpc::extractor::RemoteExtractor;
use crate::grpc::limits::Limits;
use crate::grpc::request::TENANT;
use crate::grpc::serve;
use crate::grpc::serve::Server;
use crate::model_file;
use crate::store::Store;
use crate::store::embedded;
use crate::store::embedded::Embedded;
use crate::store::memory::Memory;
use crate::store::postgres;
use crate::store::postgres::Postgres;
use crate::telemetry::Telemetry;

const MIB: u64 = 1 << 20;

/// Why a service did not start. Nothing was left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{}: {problem}", path.display())]
    Model { path: PathBuf, problem: String },
    #[error("the extractor {problem}")]
    Extractor { problem: String },
    #[error(transparent)]
    Store(#[from] embedded::OpenError),
    #[error(transparent)]
    Database(#[from] postgres::OpenError),
    #[error(transparent)]
    Serve(#[from] serve::StartError),
}

impl StartError {
    /// The process's exit code: 64 when a setting is at fault, 69 when the place is taken or cannot be had or the database
    /// is not ready for this build, 70 when the store is broken.
    pub fn exit_code(&self) -> u8 {
        match self {
            StartError::Model { .. }
            | StartError::Extractor { .. }
            | StartError::Database(postgres::OpenError::Address(_))
            | StartError::Serve(serve::StartError::Origin(_)) => 64,
            StartError::Store(embedded::OpenError::Held { .. })
            | StartError::Database(_)
            | StartError::Serve(serve::StartError::Listen { .. }) => 69,
            StartError::Store(_) | StartError::Serve(_) => 70,
        }
    }
}

impl Server {
    /// Opens the store, binds, and serves in the background; the listener is bound when it returns.
    ///
    /// # Errors
    ///
    /// In this order: [`StartError::Model`], [`StartError::Extractor`], [`StartError::Store`], [`StartError::Serve`].
    pub async fn start(settings: &Settings) -> Result<Server, StartError> {
        Server::start_reporting(settings, Telemetry::default()).await
    }

    /// The same, telling `telemetry` what happens. Errors as [`Server::start`].
    pub async fn start_reporting(
        settings: &Settings,
        telemetry: Telemetry,
    ) -> Result<Server, StartError> {
        let model = model(settings)?;
        let extractor = extractor(settings)?;
        let store = open(settings, &telemetry).await?;

        let deals_bytes_max = settings.deal_cache_mib as u64 * MIB;
        let mut app = App::new(
            Arc::clone(&store),
            Arc::new(SystemClock),
            Arc::new(model),
            deals_bytes_max,
        )
        .with_outlines_bytes_max(settings.pipeline_cache_mib as u64 * MIB)
        .reporting_to(telemetry);
        if let Some(extractor) = extractor {
            let deadline = Duration::from_millis(settings.extractor_deadline_ms);
            app = app.with_extractor(Arc::new(extractor), deadline);
        }

        let limits = limits(settings);
        let kept = Arc::clone(&store);
        let app = Arc::new(app);
        app.follow();
        let looking = Arc::downgrade(&app);
        match Server::start_with(app, kept, &limits, settings.listen).await {
            Ok(server) => {
                if 0 < settings.pipeline_metrics_s {
                    let every = Duration::from_secs(settings.pipeline_metrics_s);
                    tokio::spawn(overview::keep_up(looking, TENANT, every));
                }
                Ok(server)
            }
            Err(error) => {
                store.close().await;
                Err(error.into())
            }
        }
    }
}

fn model(settings: &Settings) -> Result<Model, StartError> {
    let Some(path) = &settings.model else {
        return Ok(model_file::default().clone());
    };
    let fault = |problem: String| StartError::Model {
        path: path.clone(),
        problem,
    };
    let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    model_file::read(&text).map_err(|unreadable| fault(unreadable.to_string()))
}

fn extractor(settings: &Settings) -> Result<Option<RemoteExtractor>, StartError> {
    let Some(url) = &settings.extractor else {
        return Ok(None);
    };
    // Else a reader that is slow would cost the recording that waits for it.
    if settings.deadline_ms <= settings.extractor_deadline_ms {
        let problem = format!(
            "must be waited for less than a call may take: extractor_deadline_ms is {}, deadline_ms {}",
            settings.extractor_deadline_ms, settings.deadline_ms
        );
        return Err(StartError::Extractor { problem });
    }
    let connect_timeout = Duration::from_millis(settings.extractor_deadline_ms);
    RemoteExtractor::at(url, connect_timeout)
        .map(Some)
        .map_err(|problem| StartError::Extractor { problem })
}

async fn open(settings: &Settings, telemetry: &Telemetry) -> Result<Arc<dyn Store>, StartError> {
    let started = Instant::now();
    let store: Arc<dyn Store> = match &settings.store {
        // Nothing to open, so nothing to tell of it.
        StoreKind::Memory => return Ok(Arc::new(Memory::new())),
        StoreKind::Postgres(url) => {
            let options = postgres::Options {
                waiting_max: settings.write_queue_max,
                group_appends_max: settings.write_group_max,
                connections_max: settings.database_connections_max,
                statement_timeout: Duration::from_millis(settings.database_timeout_ms),
                metrics: telemetry.metrics.store.clone(),
                ..postgres::Options::default()
            };
            Arc::new(Postgres::open(url, options).await?)
        }
        StoreKind::Embedded => {
            let options = embedded::Options {
                waiting_max: settings.write_queue_max,
                group_appends_max: settings.write_group_max,
                cache_bytes: settings.store_cache_mib as u64 * MIB,
                free_bytes_min: settings.free_mib_min * MIB,
                metrics: telemetry.metrics.store.clone(),
                ..embedded::Options::default()
            };
            Arc::new(Embedded::open(&settings.data, options)?)
        }
    };
    let took = started.elapsed().as_secs_f64();
    telemetry.metrics.store.open_seconds.set(Some(took));
    Ok(store)
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        message_bytes_max: settings.message_bytes_max,
        streams_max: settings.streams_max,
        calls_max: settings.calls_max,
        streaming_calls_max: settings.streaming_calls_max,
        deadline: Duration::from_millis(settings.deadline_ms),
        drain: Duration::from_millis(settings.drain_ms),
        drain_timeout: Duration::from_millis(settings.drain_timeout_ms),
        cors_origins: settings.cors_origins.clone(),
    }
}
