//! `rebuild`: drops what was derived from what was recorded, and makes it anew.

use std::path::PathBuf;

use clap::Args;

use crate::app::rebuild::rebuild;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::store::Store;

pub const EXAMPLES: &str = "Examples:
  verbatim rebuild --data /var/lib/verbatim

No service may hold the store. What was recorded is only read.";

#[derive(Args, Debug)]
pub struct RebuildArgs {
    /// The directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub async fn run(args: RebuildArgs) -> Result<String, Failure> {
    let store = keep::open(&args.data, "stop the service first")?;
    let rebuilt = match store.forget_projections() {
        Ok(()) => rebuild(&store).await,
        Err(error) => Err(error),
    };
    // What waits is written before it is closed.
    store.close().await;
    let deals = rebuilt.map_err(|error| keep::of_store(&error))?;
    Ok(format!(
        "{}: the projections of {deals} deals were made anew\n",
        args.data.display()
    ))
}
