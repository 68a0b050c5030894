//! `backup`: all that was recorded, in one file, from a directory or from a running service.
//!
//! The file gets its name once it is whole, read back and durable; until then an older one of that name stays.

use std::fs::File;
use std::io::BufReader;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use tempfile::NamedTempFile;

use crate::cli::client::ServerArgs;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::keep::place::Place;
use crate::cli::keep::rotation;
use crate::cli::moment;
use crate::cli::progress::Progress;
use crate::store::archive::Export;
use crate::store::archive::Reader;
use crate::store::archive::Totals;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim backup --to monday.verbatim                  of the running service, which goes on
  verbatim backup --server http://10.0.0.7:7450 --to monday.verbatim
  verbatim backup --into /backups --keep 14            one more of many, as a daily job does
  verbatim backup --data /var/lib/verbatim --to monday.verbatim     when no service runs
  verbatim backup --data postgres://user@host/database --to monday.verbatim

The file holds every change up to the moment at which the backup begins. It replaces an older one of that name once it
is whole, read back and durable. What is in it can be read by whoever can read the file.";

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// A store that no service holds, by its directory, or one in a database, by its URL
    #[arg(long, value_name = "STORE", conflicts_with = "server")]
    data: Option<Place>,
    #[command(flatten)]
    server: ServerArgs,
    /// The file to write
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "into",
        conflicts_with = "into"
    )]
    to: Option<PathBuf>,
    /// The directory to write it into, named by this moment
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// The backups of that directory to keep, the newest ones; older ones are removed once this one is whole
    #[arg(long, value_name = "COUNT", requires = "into", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// The last change to take in, by its place in the order over all deals (default: all there is)
    #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
    until: Option<u64>,
}

pub async fn run(args: BackupArgs) -> Result<String, Failure> {
    let started = Instant::now();
    let to = match (&args.to, &args.into) {
        (Some(file), _) => file.clone(),
        (None, Some(directory)) => rotation::file(directory, moment::now()),
        // Not reached: clap wants one of them.
        (None, None) => return Err(Failure::new(Exit::Usage, "--to or --into is needed")),
    };
    let directory = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |error: std::io::Error| {
        let text = format!("{}: {error}", to.display());
        Failure::new(Exit::Internal, text)
    };
    let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
    match &args.data {
        Some(data) => of_store(data, args.until, &mut file).await?,
        None => of_service(&args.server, args.until, &mut file).await?,
    }

    file.as_file().sync_all().map_err(failed)?;
    let totals = read_back(file.as_file_mut(), &to)?;
    let bytes = file.as_file().metadata().map_err(failed)?.len();
    file.persist(&to).map_err(|error| failed(error.error))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)?;
    let mut told = format!(
        "{} holds {}, {} in {}\n",
        to.display(),
        keep::counts(&totals),
        keep::mebibytes(bytes),
        keep::pace(started, totals.appends)
    );
    if let Some(keep) = args.keep {
        let gone = rotation::prune(directory, keep.into()).map_err(failed)?;
        told.push_str(&format!("{gone} older ones were removed\n"));
    }
    Ok(told)
}

async fn of_store(
    data: &Place,
    until: Option<u64>,
    file: &mut NamedTempFile,
) -> Result<(), Failure> {
    let instead = "a running service backs up by itself: verbatim backup --server URL --to FILE";
    let store = data.open(instead).await?.store();
    let written = async {
        let export = Export::begin(Arc::clone(&store), until.unwrap_or(u64::MAX)).await;
        let mut export = export.map_err(|error| keep::of_store(&error))?;
        let mut course = Course::to(export.last());
        while let Some(piece) = export
            .next()
            .await
            .map_err(|error| keep::of_store(&error))?
        {
            write(file, &piece.bytes)?;
            course.reached(piece.sequence);
        }
        course.0.finish();
        Ok(())
    };
    let written = written.await;
    store.close().await;
    written
}

async fn of_service(
    server: &ServerArgs,
    until: Option<u64>,
    file: &mut NamedTempFile,
) -> Result<(), Failure> {
    let mut operator = server.connect().await?.operator;
    let request = pb::BackupRequest {
        until_sequence: until.unwrap_or_default(),
    };
    let answers = operator.backup(request).await;
    let mut answers = answers
        .map_err(|status| Failure::of_status(&status))?
        .into_inner();
    let mut course: Option<Course> = None;
    while let Some(answer) = answers
        .message()
        .await
        .map_err(|status| Failure::of_status(&status))?
    {
        let pb::BackupResponse {
            chunk,
            sequence,
            last_sequence,
        } = answer;
        write(file, &chunk)?;
        let course = course.get_or_insert_with(|| Course::to(last_sequence));
        course.reached(sequence);
    }
    if let Some(course) = course {
        course.0.finish();
    }
    Ok(())
}

/// Reads the whole file again: a stream that broke off, or a disk that lies, is noticed now and not on the day.
fn read_back(file: &mut File, path: &Path) -> Result<Totals, Failure> {
    let unreadable = |error| keep::of_archive(path, &error);
    file.rewind()
        .map_err(|error| Failure::new(Exit::Internal, format!("{}: {error}", path.display())))?;
    let mut reader = Reader::open(BufReader::new(file)).map_err(unreadable)?;
    while reader.next_block().map_err(unreadable)?.is_some() {}
    Ok(reader.totals().clone())
}

fn write(file: &mut NamedTempFile, bytes: &[u8]) -> Result<(), Failure> {
    file.write_all(bytes)
        .map_err(|error| Failure::new(Exit::Unavailable, format!("cannot write: {error}")))
}

/// How far the changes are read.
struct Course(Progress, u64);

impl Course {
    fn to(last: u64) -> Course {
        let total = usize::try_from(last).unwrap_or(usize::MAX);
        Course(Progress::new("backing up", "change", total), 0)
    }

    fn reached(&mut self, sequence: u64) {
        let more = sequence.saturating_sub(self.1);
        if 0 < more {
            self.0.advance(usize::try_from(more).unwrap_or(usize::MAX));
        }
        self.1 = sequence.max(self.1);
    }
}
