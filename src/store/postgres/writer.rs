//! The one thread of a replica that writes.
//!
//! A group of appends is one transaction in two flights:
//!
//! 1. The events of all deals, by their keys. What another replica was first at is not inserted, and then nothing is: the
//!    heads are read and the group is drafted anew, so that a conflict of one append fails no other.
//! 2. Last of all the numbers in the order over all deals, from the one row that counts them, with the changes and the
//!    commit. That row is locked from here to the end of the commit, so numbers are in the order of commits and without
//!    gaps, over all replicas; and it is not locked while anything else is done.
//!
//! A commit whose answer is lost is found out by doing the same again: the events are unique, so a transaction that is
//! still under way is waited for, and events that carry the mark of this group were committed.
//!
//! Projections are written behind the answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use deadpool_postgres::Object;
use tokio::runtime::Runtime;
use tracing::Span;
use uuid::Uuid;

use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::postgres::Shared;
use crate::store::postgres::failure::Failure;
use crate::store::postgres::failure::pause;
use crate::store::postgres::flights::TOUCH;
use crate::store::postgres::flights::commit;
use crate::store::postgres::flights::insert;
use crate::store::postgres::flights::is_committed;
use crate::store::postgres::flights::read_heads;
use crate::store::postgres::frames;
use crate::store::postgres::frames::Mark;
use crate::store::postgres::frames::NO_MARK;
use crate::store::postgres::frames::Place;
use crate::store::postgres::group::Draft;
use crate::store::postgres::group::Heads;
use crate::store::postgres::group::Rows;
use crate::store::postgres::pool::Pool;
use crate::store::postgres::pool::discard;
use crate::store::queue::Answers;
use crate::store::queue::Append;
use crate::store::queue::Queue;
use crate::store::queue::Work;

/// Bytes of projections in one statement.
const PROJECTIONS_BYTES: usize = 4 << 20;

const KEEP_PROJECTIONS: &str = "INSERT INTO verbatim_projections (tenant, deal, revision, body)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[])
ON CONFLICT (tenant, deal) DO UPDATE SET revision = excluded.revision, body = excluded.body
WHERE verbatim_projections.revision <= excluded.revision";

pub struct Writer {
    runtime: Runtime,
    queue: Arc<Queue>,
    pool: Pool,
    shared: Arc<Shared>,
}

type Outcomes = Vec<Result<Revision, Error>>;

/// What became of one attempt to write a group.
enum Attempt {
    Done(Outcomes),
    /// Another writer was first with some deal. These are the heads now.
    Raced(HashMap<DealKey, Revision>),
    /// Nothing was committed.
    Failed(Failure),
    /// The commit was sent, and not answered.
    InDoubt(Failure),
}

impl Writer {
    pub fn new(runtime: Runtime, queue: Arc<Queue>, pool: Pool, shared: Arc<Shared>) -> Writer {
        Writer {
            runtime,
            queue,
            pool,
            shared,
        }
    }

    /// Works until the queue is closed and empty.
    pub fn run(&mut self) {
        loop {
            match self.queue.take() {
                Work::Group(group) => {
                    let metrics = &self.shared.options.metrics;
                    metrics.group_appends.observe(group.len() as f64);
                    let answers = self.runtime.block_on(self.write(group));
                    self.queue.answer(&answers);
                }
                Work::Projections(lot) => {
                    self.runtime.block_on(self.keep(&lot));
                    self.queue.written(&lot);
                }
                Work::End => return,
            }
        }
    }

    /// Makes the group durable; answers what is to be told.
    async fn write(&self, group: Vec<Append>) -> Answers {
        let answers = Answers::default();
        let commits = commits(&group);
        let settled = self.settle(&group).await;
        drop(commits);
        match settled {
            Ok(outcomes) => {
                for (append, outcome) in group.into_iter().zip(outcomes) {
                    answers.add(append.reply, outcome);
                }
            }
            Err(error) => {
                tracing::warn!(%error, appends = group.len(), "a group was not written");
                for append in group {
                    answers.add(append.reply, Err(error.clone()));
                }
            }
        }
        answers
    }

    /// Writes the group, again and again for a bounded time.
    async fn settle(&self, group: &[Append]) -> Result<Outcomes, Error> {
        let mark = Uuid::now_v7().into_bytes();
        let started = Instant::now();
        let mut heads = Heads::Assumed;
        let mut in_doubt = false;
        let mut failed = 0;
        loop {
            let failure = match self.attempt(group, &heads, &mark, in_doubt).await {
                Attempt::Done(outcomes) => return Ok(outcomes),
                Attempt::Raced(known) => {
                    heads = Heads::Known(known);
                    // Somebody else's events are where ours would be: an earlier commit did not take place.
                    in_doubt = false;
                    Failure::Passing("other writers were first, again and again".to_owned())
                }
                Attempt::Failed(failure) => failure,
                Attempt::InDoubt(failure) => {
                    in_doubt = true;
                    failure
                }
            };
            let lasting = matches!(failure, Failure::Lasting(_));
            let stopped = self.shared.abandoned.load(Ordering::Relaxed);
            if lasting || stopped || self.shared.options.retry_for < started.elapsed() {
                let text = failure.text();
                return Err(match in_doubt {
                    true => Error::Unknown(text),
                    false => Error::Unavailable(text),
                });
            }
            tokio::time::sleep(pause(failed)).await;
            failed += 1;
        }
    }

