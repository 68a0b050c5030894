//! The statements that read, and what their rows are.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Projection;
use crate::store::Revision;
use crate::store::Span;
use crate::store::StoredEvent;
use crate::store::groups;
use crate::store::postgres::frames;
use crate::store::postgres::frames::Place;
use crate::store::postgres::group::Rows;
use crate::store::postgres::pool::Pool;

/// Groups of changes read at a time: each has up to some hundred changes.
const GROUPS: i64 = 32;

const REVISION: &str = "SELECT max(revision) FROM verbatim_events WHERE tenant = $1 AND deal = $2";

const EVENTS: &str = "SELECT revision, body FROM verbatim_events
WHERE tenant = $1 AND deal = $2 AND revision > $3 ORDER BY revision LIMIT $4";

/// A range of the key for each span. The `OFFSET` has the planner look it up span by span, where it would join the whole table.
const EVENTS_OF: &str = "SELECT w.place, e.revision, e.body
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[]) AS w (place, tenant, deal, after, until)
CROSS JOIN LATERAL (
    SELECT revision, body FROM verbatim_events
    WHERE tenant = w.tenant AND deal = w.deal AND revision > w.after AND revision <= w.until OFFSET 0
) AS e ORDER BY w.place, e.revision";

const PROJECTION: &str =
    "SELECT revision, body FROM verbatim_projections WHERE tenant = $1 AND deal = $2";

const DEALS: &str = "SELECT d.deal, (
    SELECT max(e.revision) FROM verbatim_events e WHERE e.tenant = d.tenant AND e.deal = d.deal
) FROM verbatim_deals d WHERE d.tenant = $1 AND d.deal > $2 ORDER BY d.deal LIMIT $3";

const CHANGES: &str = "SELECT last, appends, body FROM verbatim_changes
WHERE last > $1 ORDER BY last LIMIT $2";

const NEWEST: &str = "SELECT last FROM verbatim_sequence WHERE id = 1";

/// By the files that the database has for them: no row is read.
const DISK_BYTES: &str = "SELECT sum(pg_total_relation_size(kept))::bigint FROM unnest(ARRAY[
    'verbatim_deals', 'verbatim_events', 'verbatim_changes', 'verbatim_projections', 'verbatim_sequence', 'verbatim_schema'
]::regclass[]) AS kept";

/// The deal's revision; 0 without events.
pub async fn revision(pool: &Pool, deal: &DealKey) -> Result<Revision, Error> {
    let rows = pool
        .read(REVISION, &[&deal.tenant.as_bytes(), &deal.deal.as_bytes()])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(0);
    };
    Ok(column::<Option<i64>>(row, 0)?.map_or(0, number))
}

/// Up to `events_max` events after the first `after` ones.
pub async fn events(
    pool: &Pool,
    deal: &DealKey,
    after: Revision,
    events_max: usize,
) -> Result<Vec<StoredEvent>, Error> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [
        &deal.tenant.as_bytes(),
        &deal.deal.as_bytes(),
        &bound(after),
        &bound(events_max as u64),
    ];
    let rows = pool.read(EVENTS, &parameters).await?;
    let mut page = Vec::with_capacity(rows.len());
    for (row, expected) in rows.iter().zip(after.saturating_add(1)..) {
        page.push(event(deal, expected, column(row, 0)?, column(row, 1)?)?);
    }
    Ok(page)
}

/// The events of each span.
pub async fn events_of(pool: &Pool, spans: &[Span]) -> Result<Vec<Vec<StoredEvent>>, Error> {
    let mut wanted = Rows::default();
    let (mut places, mut untils) = (Vec::new(), Vec::new());
    for (span, place) in spans.iter().zip(0_i64..) {
        wanted.push(&span.deal, span.after);
        places.push(place);
        // Revisions have no gaps, so this is how many.
        untils.push(bound(span.after.saturating_add(span.events_max as u64)));
    }
    let Rows {
        tenants,
        deals,
        revisions,
        ..
    } = &wanted;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&places, tenants, deals, revisions, &untils];
    let rows = pool.read(EVENTS_OF, &parameters).await?;
    let mut found: Vec<Vec<StoredEvent>> = vec![Vec::new(); spans.len()];
    for row in &rows {
        let place = usize::try_from(column::<i64>(row, 0)?).unwrap_or(usize::MAX);
        let (Some(span), Some(events)) = (spans.get(place), found.get_mut(place)) else {
            continue;
        };
        let expected = span.after + events.len() as u64 + 1;
        events.push(event(
            &span.deal,
            expected,
            column(row, 1)?,
            column(row, 2)?,
        )?);
    }
    Ok(found)
}

