//! The commands of the one binary: what each is called, and what is printed of its outcome.
//!
//! Results go to standard output; progress and refusals to standard error.

mod ask;
mod bench;
mod claim;
mod client;
mod confirm;
mod deal;
mod demo;
mod evaluate;
mod extract;
mod failure;
#[cfg(test)]
mod fake;
mod feed;
mod healthcheck;
mod import;
mod keep;
mod lanes;
mod load;
mod migrate;
mod moment;
mod money;
mod ndjson;
mod past;
mod pipeline;
mod progress;
mod record;
mod schema;
mod serve;
mod shift;
mod view;
mod watch;

use std::io;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;
use tokio::runtime::Builder;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;

const AFTER_HELP: &str = "Examples:
  verbatim demo                       a story of several deals, played to a service of its own
  verbatim serve                      the service
  verbatim explain opp-1        why a deal does not move

Exit codes:
   0  done
   1  refused by the service: no such deal, the deal is closed, the id is taken
  64  the command line or the configuration is wrong
  65  the data is wrong
  69  no service answers, or its store refuses
  70  a fault within
  75  it may work if tried again";

/// A deal-qualification service that believes only what buyers said.
#[derive(Parser, Debug)]
#[command(name = "verbatim", version, after_help = AFTER_HELP, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the service
    #[command(after_help = serve::EXAMPLES)]
    Serve(Box<serve::ServeArgs>),
    /// Play a story of several deals to a service of its own, and look at it
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::DemoArgs),
    /// Send a file of writes, a line each
    #[command(after_help = load::EXAMPLES)]
    Load(load::LoadArgs),
    /// Take in what other systems know: a transcript, an email, a CRM's export
    #[command(subcommand, after_help = import::EXAMPLES)]
    Import(import::ImportCommand),
    /// How qualified a deal is, every point accounted for
    #[command(after_help = ask::SCORE_EXAMPLES)]
    Score(ask::ScoreArgs),
    /// Why a deal does not move, and what to ask next
    #[command(after_help = ask::EXPLAIN_EXAMPLES)]
    Explain(ask::ExplainArgs),
    /// All deals side by side, and what they come to
    #[command(after_help = pipeline::EXAMPLES)]
    Pipeline(Box<pipeline::PipelineArgs>),
    /// Keep what a buyer said
    #[command(after_help = record::EXAMPLES)]
    Record(Box<record::RecordArgs>),
    /// What the service reads from a quote; nothing is kept
    #[command(after_help = extract::EXAMPLES)]
    Extract(extract::ExtractArgs),
    /// Confirm, correct or reject what a kept statement claims
    #[command(after_help = confirm::EXAMPLES)]
    Confirm(confirm::ConfirmArgs),
    /// Set or show the facts around the words
    #[command(subcommand, after_help = deal::EXAMPLES)]
    Deal(deal::DealCommand),
    /// What was recorded of a deal, oldest first
    #[command(after_help = ask::HISTORY_EXAMPLES)]
    History(ask::HistoryArgs),
    /// The score of a deal over time
    #[command(after_help = past::TREND_EXAMPLES)]
    Trend(past::TrendArgs),
    /// Why the score of a deal differs between two moments
    #[command(after_help = past::COMPARE_EXAMPLES)]
    Compare(past::CompareArgs),
    /// What changes, a line each, until you have seen enough
    #[command(after_help = watch::EXAMPLES)]
    Watch(watch::WatchArgs),
    /// Ask a service once whether it is ready, for probes in images without a shell
    #[command(after_help = healthcheck::EXAMPLES)]
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Bring a database to what this build needs
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::MigrateArgs),
    /// Keep all that was recorded in one file, also while the service runs
    #[command(after_help = keep::backup::EXAMPLES)]
    Backup(keep::backup::BackupArgs),
    /// Make a store of what a backup holds
    #[command(after_help = keep::restore::EXAMPLES)]
    Restore(keep::restore::RestoreArgs),
    /// Look whether a store or a backup is whole and says what it said
    #[command(after_help = keep::verify::EXAMPLES)]
    Verify(keep::verify::VerifyArgs),
    /// Make a store of what another one holds, of any kind into any kind
    #[command(after_help = keep::copy::EXAMPLES)]
    Copy(keep::copy::CopyArgs),
    /// Give back the disk space that a store no longer needs
    #[command(after_help = keep::compact::EXAMPLES)]
    Compact(keep::compact::CompactArgs),
    /// Drop what was derived from what was recorded, and make it anew
    #[command(after_help = keep::rebuild::EXAMPLES)]
    Rebuild(keep::rebuild::RebuildArgs),
    /// How fast the service is on this machine, beside the least that it could cost
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::BenchArgs),
    /// The echo server that `bench` measures the service against
    #[command(hide = true, after_help = bench::echo::EXAMPLES)]
    BenchEcho(bench::echo::EchoArgs),
    /// How well claims are read from quotes that people have marked
    #[command(after_help = evaluate::EXAMPLES)]
    Evaluate(evaluate::EvaluateArgs),
    /// The numbers of the scoring model in force
    #[command(after_help = ask::MODEL_EXAMPLES)]
    Model(ask::ModelArgs),
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as errors, too, but to standard output.
            let exit = if error.use_stderr() {
                Exit::Usage as u8
            } else {
                0
            };
            let _closed = error.print();
            return ExitCode::from(exit);
        }
    };
    let done = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => wait(demo::run(args)),
        Command::Load(args) => wait(load::run(args)),
        Command::Import(command) => wait(import::run(command)),
        Command::Score(args) => wait(ask::score(args)),
        Command::Explain(args) => wait(ask::explain(args)),
        Command::Pipeline(args) => wait(pipeline::run(*args)),
        Command::Record(args) => wait(record::run(*args)),
        Command::Extract(args) => wait(extract::run(args)),
        Command::Confirm(args) => wait(confirm::run(args)),
        Command::Deal(command) => wait(deal::run(command)),
        Command::History(args) => wait(ask::history(args)),
        Command::Trend(args) => wait(past::trend(args)),
        Command::Compare(args) => wait(past::compare(args)),
        Command::Watch(args) => wait(watch::run(args)),
        Command::Healthcheck(args) => wait(healthcheck::run(args)),
        Command::Migrate(args) => wait(migrate::run(args)),
        Command::Backup(args) => wait(keep::backup::run(args)),
        Command::Restore(args) => wait(keep::restore::run(args)),
        Command::Verify(args) => wait(keep::verify::run(args)),
        Command::Copy(args) => wait(keep::copy::run(args)),
        Command::Compact(args) => wait(keep::compact::run(args)),
        Command::Rebuild(args) => wait(keep::rebuild::run(args)),
        Command::Bench(args) => wait(bench::run(args)),
        Command::BenchEcho(args) => wait(bench::echo::run(args)),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Model(args) => wait(ask::model(args)),
    };
    match done {
        Ok(text) => {
            // Whoever reads may have seen enough: `verbatim history … | head`.
            let _closed = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _closed = writeln!(io::stderr(), "{}", failure.text);
            failure.code()
        }
    }
}

