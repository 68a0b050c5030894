//! Makes the projections of all deals anew from their events.

use std::collections::BTreeSet;

use crate::app::projection::projection_of;
use crate::domain::deal::Deal;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Store;
use crate::store::StoredEvent;
use crate::wire;

/// Changes, deals and events that are read at once.
const PAGE: usize = 512;

/// Folds every deal from its first event on and keeps its projection. Answers how many deals there are.
///
/// A projection that the store drops because too many wait is made when its deal is asked for.
///
/// # Errors
///
/// Those of the store's reads; [`Error::Corrupt`] when an event does not read.
pub async fn rebuild(store: &dyn Store) -> Result<u64, Error> {
    let mut deals = 0;
    for tenant in tenants(store).await? {
        let mut after: Option<Box<str>> = None;
        loop {
            let page = store.deals(&tenant, after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = Some(last.deal.clone());
            for (key, _) in &page {
                let deal = fold(store, key).await?;
                store.keep_projection(key, projection_of(&deal));
                deals += 1;
            }
        }
    }
    Ok(deals)
}

/// All tenants that ever wrote.
async fn tenants(store: &dyn Store) -> Result<BTreeSet<Box<str>>, Error> {
    let mut tenants = BTreeSet::new();
    let mut after = 0;
    loop {
        let page = store.changes(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(tenants);
        };
        after = last.sequence;
        tenants.extend(page.into_iter().map(|change| change.deal.tenant));
    }
}

/// The deal folded from its first event on.
async fn fold(store: &dyn Store, key: &DealKey) -> Result<Deal, Error> {
    let mut deal = Deal::default();
    loop {
        let page = store.events(key, deal.revision(), PAGE).await?;
        if page.is_empty() {
            return Ok(deal);
        }
        apply(&mut deal, key, &page)?;
    }
}

/// Takes the next events into the deal.
pub(super) fn apply(deal: &mut Deal, key: &DealKey, page: &[StoredEvent]) -> Result<(), Error> {
    for stored in page {
        let event = wire::event::decode(&stored.bytes).map_err(|problem| Error::Corrupt {
            place: format!("{}/{}@{}", key.tenant, key.deal, stored.revision),
            problem,
        })?;
        deal.apply(&event);
    }
    Ok(())
}
