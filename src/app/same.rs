//! Whether two stores hold the same: each change, each event, and the score that they make.

use crate::app::rebuild::fold;
use crate::domain::deal::Deal;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::score;
use crate::domain::time::Instant;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Revision;
use crate::store::Store;

/// Changes and events that are compared at once.
const PAGE: usize = 512;

/// Compares what `one` held up to change `last` with all that `other` holds; `compared` is told of each deal.
///
/// Answers the first difference, in words.
///
/// # Errors
///
/// Those of the stores' reads.
pub async fn compare(
    one: &dyn Store,
    other: &dyn Store,
    last: u64,
    model: &Model,
    now: Instant,
    mut compared: impl FnMut(),
) -> Result<Option<String>, Error> {
    let newest = other.newest_sequence().await?;
    if newest != last {
        return Ok(Some(format!(
            "{last} changes were copied, {newest} are there"
        )));
    }
    let mut after = 0;
    while after < last {
        let wanted = usize::try_from(last - after).unwrap_or(PAGE).min(PAGE);
        let page = one.changes(after, wanted).await?;
        if page.is_empty() || page != other.changes(after, wanted).await? {
            return Ok(Some(format!("the changes from {} on differ", after + 1)));
        }
        for change in &page {
            // Each deal once, as of its first change, as far as the copy has it.
            if change.revision_before() == 0 {
                if let Some(difference) = deal(one, other, &change.deal, model, now).await? {
                    return Ok(Some(difference));
                }
                compared();
            }
            after = change.sequence;
        }
    }
    Ok(None)
}

/// What differs of a deal, up to the revision at which `other` has it.
async fn deal(
    one: &dyn Store,
    other: &dyn Store,
    key: &DealKey,
    model: &Model,
    now: Instant,
) -> Result<Option<String>, Error> {
    let place = format!("{}/{}", key.tenant, key.deal);
    let mut after: Revision = 0;
    loop {
        let copied = other.events(key, after, PAGE).await?;
        if copied.is_empty() {
            break;
        }
        if one.events(key, after, copied.len()).await? != copied {
            return Ok(Some(format!(
                "{place}: the events from {} on differ",
                after + 1
            )));
        }
        after += copied.len() as Revision;
    }
    let (first, second) = (fold(one, key, after).await?, fold(other, key, after).await?);
    let points = |deal: &Deal| {
        let as_of = deal.closed_at().unwrap_or(now);
        score::tally(&Moment::of(deal, model, as_of)).score
    };
    let (first, second) = (points(&first), points(&second));
    Ok(match first.to_bits() == second.to_bits() {
        true => None,
        false => Some(format!("{place}: the score is {second}, not {first}")),
    })
}
