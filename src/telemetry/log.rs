//! The log: lines for people or for programs on standard error, at a level that can be changed while the service runs.

pub mod panics;
pub mod records;
mod traced;

use std::io;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::Registry;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;
use crate::config::LogFormat;
use crate::telemetry::log::records::Records;
use crate::telemetry::log::traced::Traced;
use crate::telemetry::sending::Sending;
use crate::telemetry::traces::Traces;

/// What is logged, and the way to change it. Clones share everything.
#[derive(Clone)]
pub struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    /// The filter in force, as it was given.
    text: Arc<Mutex<String>>,
}

impl Log {
    /// Writes the log of this process to standard error, and gives it and its spans to what is sent. Without effect
    /// when it is set up already.
    pub fn start(filter: &str, format: LogFormat, sending: &Sending) -> Log {
        let text = Arc::new(Mutex::new(filter.to_owned()));
        let (filter, handle) = reload::Layer::new(EnvFilter::new(filter));
        let lines = fmt::layer()
            // Colours are for people: in a file or a pipe they are noise.
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr);
        let lines = match format {
            LogFormat::Console => lines.event_format(Traced(fmt::format())).boxed(),
            LogFormat::Json => {
                let form = fmt::format().json().flatten_event(true);
                // Spans are for traces: they tell a line's reader nothing that it does not say itself.
                let form = form.with_current_span(false).with_span_list(false);
                lines
                    .event_format(Traced(form))
                    .fmt_fields(JsonFields::new())
                    .boxed()
            }
        };
        let lines = lines.and_then(sending.records.as_ref().map(Records::layer));
        let _already_set = tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(sending.traces.as_ref().map(Traces::layer))
            .try_init();
        Log {
            filter: handle,
            text,
        }
    }

    /// The filter in force.
    pub fn filter(&self) -> String {
        self.text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Logs by another filter from now on.
    ///
    /// # Errors
    ///
    /// What a filter may be; the one in force stays.
    pub fn set_filter(&self, filter: &str) -> Result<(), String> {
        if !config::is_log_filter(filter) {
            return Err(format!("must be {}", config::log_filters()));
        }
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let parsed = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
        self.filter
            .reload(parsed)
            .map_err(|error| error.to_string())?;
        filter.clone_into(&mut text);
        Ok(())
    }
}
