//! `bench`: how fast the service is on this machine, beside the least that its work could cost here.
//!
//! The callers are in this process, the service in another, and they talk over loopback. Without `--server` the
//! service is started on a temporary store and gone at the end, so that one command does it all.

mod book;
mod callers;
mod compare;
mod database;
pub mod echo;
mod file;
mod fill;
mod history;
mod ingest;
mod line;
mod open;
mod pipeline;
mod process;
mod raw;
mod report;
mod stored;
mod telemetry;
mod watch;
mod work;

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use serde_json::Value;

use crate::cli::bench::callers::Crowd;
use crate::cli::bench::work::Mix;
use crate::cli::failure::Failure;
use crate::config::DatabaseUrl;

pub const EXAMPLES: &str = "Examples:
  verbatim bench                                   ScoreDeal beside a bare tonic echo server
  verbatim bench --mode record --directory .       durable writes beside a file that is synced once a group
  verbatim bench --mode record --store postgres://user@host/database      the same on PostgreSQL, beside pgbench
  verbatim bench --mode mixed --seconds 30 --json
  verbatim bench --history 10,1000,10000           ScoreDeal on deals of growing histories
  verbatim bench --mode ingest                     statements by the stream, and ScoreDeal meanwhile
  verbatim bench --mode watch --watchers 1000      what watchers cost writers
  verbatim bench --mode telemetry                  what it costs to be watched, beside a service that nobody watches
  verbatim bench --mode open                       start on a million statements, and what memory that takes
  verbatim bench --mode pipeline --deals 100000    sums, lists and scores of all deals, cold and warm

Service and baselines run in alternating slices, so that whatever else the machine does hits both: compare
ratios, not figures. The callers take their share of the machine; the column `server CPU` leaves it out.";

/// The lengths of histories when none are given. Unit: statements.
const LENGTHS: [usize; 3] = [10, 1_000, 10_000];

#[derive(Args, Debug)]
pub struct BenchArgs {
    /// What to measure
    #[arg(long, value_enum, default_value_t = Mode::Score)]
    mode: Mode,
    /// A service that runs already; the deals are written to it (default: one of its own, on a temporary store)
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Callers, each with its next call when the last was answered
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    callers: u32,
    /// Connections that the callers share
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Seconds of load on the service, and as many on each baseline
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Seconds of load before anything counts
    #[arg(long, default_value_t = 2)]
    warm_up: u64,
    /// Deals in the store: 10 statements and 4 people each (default: 2000; for `open` and `pipeline` 100000)
    #[arg(long)]
    deals: Option<usize>,
    /// Statements in the store, for `open` (default: 10 a deal) and `pipeline` (default: 20 a deal); for `ingest`, to
    /// send (default: 1000000)
    #[arg(long)]
    statements: Option<usize>,
    /// Watchers, for `watch`
    #[arg(long, default_value_t = 1_000)]
    watchers: u32,
    /// Writes a second, for `watch`
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Score one deal of each of these many statements: `--mode history`, with lengths
    #[arg(
        long,
        value_name = "LENGTHS",
        value_delimiter = ',',
        conflicts_with = "mode"
    )]
    history: Option<Vec<usize>>,
    /// Where to make the temporary store: a directory on the disk that is meant (default: the system's)
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// A database for the service, which had `verbatim migrate`; its deals are written to. For `record` and the like
    #[arg(long, value_name = "URL", value_parser = crate::cli::migrate::url, conflicts_with = "server")]
    store: Option<DatabaseUrl>,
    /// Answer with JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Score,
    Record,
    Explain,
    /// 80 % score, 15 % record, 5 % explain
    Mixed,
    /// Score deals of growing histories
    History,
    /// Start on a large store
    Open,
    /// Look at the whole pipeline: sums, lists and streams of scores
    Pipeline,
    /// Statements by the stream, and ScoreDeal meanwhile
    Ingest,
    /// Writes at a fixed rate, with nobody watching and with many
    Watch,
    /// ScoreDeal with telemetry off and on
    Telemetry,
}

impl BenchArgs {
    fn crowd(&self) -> Crowd {
        Crowd {
            callers: self.callers as usize,
            connections: self.connections as usize,
        }
    }
}

/// Measures, and answers the report.
pub async fn run(args: BenchArgs) -> Result<String, Failure> {
    let mode = match args.history {
        Some(_) => Mode::History,
        None => args.mode,
    };
    let mix = match mode {
        Mode::Score => Mix::Score,
        Mode::Record => Mix::Record,
        Mode::Explain => Mix::Explain,
        Mode::Mixed => Mix::Mixed,
        Mode::History => {
            let lengths = args.history.as_deref().unwrap_or(&LENGTHS);
            let measured = history::run(&args, lengths).await?;
            return Ok(match args.json {
                true => lines(&report::history_json(&measured)),
                false => report::history(&measured),
            });
        }
        Mode::Ingest => {
            let ingested = ingest::run(&args).await?;
            return Ok(match args.json {
                true => lines(&ingest::json(&ingested)),
                false => ingest::told(&ingested),
            });
        }
        Mode::Watch => {
            let watched = watch::run(&args).await?;
            return Ok(match args.json {
                true => lines(&watch::json(&watched)),
                false => watch::told(&watched),
            });
        }
        Mode::Telemetry => {
            let watched = telemetry::run(&args).await?;
            return Ok(match args.json {
                true => lines(&telemetry::json(&watched)),
                false => telemetry::told(&watched),
            });
        }
        Mode::Open => {
            let opened = open::run(&args).await?;
            return Ok(match args.json {
                true => lines(&report::opened_json(&opened)),
                false => report::opened(&opened),
            });
        }
        Mode::Pipeline => {
            let looked = pipeline::run(&args).await?;
            return Ok(match args.json {
                true => lines(&report::pipeline::looked_json(&looked)),
                false => report::pipeline::looked(&looked),
            });
        }
    };
    let comparison = compare::run(&args, mix).await?;
    Ok(match args.json {
        true => lines(&report::comparison_json(&comparison)),
        false => report::comparison(&comparison),
    })
}

fn lines(value: &Value) -> String {
    format!("{value:#}\n")
}
