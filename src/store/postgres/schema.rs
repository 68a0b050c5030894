//! The tables, and how they came to be: one list of steps, of which a database has had the first so many.
//!
//! 1. A step only adds, so that replicas of the build before go on beside it. What a build needs is there from the
//!    version it was made for; it starts on no other.
//! 2. A step and the count of steps are one transaction, under a lock on the row of the count: two migrations at once
//!    are one after the other.
//! 3. Keys are bytes, so no collation orders or joins them. They lead with tenant and deal, so that tables can be spread
//!    by them; only the order over all deals has one place, which is what an order is.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// How many steps this build knows, and the version it runs on.
pub const VERSION: i32 = STEPS.len() as i32;

/// How often the first step is tried: two that make the same table at once may fail each other.
const ATTEMPTS_MAX: u32 = 5;

/// The table that tells the others' version. Its form never changes.
const ROOT: &str = "CREATE TABLE IF NOT EXISTS verbatim_schema (
    id int PRIMARY KEY,
    version int NOT NULL,
    unfinished boolean NOT NULL
)";

const ROOT_ROW: &str = "INSERT INTO verbatim_schema (id, version, unfinished) VALUES (1, 0, false) ON CONFLICT DO NOTHING";

const STEPS: [&[&str]; 1] = [&[
    // A deal is here from its first event on, so that deals are listed without their histories.
    "CREATE TABLE verbatim_deals (
    tenant bytea NOT NULL,
    deal bytea NOT NULL,
    PRIMARY KEY (tenant, deal)
)",
    "CREATE TABLE verbatim_events (
    tenant bytea NOT NULL,
    deal bytea NOT NULL,
    revision bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, deal, revision)
)",
    // A row a group: the changes up to `last`, of which there are `appends`.
    "CREATE TABLE verbatim_changes (
    last bigint PRIMARY KEY,
    appends int NOT NULL,
    body bytea NOT NULL
)",
    "CREATE TABLE verbatim_sequence (
    id int PRIMARY KEY,
    last bigint NOT NULL
)",
    "INSERT INTO verbatim_sequence (id, last) VALUES (1, 0)",
    "CREATE TABLE verbatim_projections (
    tenant bytea NOT NULL,
    deal bytea NOT NULL,
    revision bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, deal)
)",
]];

/// How far a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Steps it has had; 0 when there is nothing of ours.
    pub version: i32,
    /// A copy into it was begun and has not ended.
    pub unfinished: bool,
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    pub from: i32,
    pub to: i32,
}

/// How far the database is.
pub async fn standing(client: &Client) -> Result<Standing, tokio_postgres::Error> {
    let asked = client
        .query_opt(
            "SELECT version, unfinished FROM verbatim_schema WHERE id = 1",
            &[],
        )
        .await;
    let row = match asked {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => None,
        asked => asked?,
    };
    let Some(row) = row else {
        return Ok(Standing {
            version: 0,
            unfinished: false,
        });
    };
    Ok(Standing {
        version: row.try_get(0)?,
        unfinished: row.try_get(1)?,
    })
}

/// The statements that a database of this version still needs, in order.
pub fn missing(version: i32) -> Vec<&'static str> {
    let had = usize::try_from(version).unwrap_or(0);
    let root: &[&str] = match version {
        0 => &[ROOT, ROOT_ROW],
        _ => &[],
    };
    let steps = STEPS.iter().skip(had).copied().flatten();
    root.iter().chain(steps).copied().collect()
}

/// Takes the steps that are missing, one transaction each.
pub async fn migrate(client: &mut Client) -> Result<Migrated, tokio_postgres::Error> {
    let mut attempts = 1;
    while let Err(error) = root(client).await {
        if ATTEMPTS_MAX <= attempts || error.is_closed() {
            return Err(error);
        }
        attempts += 1;
    }
    let from = standing(client).await?.version;
    while step(client).await? {}
    let to = standing(client).await?.version;
    Ok(Migrated { from, to })
}

async fn root(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(ROOT).await?;
    client.batch_execute(ROOT_ROW).await
}

/// Takes the next step; whether there was one.
async fn step(client: &mut Client) -> Result<bool, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let row = transaction
        .query_one(
            "SELECT version FROM verbatim_schema WHERE id = 1 FOR UPDATE",
            &[],
        )
        .await?;
    let version: i32 = row.try_get(0)?;
    let had = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(statements) = STEPS.get(had) else {
        return Ok(false);
    };
    for statement in *statements {
        transaction.batch_execute(statement).await?;
    }
    transaction
        .execute(
            "UPDATE verbatim_schema SET version = $1 WHERE id = 1",
            &[&(version + 1)],
        )
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Marks that a copy into the database is under way, or no longer is.
pub async fn set_unfinished(
    client: &Client,
    unfinished: bool,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "UPDATE verbatim_schema SET unfinished = $1 WHERE id = 1",
            &[&unfinished],
        )
        .await?;
    Ok(())
}
