//! `rebuild`: drops what was derived from what was recorded, and makes it anew.

use clap::Args;

use crate::app::rebuild::rebuild;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::keep::place::Place;

pub const EXAMPLES: &str = "Examples:
  verbatim rebuild --data /var/lib/verbatim
  verbatim rebuild --data postgres://user@host/database

No service may hold the directory; a database may be in use. What was recorded is only read.";

#[derive(Args, Debug)]
pub struct RebuildArgs {
    /// The store: its directory, or the URL of its database
    #[arg(long, value_name = "STORE")]
    data: Place,
}

pub async fn run(args: RebuildArgs) -> Result<String, Failure> {
    let opened = args.data.open("stop the service first").await?;
    let store = opened.store();
    let rebuilt = match opened.forget_projections().await {
        Ok(()) => rebuild(store.as_ref()).await,
        Err(error) => Err(error),
    };
    // What waits is written before it is closed.
    store.close().await;
    let deals = rebuilt.map_err(|error| keep::of_store(&error))?;
    Ok(format!(
        "{}: the projections of {deals} deals were made anew\n",
        args.data
    ))
}
