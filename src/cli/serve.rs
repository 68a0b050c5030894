//! `serve`: runs the service until it is told to stop.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::runtime::Builder;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::config;
use crate::config::SettingFlags;
use crate::config::Settings;
use crate::config::StoreKind;
use crate::grpc::serve::Server;
use crate::grpc::start::StartError;
use crate::ops::Ops;
use crate::telemetry::Telemetry;
use crate::telemetry::log::Log;
use crate::telemetry::log::panics;
use crate::telemetry::sending::Sending;

pub const EXAMPLES: &str = "Examples:
  verbatim serve
  verbatim serve --data /var/lib/verbatim --listen 0.0.0.0:7450
  verbatim serve --store postgres://user@host/database    one of several; see `verbatim migrate`
  verbatim serve --ops-listen 127.0.0.1:7451    probes, numbers and the log level, for those who run it
  verbatim serve --config verbatim.toml --print-config

A flag wins over its VERBATIM_… variable, which wins over the file (keys like the flags, with _ for -).";

/// How long threads may go on that hold nothing anybody waits for.
const LEFT_BEHIND_TIMEOUT: Duration = Duration::from_secs(1);

/// How the process ends that is told to stop while it stops.
const TOLD_TWICE: Exit = Exit::Temporary;

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
    let ended = attempt(args, &environment);
    if let Err(failure) = &ended
        && let Some(path) = config::termination_log(&args.settings, &environment)
    {
        leave_word(&path, failure);
    }
    ended
}

/// Leaves a line why at `path`, for whoever finds the process gone.
fn leave_word(path: &Path, failure: &Failure) {
    let line = failure.text.replace('\n', "; ") + "\n";
    if let Err(error) = fs::write(path, line) {
        tracing::warn!(path = %path.display(), %error, "the termination message cannot be written");
    }
}

fn attempt(args: &ServeArgs, environment: &[(OsString, OsString)]) -> Result<String, Failure> {
    let effective =
        Settings::load(&args.settings, environment, args.config.as_deref()).map_err(|faults| {
            Failure {
                exit: Exit::Usage as u8,
                text: faults.join("\n"),
            }
        })?;
    if args.print_config {
        return Ok(effective.to_toml());
    }
    let settings = effective.settings;
    let runtime = Builder::new_multi_thread()
        .worker_threads(settings.workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("cannot start threads: {error}")))?;
    let telemetry = Telemetry::default();
    let sending = {
        let _within = runtime.enter();
        sending(&telemetry)?
    };
    let log = Log::start(&settings.log_level, settings.log_format, &sending);
    panics::tell();
    let served = runtime.block_on(async {
        let mut stop = Stop::listen()?;
        let served = serve(&settings, telemetry, log, &mut stop).await;
        if served
            .as_ref()
            .is_err_and(|failure| failure.exit == TOLD_TWICE as u8)
        {
            return served;
        }
        tokio::select! {
            () = sending.stop() => served,
            () = stop.wanted() => served.and(Err(told_twice("the last telemetry is lost"))),
        }
    });
    // A thread may wait for a disk or a collector that hangs, and nothing that is acknowledged waits with it.
    match &served {
        Err(failure) if failure.exit == TOLD_TWICE as u8 => runtime.shutdown_background(),
        _ => runtime.shutdown_timeout(LEFT_BEHIND_TIMEOUT),
    }
    served.map(|()| String::new())
}

async fn serve(
    settings: &Settings,
    telemetry: Telemetry,
    log: Log,
    stop: &mut Stop,
) -> Result<(), Failure> {
    // Before the store opens, which may take a while; held to the very end.
    let _ops = ops(settings, telemetry.clone(), log)?;
    // A task, since opening a large store keeps its thread for a while. What is opened need not be ended in good order:
    // nothing was acknowledged yet.
    let starting = (settings.clone(), telemetry);
    let mut starting =
        tokio::spawn(async move { Server::start_reporting(&starting.0, starting.1).await });
    let started = tokio::select! {
        started = &mut starting => started,
        () = stop.wanted() => {
            eprintln!("verbatim was told to stop before it listened");
            return Ok(());
        }
    };
    let mut server = started
        .map_err(|panic| Failure::new(Exit::Internal, format!("verbatim: {panic}")))?
        .map_err(unstarted)?;

    let kept = match &settings.store {
        StoreKind::Embedded => format!("deals are kept in {}", settings.data.display()),
        StoreKind::Memory => "deals are kept in memory and end with this process".to_owned(),
        StoreKind::Postgres(url) => format!("deals are kept at {url}"),
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
    let drained = drain(server, stop).await;
    match fault {
        Some(fault) => Err(fault),
        None => drained,
    }
}

/// Starts the service; what keeps it from starting becomes the failure.
pub async fn start(settings: &Settings) -> Result<Server, Failure> {
    Server::start(settings).await.map_err(unstarted)
}

fn unstarted(error: StartError) -> Failure {
    Failure {
        exit: error.exit_code(),
        text: format!("verbatim: {error}"),
    }
}

/// Starts to send what the environment asks for.
fn sending(telemetry: &Telemetry) -> Result<Sending, Failure> {
    let usage = |text| Failure {
        exit: Exit::Usage as u8,
        text,
    };
    let otlp = config::otlp().map_err(|faults| usage(faults.join("\n")))?;
    Sending::start(&otlp, &telemetry.metrics).map_err(usage)
}

/// Opens the operations port, if one is wanted.
fn ops(settings: &Settings, telemetry: Telemetry, log: Log) -> Result<Option<Ops>, Failure> {
    let Some(listen) = settings.ops_listen else {
        return Ok(None);
    };
    match Ops::start(listen, telemetry, log) {
        Ok(ops) => {
            eprintln!("verbatim answers operators on http://{}", ops.local_addr());
            Ok(Some(ops))
        }
        Err(error) => Err(Failure::new(
            Exit::Unavailable,
            format!("cannot listen on {listen} for operators: {error}"),
        )),
    }
}

/// Closes the service in good order; a second signal cuts that short.
pub async fn drain(server: Server, stop: &mut Stop) -> Result<(), Failure> {
    tokio::select! {
        () = server.stop() => Ok(()),
        () = stop.wanted() => Err(told_twice("calls in flight were cut")),
    }
}

fn told_twice(lost: &str) -> Failure {
    Failure::new(TOLD_TWICE, format!("told twice to stop: {lost}"))
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
pub fn log(settings: &Settings) -> Log {
    Log::start(
        &settings.log_level,
        settings.log_format,
        &Sending::default(),
    )
}
