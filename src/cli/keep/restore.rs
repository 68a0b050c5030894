//! `restore`: a store of what a backup holds, with the same revisions and the same order.
//!
//! The file is checked as a whole before anything is written. A restore that was interrupted is taken up again by the
//! same command; until it is done, the store does not open.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;

use crate::app::verify;
use crate::app::verify::Findings;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::keep::place::Place;
use crate::cli::moment;
use crate::cli::moment::DateMeans;
use crate::cli::progress::Progress;
use crate::domain::time;
use crate::store::archive::Append;
use crate::store::archive::Reader;
use crate::store::archive::replay;

pub const EXAMPLES: &str = "Examples:
  verbatim restore monday.verbatim --data /var/lib/verbatim
  verbatim restore monday.verbatim --data before --until 2026-11-20T09:00:00Z
  verbatim restore monday.verbatim --data postgres://user@host/database      after `verbatim migrate`
  verbatim restore monday.verbatim --data before --until 48210      up to that change

With a moment, all is restored that comes before the first change recorded after it. A moment is RFC 3339, a date (its
end in UTC), `now`, or so long ago: -30d, -12h, -2w.";

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The store: a directory that is empty, absent, or of a restore that was interrupted; or a database without deals
    #[arg(long, value_name = "STORE")]
    data: Place,
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
        return Err(keep::verify::unsound(
            &args.file.display().to_string(),
            &findings,
        ));
    }

    let begun = args.data.begin().await?;
    let mut archive = Reader::open(keep::read(&args.file)?).map_err(unreadable)?;
    let total = usize::try_from(archive.last()).unwrap_or(usize::MAX);
    let progress = Progress::new("restoring", "change", total);
    let replayed = replay(&mut archive, begun.store(), |append| {
        progress.step();
        args.until.is_none_or(|until| until.takes(append))
    });
    let replayed = replayed.await;
    progress.finish();
    let replayed = match replayed {
        Ok(replayed) => replayed,
        Err(error) => {
            begun.store().close().await;
            return Err(keep::of_replay(&args.file, &error));
        }
    };
    begun.finish().await?;

    let totals = &replayed.totals;
    let there = match replayed.found {
        0 => String::new(),
        found => format!(" ({found} changes were there from before)"),
    };
    Ok(format!(
        "{} holds {}{there}, in {}\n",
        args.data,
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