/// Runs a command to its end.
fn wait(command: impl Future<Output = Result<String, Failure>>) -> Result<String, Failure> {
    match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => Err(Failure::new(
            Exit::Internal,
            format!("cannot start threads: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_an_example() {
        let mut missing = Vec::new();
        let mut commands: Vec<clap::Command> = Cli::command().get_subcommands().cloned().collect();
        while let Some(command) = commands.pop() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            if !help.contains("verbatim ") {
                missing.push(command.get_name().to_owned());
            }
            commands.extend(command.get_subcommands().cloned());
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[track_caller]
    fn parses(line: &str) {
        let arguments = line.split('|');
        if let Err(error) = Cli::try_parse_from(arguments) {
            panic!("{line}: {error}");
        }
    }

    #[test]
    fn moments_claims_and_money_are_arguments() {
        parses("verbatim|score|acme|--as-of|-30d|--known-at|2026-06-30");
        parses("verbatim|explain|acme|--plan|a|--plan|b|--json");
        parses(
            "verbatim|record|acme|--by|ana|--role|champion|--quote|q|--attribution|verbatim|--said-at|-2d|--claim|go-live,target=2026-12-01|--claim|problem",
        );
        parses(
            "verbatim|deal|set|acme|--amount|EUR 40000|--close-date|2026-12-18|--effective-at|now",
        );
        parses("verbatim|deal|close|acme|--outcome|lost-to-no-decision");
        parses("verbatim|trend|acme|--changes|--from|2026-01-01|--to|-1d|--as-shown");
        parses("verbatim|compare|acme|--from|-30d|--to|now|--all|--json");
        parses(
            "verbatim|pipeline|--owner|Ana|--band|exploring,committed|--amount-min|EUR 1000|--as-of|-30d",
        );
        parses("verbatim|pipeline|--group-by|owner,close-month|--compare|-1w|--all|--json");
        parses(
            "verbatim|import|transcript|call.vtt|--deal|acme|--held-at|-2d|--buyer|Ana Ruiz=ana|--seller|Lee|--format|web-vtt|--partial",
        );
        parses("verbatim|import|email|-|--deal|acme|--buyer|ana@acme.example=ana|--dry-run|--json");
        parses("verbatim|extract|We cannot go on|--context|Why now?|--said-on|2026-05-12|--json");
        parses(
            "verbatim|confirm|acme|s1|--claim|problem|--claim|go-live,target=2026-12-01|--by|eve",
        );
        parses("verbatim|confirm|acme|s1|--reject");
        parses("verbatim|load|-|--shift-to-today|--keep-going");
        parses("verbatim|serve|--deadline-ms|5|--cors-origins|*|--print-config");
        parses("verbatim|migrate|--store|postgres://u@h/d|--dry-run");
        parses("verbatim|backup|--data|d|--to|f|--until|500");
        parses("verbatim|backup|--server|http://h:1|--to|f");
        parses("verbatim|restore|f|--data|d|--until|-2d");
        parses("verbatim|copy|--from|d|--to|postgres://u@h/d");
        parses("verbatim|verify|f");
        parses("verbatim|verify|--data|d");
        assert!(Cli::try_parse_from(["verbatim", "verify"]).is_err());
        assert!(Cli::try_parse_from(["verbatim", "verify", "f", "--data", "d"]).is_err());
        let neither = ["verbatim", "confirm", "acme", "s1"];
        assert!(Cli::try_parse_from(neither).is_err());
        let both = [
            "verbatim", "confirm", "acme", "s1", "--reject", "--claim", "problem",
        ];
        assert!(Cli::try_parse_from(both).is_err());
        assert!(Cli::try_parse_from(["verbatim", "record", "acme", "--quote", "q"]).is_err());
        assert!(Cli::try_parse_from(["verbatim", "score", "acme", "--as-of", "soon"]).is_err());
        assert!(Cli::try_parse_from(["verbatim", "compare", "acme"]).is_err());
        assert!(Cli::try_parse_from(["verbatim", "trend", "acme", "--daily", "--weekly"]).is_err());
    }
}
