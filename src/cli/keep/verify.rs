//! `verify`: whether a store, or a backup, is whole and says what it said. Ends with 65 when it is not.

use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::app::verify;
use crate::app::verify::Findings;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::keep::place::Place;
use crate::store::Store;
use crate::store::archive::Reader;
use crate::store::archive::Unreadable;
use crate::store::embedded::Check;
use crate::store::embedded::Embedded;
use crate::store::embedded::OpenError;
use crate::store::embedded::Options;

pub const EXAMPLES: &str = "Examples:
  verbatim verify monday.verbatim                   a backup
  verbatim verify --data /var/lib/verbatim          a store that no service holds
  verbatim verify --data postgres://user@host/database      while no service writes to it

Each fault is a line: where it is, and what is wrong. Ends with 0 when there is none, 65 when there are some, 69 when a
service holds the store, 70 when the system could not read.

A store is opened to be looked at, and sled may clear what it takes for garbage as it opens: copy a directory that you
know to be damaged before anything else.";

const INSTEAD: &str = "take a backup of the running service, and verify that";

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct VerifyArgs {
    /// The backup to look through
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The store to look through: its directory, or the URL of its database
    #[arg(long, value_name = "STORE")]
    data: Option<Place>,
}

pub async fn run(args: VerifyArgs) -> Result<String, Failure> {
    let started = Instant::now();
    let (path, findings) = match (args.file, args.data) {
        (Some(file), _) => (file.display().to_string(), archive(&file)?),
        (None, Some(Place::Directory(data))) => {
            (data.display().to_string(), directory(&data).await?)
        }
        (None, Some(data @ Place::Database(_))) => (data.to_string(), database(&data).await?),
        (None, None) => return Err(Failure::new(Exit::Usage, "name a FILE or --data DIR")),
    };
    if !findings.is_sound() {
        return Err(unsound(&path, &findings));
    }
    let projections = match findings.projections {
        0 => String::new(),
        count => format!(", {count} projections as the events fold"),
    };
    let totals = &findings.totals;
    Ok(format!(
        "{} is sound: {}{projections}, in {}\n",
        path,
        keep::counts(totals),
        keep::pace(started, totals.appends)
    ))
}

/// The refusal of what has faults: each on its line.
pub fn unsound(path: &str, findings: &Findings) -> Failure {
    let count = findings.faults.len() as u64 + findings.faults_more;
    let mut text = match count {
        1 => format!("{path} is not sound:"),
        _ => format!("{path} is not sound, {count} faults:"),
    };
    for fault in &findings.faults {
        text.push_str(&format!("\n  {fault}"));
    }
    if 0 < findings.faults_more {
        text.push_str(&format!("\n  and {} more", findings.faults_more));
    }
    Failure::new(Exit::Data, text)
}

fn archive(path: &Path) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let looked = Reader::open(keep::read(path)?)
        .and_then(|mut reader| verify::archive(&mut reader, &mut findings));
    match looked {
        Ok(()) => {}
        Err(error @ Unreadable::Io(_)) => return Err(keep::of_archive(path, &error)),
        Err(error) => findings.faults.push(error.to_string()),
    }
    Ok(findings)
}

async fn database(place: &Place) -> Result<Findings, Failure> {
    let store = place.open(INSTEAD).await?.store();
    let findings = verify::store(store.as_ref()).await;
    store.close().await;
    findings.map_err(|error| keep::of_store(&error))
}

async fn directory(path: &Path) -> Result<Findings, Failure> {
    keep::there(path)?;
    let (store, fault) = match Embedded::open(path, Options::default()) {
        Ok(store) => (store, None),
        Err(error @ (OpenError::Corrupt { .. } | OpenError::Sled { .. })) => {
            // With less looked at as it opens, more may be found.
            let options = Options {
                check: Check::Tail,
                ..Options::default()
            };
            match Embedded::open(path, options) {
                Ok(store) => (store, Some(told(path, &error))),
                Err(_) => return Ok(only(told(path, &error))),
            }
        }
        Err(error @ OpenError::Tail { .. }) => return Ok(only(told(path, &error))),
        Err(error) => return Err(keep::of_open(&error, INSTEAD)),
    };
    let findings = verify::store(&store).await;
    store.close().await;
    let mut findings = findings.map_err(|error| keep::of_store(&error))?;
    if let Some(fault) = fault
        && !findings.faults.contains(&fault)
    {
        findings.faults.insert(0, fault);
    }
    Ok(findings)
}

fn only(fault: String) -> Findings {
    Findings {
        faults: vec![fault],
        ..Findings::default()
    }
}

/// The directory is named once, before all faults.
fn told(path: &Path, error: &OpenError) -> String {
    let text = error.to_string();
    let directory = format!("{}: ", path.display());
    text.strip_prefix(&directory)
        .map_or(text.clone(), str::to_owned)
}
