//! What a midnight makes of the deals: those that moved although nobody wrote.
//!
//! A sweep is a function of what was recorded before its midnight. It keeps nothing: each deal is judged at that midnight
//! and at the one before, or at its last change if that is later.

use std::sync::Arc;

use crate::app::App;
use crate::app::deals::SharedDeal;
use crate::app::watch::course::Place;
use crate::app::watch::course::Swept;
use crate::app::watch::moved::Cause;
use crate::app::watch::moved::Moved;
use crate::app::watch::moved::Standing;
use crate::app::watch::moved::crosses;
use crate::domain::deal::Deal;
use crate::domain::time::Date;
use crate::domain::time::Span;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Revision;

/// A deal is told when its score crosses a multiple of this by time alone. A difference of one day would never tell a
/// slow fade; a multiple crossed tells it each time it has come to about so much.
const STEP_POINTS: f64 = 1.0;

/// The deal as it was known at midnight; `None` when nothing was.
pub async fn known(app: &App, key: &DealKey, day: Date) -> Result<Option<Arc<SharedDeal>>, Error> {
    let midnight = day.start();
    let shared = app.deals.load(key).await?;
    let recorded_at = shared.read().deal.recorded_at();
    let known = match recorded_at {
        // Nothing was recorded since, as of most deals.
        Some(recorded_at) if recorded_at < midnight => shared,
        _ => match app
            .known_at(key, midnight.just_before(), Revision::MAX)
            .await
        {
            Ok(known) => known,
            Err(crate::app::Error::Store(error)) => return Err(error),
            Err(_) => return Ok(None),
        },
    };
    let is_known = 0 < known.read().deal.revision();
    Ok(is_known.then_some(known))
}

/// What the day's midnight made of the deal, if that is worth telling.
pub fn judge(app: &App, key: &DealKey, deal: &Deal, sequence: u64, day: Date) -> Option<Moved> {
    let midnight = day.start();
    if deal.closed_at().is_some() {
        return None;
    }
    let yesterday = midnight.minus(Span::days(1))?;
    let since = deal
        .recorded_at()
        .map_or(yesterday, |last| last.max(yesterday));
    let before = Standing::of(deal, &app.model, since);
    let after = Standing::of(deal, &app.model, midnight);
    let moved = crosses(before.score, after.score, STEP_POINTS)
        || before.band != after.band
        || before.state != after.state;
    let owner = deal.owner.value_at(midnight).cloned();
    moved.then(|| Moved {
        place: Place {
            sequence,
            day,
            swept: Swept::UpTo(key.deal.clone()),
        },
        deal_id: key.deal.clone(),
        revision: deal.revision(),
        at: midnight,
        cause: Cause::Time(day),
        before: Some(before),
        after,
        name: deal.name.value_at(midnight).cloned(),
        account: deal.account.value_at(midnight).cloned(),
        owner_before: owner.clone(),
        owner,
    })
}