/// An event of a row, which is the next in order.
fn event(
    deal: &DealKey,
    expected: Revision,
    revision: i64,
    body: &[u8],
) -> Result<StoredEvent, Error> {
    let revision = number(revision);
    // Without this a hole in the history would pass for a shorter history.
    if revision != expected {
        return Err(Place::Event(deal, expected).broken("the event is missing"));
    }
    let (_, bytes) = frames::open(Place::Event(deal, revision), body)?;
    Ok(StoredEvent {
        revision,
        bytes: bytes.to_vec(),
    })
}

/// The projection that was written last.
pub async fn projection(pool: &Pool, deal: &DealKey) -> Result<Option<Projection>, Error> {
    let rows = pool
        .read(
            PROJECTION,
            &[&deal.tenant.as_bytes(), &deal.deal.as_bytes()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let revision = number(column(row, 0)?);
    let (_, bytes) = frames::open(Place::Projection(deal, revision), column(row, 1)?)?;
    Ok(Some(Projection {
        revision,
        bytes: bytes.to_vec(),
    }))
}

/// Up to `deals_max` deals of a tenant, by id, after `after`.
pub async fn deals(
    pool: &Pool,
    tenant: &str,
    after: Option<&str>,
    deals_max: usize,
) -> Result<Vec<(DealKey, Revision)>, Error> {
    // No id is empty, so all are after this one.
    let after = after.unwrap_or_default();
    let rows = pool
        .read(
            DEALS,
            &[
                &tenant.as_bytes(),
                &after.as_bytes(),
                &bound(deals_max as u64),
            ],
        )
        .await?;
    let mut page = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: &[u8] = column(row, 0)?;
        let id = std::str::from_utf8(id).map_err(|_| Error::Corrupt {
            place: format!("{tenant}/{}", id.escape_ascii()),
            problem: "the id of the deal is not text".to_owned(),
        })?;
        let deal = DealKey::new(tenant, id);
        match column::<Option<i64>>(row, 1)? {
            Some(revision) => page.push((deal, number(revision))),
            None => return Err(Place::Event(&deal, 1).broken("the event is missing")),
        }
    }
    Ok(page)
}

/// Up to `changes_max` changes after sequence `after`.
pub async fn changes(pool: &Pool, after: u64, changes_max: usize) -> Result<Vec<Change>, Error> {
    let mut page: Vec<Change> = Vec::new();
    let mut reached = after;
    while page.len() < changes_max {
        let groups = GROUPS.min(bound((changes_max - page.len()) as u64));
        let rows = pool.read(CHANGES, &[&bound(reached), &groups]).await?;
        for row in &rows {
            group(row, &mut reached, changes_max, &mut page)?;
        }
        if rows.len() < usize::try_from(groups).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(page)
}

/// The sequence of the newest change; 0 in an empty store.
pub async fn newest(pool: &Pool) -> Result<u64, Error> {
    let rows = pool.read(NEWEST, &[]).await?;
    match rows.first() {
        Some(row) => Ok(number(column(row, 0)?)),
        None => Err(Error::Corrupt {
            place: "the sequence of changes".to_owned(),
            problem: "it is missing".to_owned(),
        }),
    }
}

/// The disk that our tables and their indexes take in the database.
pub async fn disk_bytes(pool: &Pool) -> Result<u64, Error> {
    let rows = pool.read(DISK_BYTES, &[]).await?;
    let row = rows.first();
    row.map_or(Ok(0), |row| Ok(number(column(row, 0)?)))
}

/// Adds what is wanted of a group: the changes behind `reached`, which it moves on.
fn group(
    row: &Row,
    reached: &mut u64,
    changes_max: usize,
    page: &mut Vec<Change>,
) -> Result<(), Error> {
    let last = number(column(row, 0)?);
    let appends = u64::from(column::<i32>(row, 1)?.unsigned_abs());
    let first = last.saturating_sub(appends) + 1;
    let place = Place::Changes(appends);
    let (_, payload) = frames::open(place, column(row, 2)?)?;
    let entries = groups::decode(payload).ok_or_else(|| place.broken("this is not a group"))?;
    // The group of the first wanted change may begin before it; any other begins where the one before ended.
    let is_first = page.is_empty() && first <= *reached + 1;
    if entries.len() as u64 != appends || !(is_first || first == *reached + 1) {
        let place = format!("changes from {}", *reached + 1);
        let problem = "the group is missing".to_owned();
        return Err(Error::Corrupt { place, problem });
    }
    for (sequence, entry) in (first..).zip(entries) {
        if *reached < sequence && page.len() < changes_max {
            page.push(Change {
                sequence,
                deal: entry.deal,
                revision: entry.revision,
                events: entry.events,
            });
        }
    }
    *reached = last;
    Ok(())
}

/// A column of a row.
pub fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Error> {
    row.try_get(at).map_err(|error| Error::Corrupt {
        place: format!("column {at} of a row"),
        problem: error.to_string(),
    })
}

/// A number from a column: we write none below zero.
pub fn number(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

/// A number for a column; what is beyond it is as good as its largest.
pub fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
