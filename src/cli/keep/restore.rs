//! `restore`: a store of what a backup holds, with the same revisions and the same order.
//!
//! The file is checked as a whole before anything is written. A restore that was interrupted is taken up again by the
//! same command; until it is done, the store does not open.

use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;

use crate::app::verify;
use crate::app::verify::Findings;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::progress::Progress;
use crate::domain::time;
use crate::store::archive::Append;
use crate::store::archive::Reader;
use crate::store::archive::replay;
use crate::store::embedded::Embedded;
use crate::store::embedded::Options;

pub const EXAMPLES: &str = "Examples:
  verbatim restore monday.verbatim --data /var/lib/verbatim
  verbatim restore monday.verbatim --data before --until 2026-11-20T09:00:00Z
  verbatim restore monday.verbatim --data before --until 48210      up to that change

With a moment, all is restored that comes before the first change recorded after it. A moment is RFC 3339, a date (its
end in UTC), `now`, or so long ago: -30d, -12h, -2w.";

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The directory of the store: empty, absent, or of a restore that was interrupted
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The last change to restore, or the moment up to which (default: all)
    #[arg(long, value_name = "SEQUENCE|MOMENT", allow_hyphen_values = true, value_parser = until)]
    until: Option<Until>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Sequence(u64),
    Moment(time::Instant),
}

pub async fn run(args: RestoreArgs) -> Result<String, Failure> {
    let started = Instant::now();
    let unreadable = |error| keep::of_archive(&args.file, &error);
    let mut whole = Reader::open(keep::read(&args.file)?).map_err(unreadable)?;
    let mut findings = Findings::default();
    verify::archive(&mut whole, &mut findings).map_err(unreadable)?;
    if !findings.is_sound() {
        return Err(keep::verify::unsound(&args.file, &findings));
    }

    let instead = "a store is restored beside it: name another directory";
    let begun = Embedded::begin(&args.data, Options::default());
    let store = begun.map_err(|error| keep::of_open(&error, instead))?;
    let mut archive = Reader::open(keep::read(&args.file)?).map_err(unreadable)?;
    let total = usize::try_from(archive.last()).unwrap_or(usize::MAX);
    let progress = Progress::new("restoring", "change", total);
    let replayed = replay(&mut archive, &store, |append| {
        progress.step();
        args.until.is_none_or(|until| until.takes(append))
    });
    let replayed = replayed.await;
    progress.finish();
    let replayed = replayed.map_err(|error| keep::of_replay(&args.file, &error))?;
    let finished = store.finish(&args.data).await;
    finished.map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;

    let totals = &replayed.totals;
    let there = match replayed.found {
        0 => String::new(),
        found => format!(" ({found} changes were there from before)"),
    };
    Ok(format!(
        "{} holds {}{there}, in {}\n",
        shown(&args.data),
        keep::counts(totals),
        keep::pace(started, totals.appends)
    ))
}

impl Until {
    fn takes(self, append: &Append) -> bool {
        match self {
            Until::Sequence(last) => append.change.sequence <= last,
            // The file was looked through, so each event reads.
            Until::Moment(last) => verify::recorded_at(append).is_ok_and(|at| at <= last),
        }
    }
}

fn until(text: &str) -> Result<Until, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let sequence = text.parse();
        return sequence
            .map(Until::Sequence)
            .map_err(|_| format!("`{text}` is more than there can be"));
    }
    let moment: Timestamp = moment::parse(text, moment::now(), DateMeans::End)
        .map_err(|refusal| format!("{refusal}, nor the number of a change"))?;
    time::Instant::from_unix(moment.as_second(), moment.subsec_nanosecond())
        .map(Until::Moment)
        .map_err(|error| error.to_string())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
