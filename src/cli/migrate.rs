//! `migrate`: brings a database to what this build needs.

use clap::Args;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::config::DatabaseUrl;
use crate::store::postgres::OpenError;
use crate::store::postgres::Postgres;

pub const EXAMPLES: &str = "Examples:
  verbatim migrate --store postgres://user@host/database
  VERBATIM_STORE=postgres://… verbatim migrate --dry-run      what it would do; nothing is changed

Safe while replicas run: steps only add, and two migrations at once are one after the other. Run it before the first
start, and before replicas of a build that needs a newer schema. Ends with 0 when the schema is as this build needs it,
69 when the database cannot be reached or a newer build was there before.";

#[derive(Args, Debug)]
pub struct MigrateArgs {
    #[command(flatten)]
    store: DatabaseArgs,
    /// Print the statements that are missing, and run none
    #[arg(long)]
    dry_run: bool,
}

/// The database that a command is for. Its password is best given by the variable: a command line is seen by others.
#[derive(Args, Debug)]
pub struct DatabaseArgs {
    /// The database
    #[arg(long, value_name = "URL", env = "VERBATIM_STORE", hide_env_values = true, value_parser = url)]
    pub store: DatabaseUrl,
}

pub async fn run(args: MigrateArgs) -> Result<String, Failure> {
    let url = args.store.store;
    if args.dry_run {
        let missing = Postgres::missing(&url).await.map_err(|error| of(&error))?;
        return Ok(match missing.is_empty() {
            true => format!("{url}: nothing is missing\n"),
            false => missing.join(";\n") + ";\n",
        });
    }
    let migrated = Postgres::migrate(&url).await.map_err(|error| of(&error))?;
    let (from, to) = (migrated.from, migrated.to);
    Ok(match from == to {
        true => format!("{url}: the schema is at version {to}; nothing was missing\n"),
        false => format!("{url}: the schema was at version {from} and is at {to}\n"),
    })
}

/// The failure of a command that did not get to its database.
pub fn of(error: &OpenError) -> Failure {
    let exit = match error {
        OpenError::Address(_) | OpenError::NotEmpty { .. } => Exit::Usage,
        OpenError::Unreachable { .. }
        | OpenError::Behind { .. }
        | OpenError::Ahead { .. }
        | OpenError::Unsafe { .. } => Exit::Unavailable,
        OpenError::Unfinished { .. } => Exit::Data,
    };
    Failure::new(exit, error.to_string())
}

/// The URL of a database, for clap. What is no URL may hold a password all the same, so it is not repeated.
pub fn url(text: &str) -> Result<DatabaseUrl, String> {
    DatabaseUrl::read(text)
        .ok_or_else(|| "it must be postgres://USER:PASSWORD@HOST/DATABASE".to_owned())
}
