//! `compact`: gives back the disk space that a store no longer needs.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::progress::Progress;
use crate::store::embedded::Options;
use crate::store::embedded::compact::CompactError;
use crate::store::embedded::compact::Step;
use crate::store::embedded::compact::compact;

pub const EXAMPLES: &str = "Examples:
  verbatim compact --data /var/lib/verbatim

No service may hold the store. A copy is made beside it, in DIR.compact, which needs room for all that was recorded; it is
compared with the store and then takes its place in one step. Whatever happens meanwhile, DIR holds a whole store; what is
left in DIR.compact is removed by the next compact. DIR must not be a mount point: keep the store in a directory below it.";

#[derive(Args, Debug)]
pub struct CompactArgs {
    /// The directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub async fn run(args: CompactArgs) -> Result<String, Failure> {
    let started = Instant::now();
    keep::there(&args.data)?;
    let mut course: Option<(Progress, u64)> = None;
    let options = Options::default();
    let compacted = compact(&args.data, &options, |step| {
        if let Step::Copying { sequence, last } = step {
            let total = usize::try_from(last).unwrap_or(usize::MAX);
            let (progress, before) =
                course.get_or_insert_with(|| (Progress::new("copying", "change", total), 0));
            progress.advance(usize::try_from(sequence - *before).unwrap_or(usize::MAX));
            *before = sequence;
        }
        ControlFlow::Continue(())
    });
    let compacted = compacted.await;
    if let Some((progress, _)) = course {
        progress.finish();
    }
    let compacted = compacted.map_err(|error| failure(&error))?;
    Ok(format!(
        "{} holds {}; it had {} and has {}, in {}\n",
        args.data.display(),
        keep::counts(&compacted.totals),
        keep::mebibytes(compacted.bytes_before),
        keep::mebibytes(compacted.bytes_after),
        keep::pace(started, compacted.totals.appends)
    ))
}

fn failure(error: &CompactError) -> Failure {
    match error {
        CompactError::Open(error) => keep::of_open(error, "stop the service first"),
        CompactError::Taken(_) => Failure::new(Exit::Usage, error.to_string()),
        CompactError::Read(error) => keep::of_store(error),
        CompactError::Copy(_) | CompactError::Io { .. } => {
            Failure::new(Exit::Internal, error.to_string())
        }
        CompactError::WrittenTo | CompactError::Stopped => {
            Failure::new(Exit::Temporary, error.to_string())
        }
    }
}
