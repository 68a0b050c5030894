//! `serve`: runs the service until it is told to stop.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use tokio::runtime::Builder;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tracing_subscriber::EnvFilter;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::config;
use crate::config::LogFormat;
use crate::config::SettingFlags;
use crate::config::Settings;
use crate::config::StoreKind;
use crate::grpc::serve::Server;

pub const EXAMPLES: &str = "Examples:
  verbatim serve
  verbatim serve --data /var/lib/verbatim --listen 0.0.0.0:7450
  verbatim serve --config verbatim.toml --print-config

A flag wins over its VERBATIM_… variable, which wins over the file (keys like the flags, with _ for -).";

#[derive(Args, Debug)]
pub struct ServeArgs {
    /// A TOML file of settings [env: VERBATIM_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings in force as TOML, each with where it came from, and end
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    settings: SettingFlags,
}

/// Runs the service, or prints its settings.
///
/// # Errors
///
/// Usage with all faults of the settings; else what the service could not do.
pub fn run(args: &ServeArgs) -> Result<String, Failure> {
    let environment = config::environment();
    let effective =
        Settings::load(&args.settings, &environment, args.config.as_deref()).map_err(|faults| {
            Failure {
                exit: Exit::Usage as u8,
                text: faults.join("\n"),
            }
        })?;
    if args.print_config {
        return Ok(effective.to_toml());
    }
    let settings = effective.settings;
    log(&settings);
    let runtime = Builder::new_multi_thread()
        .worker_threads(settings.workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("cannot start threads: {error}")))?;
    runtime.block_on(serve(&settings))?;
    Ok(String::new())
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let mut stop = Stop::listen()?;
    let mut server = start(settings).await?;

    let kept = match settings.store {
        StoreKind::Embedded => format!("deals are kept in {}", settings.data.display()),
        StoreKind::Memory => "deals are kept in memory and end with this process".to_owned(),
    };
    eprintln!(
        "verbatim {} listens on http://{}; {kept}",
        env!("CARGO_PKG_VERSION"),
        server.local_addr()
    );

    let fault = tokio::select! {
        () = stop.wanted() => None,
        why = server.ended() => Some(Failure::new(Exit::Internal, why)),
    };
    let drained = drain(server, &mut stop).await;
    match fault {
        Some(fault) => Err(fault),
        None => drained,
    }
}

/// Starts the service; what keeps it from starting becomes the failure.
pub async fn start(settings: &Settings) -> Result<Server, Failure> {
    let started = Server::start(settings).await;
    started.map_err(|error| Failure {
        exit: error.exit_code(),
        text: format!("verbatim: {error}"),
    })
}

/// Closes the service in good order; a second signal cuts that short.
pub async fn drain(server: Server, stop: &mut Stop) -> Result<(), Failure> {
    tokio::select! {
        () = server.stop() => Ok(()),
        () = stop.wanted() => Err(Failure::new(Exit::Temporary, "told twice to stop: calls in flight were cut")),
    }
}

/// The signals that ask the process to stop.
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From here on the signals no longer end the process by themselves.
    pub fn listen() -> Result<Stop, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(
                    Exit::Internal,
                    format!("cannot listen for signals: {error}"),
                )
            })
        };
        Ok(Stop {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Ends when the next signal came.
    pub async fn wanted(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Sends the log to standard error. Without effect when a log is set up already.
pub fn log(settings: &Settings) {
    let filter = EnvFilter::new(&settings.log_level);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for people: in a file or a pipe they are noise.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let _already_set = match settings.log_format {
        LogFormat::Console => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