    async fn attempt(
        &self,
        group: &[Append],
        heads: &Heads,
        mark: &Mark,
        in_doubt: bool,
    ) -> Attempt {
        let client = match self.pool.get().await {
            Ok(client) => client,
            Err(failure) => return Attempt::Failed(failure),
        };
        let Some(draft) = Draft::new(group, heads, mark) else {
            let read = self.pool.in_time(read_heads(&client, group)).await;
            return self.raced(client, read).await;
        };
        if draft.entries.is_empty() {
            return Attempt::Done(draft.outcomes);
        }

        match self.pool.in_time(insert(&client, &draft)).await {
            Ok(true) => {}
            Ok(false) => return self.look(client, group, draft, in_doubt).await,
            Err(failure) => return Attempt::Failed(self.undo(client, failure).await),
        }

        let started = Instant::now();
        let committed = self.pool.in_time(commit(&client, &draft, mark)).await;
        let took = started.elapsed().as_secs_f64();
        self.shared.options.metrics.sync_seconds.observe(took);
        match committed {
            Ok(()) => Attempt::Done(draft.outcomes),
            Err(failure @ Failure::Lost(_)) => Attempt::InDoubt(self.undo(client, failure).await),
            Err(failure) => Attempt::Failed(self.undo(client, failure).await),
        }
    }

    /// Some events are there already, or some are missing: ours of an earlier attempt, or somebody else's.
    async fn look(
        &self,
        client: Object,
        group: &[Append],
        draft: Draft,
        in_doubt: bool,
    ) -> Attempt {
        let looked = async {
            client.batch_execute("ROLLBACK").await?;
            if in_doubt && is_committed(&client, &draft).await? {
                // A synchronous standby may not have had it when the connection broke; it has once this is committed.
                client.batch_execute(TOUCH).await?;
                return Ok(None);
            }
            read_heads(&client, group).await.map(Some)
        };
        match self.pool.in_time(looked).await {
            Ok(None) => Attempt::Done(draft.outcomes),
            Ok(Some(heads)) => Attempt::Raced(heads),
            // As much in doubt as before.
            Err(failure) => Attempt::Failed(self.undo(client, failure).await),
        }
    }

    async fn raced(
        &self,
        client: Object,
        read: Result<HashMap<DealKey, Revision>, Failure>,
    ) -> Attempt {
        match read {
            Ok(heads) => Attempt::Raced(heads),
            Err(failure) => Attempt::Failed(self.undo(client, failure).await),
        }
    }

    /// Leaves the connection as it was before the transaction, or lets go of it.
    async fn undo(&self, client: Object, failure: Failure) -> Failure {
        let is_lost = matches!(failure, Failure::Lost(_));
        let is_left = !is_lost && {
            let undone = client.batch_execute("ROLLBACK");
            self.pool.in_time(undone).await.is_ok()
        };
        if !is_left {
            discard(client);
        }
        failure
    }

    /// Writes projections, each unless a newer one is there. One that cannot be written is made when it is asked for.
    async fn keep(&self, lot: &[(DealKey, Arc<Projection>)]) {
        let mut sorted: Vec<_> = lot.iter().collect();
        sorted.sort_unstable_by_key(|(deal, _)| deal);
        let mut rows = Rows::default();
        let mut bytes = 0;
        for (deal, projection) in sorted {
            let place = Place::Projection(deal, projection.revision);
            rows.push(deal, projection.revision);
            rows.bodies
                .push(frames::seal(place, &NO_MARK, &projection.bytes));
            bytes += projection.bytes.len();
            if PROJECTIONS_BYTES < bytes {
                self.keep_rows(std::mem::take(&mut rows)).await;
                bytes = 0;
            }
        }
        if !rows.is_empty() {
            self.keep_rows(rows).await;
        }
    }

    async fn keep_rows(&self, rows: Rows) {
        let client = match self.pool.get().await {
            Ok(client) => client,
            Err(failure) => return dropped(rows.len(), failure),
        };
        let kept = async {
            let statement = client.prepare_cached(KEEP_PROJECTIONS).await?;
            let Rows {
                tenants,
                deals,
                revisions,
                bodies,
            } = &rows;
            client
                .execute(&statement, &[tenants, deals, revisions, bodies])
                .await
        };
        if let Err(failure) = self.pool.in_time(kept).await {
            dropped(rows.len(), self.undo(client, failure).await);
        }
    }
}

/// A span for each append of the group, within its caller's: all were committed together.
fn commits(group: &[Append]) -> Vec<Span> {
    // Signed, since that is the whole number that OpenTelemetry has.
    let size = group.len() as i64;
    let told = group.iter().filter(|append| !append.span.is_disabled());
    told.map(|append| {
        append.span.record("group.appends", size);
        tracing::debug_span!(
            parent: &append.span,
            "commit",
            db.system = "postgresql",
            group.appends = size
        )
    })
    .collect()
}

fn dropped(projections: usize, failure: Failure) {
    let why = failure.text();
    tracing::debug!(projections, why, "projections were not written");
}
