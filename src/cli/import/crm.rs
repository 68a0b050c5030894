//! `import salesforce`, `hubspot` and `csv`: takes in the tables that CRMs export.
//!
//! An import reads its files whole and judges every row before anything is sent: each is taken, skipped for a reason, or
//! wrong at a named line and column. What is sent carries ids and moments of its own, so that importing again, after a
//! pause or by mistake, changes nothing.

mod book;
mod cell;
mod hubspot;
mod mapped;
mod merge;
mod reading;
mod salesforce;
mod table;
mod words;
mod writes;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use clap::ValueEnum;

use crate::cli::client::ServerArgs;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::import::crm::book::Book;
use crate::cli::import::crm::cell::DayOrder;
use crate::cli::import::crm::reading::Options;
use crate::cli::import::crm::table::Table;
use crate::cli::lanes::After;
use crate::cli::lanes::Lanes;
use crate::cli::load;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::progress::Progress;
use crate::cli::view::count;
use crate::wire::pb;

pub const SALESFORCE_EXAMPLES: &str = "Examples:
  verbatim import salesforce export/ --currency USD --dry-run
  verbatim import salesforce Opportunity.csv OpportunityHistory.csv --currency USD

Read of an export: Opportunity, OpportunityHistory, OpportunityFieldHistory,
OpportunityContactRole, Contact, Account, User, Task, Event, EmailMessage.
Importing again changes nothing, so an import that was interrupted is run again.";

pub const HUBSPOT_EXAMPLES: &str = "Examples:
  verbatim import hubspot deals.csv contacts.csv notes.csv

What a file holds shows in its columns. Export deals with their `Date entered`
columns, contacts and notes with `Associated Deal IDs`. Importing again changes
nothing, so an import that was interrupted is run again.";

pub const CSV_EXAMPLES: &str = "Examples:
  verbatim import csv deals.csv --currency EUR \\
      --map deal_id=Id,account=Customer,seller_stage=Stage,close_date=Due,effective_at=Created
  verbatim import csv notes.csv \\
      --map deal_id=Deal,stakeholder_id=Contact,statement_id=Note,quote=Text,said_at=Date,effective_at=Date

Importing again changes nothing, so an import that was interrupted is run again.";

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Files, or directories with them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Args, Debug)]
pub struct MappedArgs {
    #[command(flatten)]
    export: ExportArgs,
    /// Which column says what: FIELD=COLUMN, by commas or repeated
    #[arg(long, required = true, value_delimiter = ',', value_name = "FIELD=COLUMN", long_help = map_help())]
    map: Vec<String>,
    /// From when on rows hold that do not say so themselves: RFC 3339, a date, or so long ago
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    effective_at: Option<String>,
}

