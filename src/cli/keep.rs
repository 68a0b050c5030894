//! Keeping and moving what was recorded: `backup`, `restore`, `verify`, `copy`, `compact`, `rebuild`.

pub mod backup;
pub mod compact;
pub mod copy;
mod place;
pub mod rebuild;
pub mod restore;
mod rotation;
pub mod verify;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::store;
use crate::store::archive::ReplayError;
use crate::store::archive::Totals;
use crate::store::archive::Unreadable;
use crate::store::embedded::Embedded;
use crate::store::embedded::OpenError;
use crate::store::embedded::Options;

/// Opens a store that is there. `instead` says what to do when a service holds it.
fn open(directory: &Path, instead: &str) -> Result<Embedded, Failure> {
    there(directory)?;
    let opened = Embedded::open(directory, Options::default());
    opened.map_err(|error| of_open(&error, instead))
}

/// Opening a store makes one where there is none, which is not what is wanted here.
fn there(directory: &Path) -> Result<(), Failure> {
    match directory.join("db").exists() {
        true => Ok(()),
        false => Err(Failure::new(
            Exit::Usage,
            format!("{}: there is no store", directory.display()),
        )),
    }
}

fn of_open(error: &OpenError, instead: &str) -> Failure {
    match error {
        OpenError::Held { .. } => Failure::new(Exit::Unavailable, format!("{error}\n  {instead}")),
        OpenError::NotEmpty { .. } | OpenError::Foreign { .. } => {
            Failure::new(Exit::Usage, error.to_string())
        }
        OpenError::Newer { .. }
        | OpenError::Unfinished { .. }
        | OpenError::Corrupt { .. }
        | OpenError::Tail { .. } => Failure::new(Exit::Data, error.to_string()),
        OpenError::Sled { .. } | OpenError::Io { .. } => {
            Failure::new(Exit::Internal, error.to_string())
        }
    }
}

fn of_store(error: &store::Error) -> Failure {
    let exit = match error {
        store::Error::Corrupt { .. } => Exit::Data,
        store::Error::Full { .. } | store::Error::Unavailable(_) => Exit::Unavailable,
        _ => Exit::Internal,
    };
    Failure::new(exit, error.to_string())
}

fn of_archive(path: &Path, error: &Unreadable) -> Failure {
    let exit = match error {
        Unreadable::Io(_) => Exit::Internal,
        _ => Exit::Data,
    };
    Failure::new(exit, format!("{}: {error}", path.display()))
}

fn of_replay(path: &Path, error: &ReplayError) -> Failure {
    match error {
        ReplayError::Archive(error) => of_archive(path, error),
        ReplayError::Source(error) | ReplayError::Target(error) => of_store(error),
        ReplayError::Differs { .. } => Failure::new(
            Exit::Data,
            format!("{error}; what was restored there is of another backup"),
        ),
        ReplayError::Stopped => Failure::new(Exit::Temporary, error.to_string()),
    }
}

fn read(path: &Path) -> Result<BufReader<File>, Failure> {
    match File::open(path) {
        Ok(file) => Ok(BufReader::new(file)),
        Err(error) => Err(Failure::new(
            Exit::Usage,
            format!("{}: {error}", path.display()),
        )),
    }
}

/// `4000 changes: 4012 events of 12 deals`.
fn counts(totals: &Totals) -> String {
    let Totals {
        appends,
        deals,
        events,
        event_bytes: _,
        tenants,
    } = totals;
    let tenants = match tenants.len() {
        0 | 1 => String::new(),
        count => format!(" of {count} tenants"),
    };
    format!("{appends} changes: {events} events of {deals} deals{tenants}")
}

/// `12.3 MiB`.
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// `1.2 s, 3400 changes a second`.
fn pace(since: Instant, changes: u64) -> String {
    let seconds = since.elapsed().as_secs_f64().max(1e-3);
    let rate = changes as f64 / seconds;
    format!("{seconds:.1} s, {rate:.0} changes a second")
}
