//! The statements of a group's transaction, as many in one flight as need not wait for each other.

use std::collections::HashMap;

use deadpool_postgres::Object;
use futures_util::future::try_join;
use futures_util::future::try_join3;
use futures_util::future::try_join4;

use crate::store::DealKey;
use crate::store::Revision;
use crate::store::groups;
use crate::store::postgres::frames;
use crate::store::postgres::frames::Mark;
use crate::store::postgres::frames::Place;
use crate::store::postgres::group::Draft;
use crate::store::postgres::group::Rows;
use crate::store::postgres::reads::bound;
use crate::store::postgres::reads::number;
use crate::store::queue::Append;

const BEGIN_DEALS: &str = "INSERT INTO verbatim_deals (tenant, deal)
SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT DO NOTHING";

/// Each is looked up by its key: of a join, the planner would make one over the whole table.
const COUNT_BEFORE: &str = "SELECT count((
    SELECT e.revision FROM verbatim_events e
    WHERE e.tenant = w.tenant AND e.deal = w.deal AND e.revision = w.revision
)) FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS w (tenant, deal, revision)";

const INSERT_EVENTS: &str = "INSERT INTO verbatim_events (tenant, deal, revision, body)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[]) ON CONFLICT DO NOTHING";

const TAKE_NUMBERS: &str = "WITH taken AS (
    UPDATE verbatim_sequence SET last = last + $1 WHERE id = 1 RETURNING last
) INSERT INTO verbatim_changes (last, appends, body) SELECT last, $2, $3 FROM taken";

/// Changes nothing, and is durable only when all before it is.
pub const TOUCH: &str = "UPDATE verbatim_sequence SET last = last WHERE id = 1";

const BODY_OF: &str = "SELECT body FROM verbatim_events
WHERE tenant = $1 AND deal = $2 AND revision = $3";

const READ_HEADS: &str = "SELECT w.tenant, w.deal, (
    SELECT max(e.revision) FROM verbatim_events e WHERE e.tenant = w.tenant AND e.deal = w.deal
) FROM unnest($1::bytea[], $2::bytea[]) AS w (tenant, deal)";

/// Begins the transaction and inserts the events, all in one flight; whether all were inserted and follow on.
pub async fn insert(client: &Object, draft: &Draft) -> Result<bool, tokio_postgres::Error> {
    let Draft {
        events,
        begun,
        before,
        ..
    } = draft;
    let (begin_deals, count_before, insert_events) = try_join3(
        client.prepare_cached(BEGIN_DEALS),
        client.prepare_cached(COUNT_BEFORE),
        client.prepare_cached(INSERT_EVENTS),
    )
    .await?;
    // Each is sent as it is first polled, which is in this order.
    let (_, _, there, inserted) = try_join4(
        client.batch_execute("BEGIN"),
        async {
            match begun.is_empty() {
                true => Ok(0),
                false => {
                    client
                        .execute(&begin_deals, &[&begun.tenants, &begun.deals])
                        .await
                }
            }
        },
        async {
            match before.is_empty() {
                true => Ok(0),
                false => {
                    let Rows {
                        tenants,
                        deals,
                        revisions,
                        ..
                    } = before;
                    let row = client
                        .query_one(&count_before, &[tenants, deals, revisions])
                        .await?;
                    row.try_get::<_, i64>(0)
                }
            }
        },
        client.execute(
            &insert_events,
            &[
                &events.tenants,
                &events.deals,
                &events.revisions,
                &events.bodies,
            ],
        ),
    )
    .await?;
    Ok(number(there) == before.len() as u64 && inserted == events.len() as u64)
}

/// Takes the numbers, writes the changes and commits, all in one flight.
pub async fn commit(
    client: &Object,
    draft: &Draft,
    mark: &Mark,
) -> Result<(), tokio_postgres::Error> {
    let take_numbers = client.prepare_cached(TAKE_NUMBERS).await?;
    let appends = draft.entries.len();
    let place = Place::Changes(appends as u64);
    let changes = frames::seal(place, mark, &groups::encode(&draft.entries));
    let (count, small) = (bound(appends as u64), appends as i32);
    // When the first fails, the second ends the transaction without effect.
    try_join(
        client.execute(&take_numbers, &[&count, &small, &changes]),
        client.batch_execute("COMMIT"),
    )
    .await?;
    Ok(())
}

/// Whether the draft was committed before. All or nothing, so its first event tells: the same bytes under the same mark.
pub async fn is_committed(client: &Object, draft: &Draft) -> Result<bool, tokio_postgres::Error> {
    let Rows {
        tenants,
        deals,
        revisions,
        bodies,
    } = &draft.events;
    let (Some(tenant), Some(deal), Some(revision)) =
        (tenants.first(), deals.first(), revisions.first())
    else {
        return Ok(false);
    };
    let statement = client.prepare_cached(BODY_OF).await?;
    let row = client
        .query_opt(&statement, &[tenant, deal, revision])
        .await?;
    let body: Option<&[u8]> = row.as_ref().map(|row| row.try_get(0)).transpose()?;
    Ok(body == bodies.first().map(Vec::as_slice))
}

/// The revisions of the deals of a group.
pub async fn read_heads(
    client: &Object,
    group: &[Append],
) -> Result<HashMap<DealKey, Revision>, tokio_postgres::Error> {
    let mut keys: Vec<&DealKey> = group.iter().map(|append| &append.deal).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut rows = Rows::default();
    keys.iter().for_each(|deal| rows.push(deal, 0));
    let statement = client.prepare_cached(READ_HEADS).await?;
    let read = client
        .query(&statement, &[&rows.tenants, &rows.deals])
        .await?;
    let mut by_name: HashMap<(&[u8], &[u8]), u64> = HashMap::with_capacity(read.len());
    for row in &read {
        let revision: Option<i64> = row.try_get(2)?;
        by_name.insert(
            (row.try_get(0)?, row.try_get(1)?),
            revision.map_or(0, number),
        );
    }
    let found = keys.into_iter().map(|deal| {
        let name = (deal.tenant.as_bytes(), deal.deal.as_bytes());
        (deal.clone(), by_name.get(&name).copied().unwrap_or(0))
    });
    Ok(found.collect())
}