#[derive(Args, Debug)]
struct HowArgs {
    /// The currency of amounts whose row names none, such as EUR
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<String>,
    /// Which comes first in dates such as 3/4/2026, where a column does not tell by itself
    #[arg(long, value_enum)]
    dates: Option<DayOrder>,
    /// What a lost deal was lost to, where the export gives no reason
    #[arg(long, value_enum, default_value_t = LostTo::NoDecision)]
    lost_to: LostTo,
    /// Read and report, send nothing
    #[arg(long)]
    dry_run: bool,
    /// Leave out rows that are wrong or refused and send the others (default: send nothing of files with a wrong row)
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LostTo {
    NoDecision,
    Competitor,
    Disqualified,
}

/// Imports an export of Salesforce, or reports what would be imported.
///
/// # Errors
///
/// 64: the command line; 65: rows are wrong or were refused; else as the service answers.
pub async fn salesforce(args: ExportArgs) -> Result<String, Failure> {
    let tables = open(&args.files, |stem| {
        let mut known = salesforce::FILES.iter();
        known.any(|file| file.eq_ignore_ascii_case(stem))
    })?;
    let book = salesforce::read(&tables, &args.how.options());
    take(book.map_err(wrong)?, args.how).await
}

/// As [`salesforce`], exports of HubSpot.
///
/// # Errors
///
/// As [`salesforce`].
pub async fn hubspot(args: ExportArgs) -> Result<String, Failure> {
    let tables = open(&args.files, |_| true)?;
    let book = hubspot::read(&tables, &args.how.options());
    take(book.map_err(wrong)?, args.how).await
}

/// As [`salesforce`], any table.
///
/// # Errors
///
/// As [`salesforce`].
pub async fn csv(args: MappedArgs) -> Result<String, Failure> {
    let options = args.export.how.options();
    let read = |text: &String| moment::parse(text, options.now, DateMeans::Start);
    let effective_at = args.effective_at.as_ref().map(read).transpose();
    let effective_at =
        effective_at.map_err(|why| Failure::new(Exit::Usage, format!("--effective-at: {why}")))?;
    let tables = open(&args.export.files, |_| true)?;
    let book = mapped::read(&tables, &args.map, effective_at, &options);
    take(book.map_err(wrong)?, args.export.how).await
}

/// Reports, and sends what is good.
async fn take(mut book: Book, how: HowArgs) -> Result<String, Failure> {
    for fault in book.faults() {
        eprintln!("{fault}");
    }
    let bad = book.wrong();
    let account = book.told();
    if bad > 0 && !how.keep_going {
        let text = format!(
            "{account}{} wrong; nothing was sent (--keep-going sends the others)",
            count(bad, "row")
        );
        return Err(Failure::new(Exit::Data, text));
    }
    if how.dry_run {
        let text = format!("{account}nothing was sent, as --dry-run asks");
        return match bad {
            0 => Ok(text + "\n"),
            _ => Err(Failure::new(Exit::Data, text)),
        };
    }

    let after = match how.keep_going {
        true => After::GoOn,
        false => After::Stop,
    };
    let client = how.server.connect().await?;
    let started = Instant::now();
    let files = book.files();
    let entries = book.entries();
    let places: Vec<book::Place> = entries.iter().map(|entry| entry.place).collect();
    let progress = Progress::new("sending", "write", entries.len());
    let named = move |at: usize| {
        let place = places[at];
        format!("{}:{}", files[usize::from(place.file)], place.line)
    };
    let lanes = Lanes::open(named, &client, after, &progress);
    for (at, entry) in entries.iter().enumerate() {
        if !lanes.send(at, entry.write.clone()).await {
            break;
        }
    }
    let tally = lanes.close().await;
    progress.finish();

    let text = format!(
        "{account}{}",
        load::told(&tally, "write", entries.len(), started)
    );
    if tally.refused == 0 && bad == 0 {
        return Ok(text + "\n");
    }
    Err(Failure::new(load::exit_of(&tally), text))
}

/// The tables in files, and in those of directories whose names are `wanted`.
fn open(files: &[PathBuf], wanted: impl Fn(&str) -> bool) -> Result<Vec<Table>, Failure> {
    let mut paths = Vec::new();
    for file in files {
        if !file.is_dir() {
            paths.push(file.clone());
            continue;
        }
        let unreadable = |error| {
            let text = format!("{}: cannot be read: {error}", file.display());
            Failure::new(Exit::Usage, text)
        };
        let listed = fs::read_dir(file).map_err(unreadable)?;
        let mut found: Vec<PathBuf> = listed
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_table(path) && wanted(&stem(path)))
            .collect();
        found.sort();
        paths.extend(found);
    }
    if paths.is_empty() {
        let text = "there are no CSV files that this import reads";
        return Err(Failure::new(Exit::Usage, text));
    }
    paths.iter().map(|path| Table::open(path)).collect()
}

fn is_table(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("csv")
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn wrong(fault: String) -> Failure {
    Failure::new(Exit::Data, fault)
}

fn currency(text: &str) -> Result<String, String> {
    let code = text.to_ascii_uppercase();
    let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    match fits {
        true => Ok(code),
        false => Err("must be three letters, such as EUR".to_owned()),
    }
}

fn map_help() -> String {
    format!(
        "Which column says what: FIELD=COLUMN, by commas or repeated. Fields: {}",
        mapped::FIELDS.join(", ")
    )
}

impl HowArgs {
    fn options(&self) -> Options {
        Options {
            currency: self.currency.clone(),
            dates: self.dates,
            lost_to: match self.lost_to {
                LostTo::NoDecision => pb::Outcome::LostToNoDecision,
                LostTo::Competitor => pb::Outcome::LostToCompetitor,
                LostTo::Disqualified => pb::Outcome::Disqualified,
            },
            now: moment::now(),
        }
    }
}
