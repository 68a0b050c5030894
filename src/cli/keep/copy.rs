//! `copy`: a store of what another one holds, of any kind into any kind, compared before it counts.
//!
//! A copy that was interrupted is taken up again by the same command; until it is done, the new store does not open.

use std::ops::ControlFlow;
use std::time::Instant;

use clap::Args;

use crate::app::same;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::keep::place::Place;
use crate::cli::progress::Progress;
use crate::clock::Clock;
use crate::clock::SystemClock;
use crate::model_file;
use crate::store::Store;
use crate::store::archive;
use crate::store::archive::ReplayError;

pub const EXAMPLES: &str = "Examples:
  verbatim copy --from /var/lib/verbatim --to postgres://user@host/database
  verbatim copy --from postgres://user@host/database --to ./deals

The new store gets every change that the old one has when the copy begins, with the same revisions and the same order. Then
both are read side by side: changes, events and scores must be equal. The database must have had `verbatim migrate`, and
hold no deals. No service may hold the directory that is copied; a database may be written to, and what is written
meanwhile is not in the copy.";

#[derive(Args, Debug)]
pub struct CopyArgs {
    /// The store to copy: a directory, or the URL of a database
    #[arg(long, value_name = "STORE")]
    from: Place,
    /// Where to make the new one: a directory that is empty, or absent, or a database without deals
    #[arg(long, value_name = "STORE")]
    to: Place,
}

pub async fn run(args: CopyArgs) -> Result<String, Failure> {
    let started = Instant::now();
    if args.from == args.to {
        return Err(Failure::new(Exit::Usage, "--from and --to are the same"));
    }
    let opened = args.from.open("stop the service first").await?;
    let from = opened.store();
    let begun = args.to.begin().await?;
    let copied = fill(from.as_ref(), begun.store()).await;
    from.close().await;
    let told = match copied {
        Ok(told) => told,
        Err(failure) => {
            begun.store().close().await;
            return Err(failure);
        }
    };
    begun.finish().await?;
    let (counts, changes) = told;
    Ok(format!(
        "{} holds {counts}, equal to {} in every change, event and score, in {}\n",
        args.to,
        args.from,
        keep::pace(started, changes)
    ))
}

/// Copies and compares; what was copied, in words, and how many changes.
async fn fill(from: &dyn Store, to: &dyn Store) -> Result<(String, u64), Failure> {
    let newest = from.newest_sequence().await;
    let last = newest.map_err(|error| keep::of_store(&error))?;
    let total = usize::try_from(last).unwrap_or(usize::MAX);

    let progress = Progress::new("copying", "change", total);
    let mut before = 0;
    let copied = archive::copy(from, to, last, |sequence| {
        progress.advance(usize::try_from(sequence - before).unwrap_or(usize::MAX));
        before = sequence;
        ControlFlow::Continue(())
    });
    let copied = copied.await;
    progress.finish();
    let totals = copied.map_err(|error| failure(&error))?.totals;

    let deals = usize::try_from(totals.deals).unwrap_or(usize::MAX);
    let progress = Progress::new("comparing", "deal", deals);
    let now = SystemClock.now();
    let compared = same::compare(from, to, last, model_file::default(), now, || {
        progress.step();
    });
    let compared = compared.await;
    progress.finish();
    match compared.map_err(|error| keep::of_store(&error))? {
        None => Ok((keep::counts(&totals), last)),
        Some(difference) => Err(Failure::new(Exit::Data, difference)),
    }
}

fn failure(error: &ReplayError) -> Failure {
    match error {
        ReplayError::Source(error) | ReplayError::Target(error) => keep::of_store(error),
        ReplayError::Differs { .. } => Failure::new(
            Exit::Data,
            format!("{error}; what was begun there is a copy of another store"),
        ),
        ReplayError::Archive(_) => Failure::new(Exit::Internal, error.to_string()),
        ReplayError::Stopped => Failure::new(Exit::Temporary, error.to_string()),
    }
}
