//! Whether two stores hold the same: each change, each event, and the score that they make.

use crate::app::rebuild::apply;
use crate::domain::deal::Deal;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::score;
use crate::domain::time::Instant;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Span;
use crate::store::Store;

/// Changes that are compared at once, and events of one deal.
const PAGE: usize = 512;

/// Deals that are read at once, and how many events of each at first: no more than a page in all.
const DEALS_AT_ONCE: usize = 16;
const EVENTS_FIRST: usize = PAGE / DEALS_AT_ONCE;

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
        // Each deal once, as of its first change, as far as the copy has it.
        let begun = page.iter().filter(|change| change.revision_before() == 0);
        let begun: Vec<&DealKey> = begun.map(|change| &change.deal).collect();
        for lot in begun.chunks(DEALS_AT_ONCE) {
            if let Some(difference) = deals(one, other, lot, model, now).await? {
                return Ok(Some(difference));
            }
            lot.iter().for_each(|_| compared());
        }
        after = page.last().map_or(last, |change| change.sequence);
    }
    Ok(None)
}

/// What differs of some deals, up to the revisions at which `other` has them.
async fn deals(
    one: &dyn Store,
    other: &dyn Store,
    keys: &[&DealKey],
    model: &Model,
    now: Instant,
) -> Result<Option<String>, Error> {
    let span = |deal: &DealKey, events_max| Span {
        deal: deal.clone(),
        after: 0,
        events_max,
    };
    let spans: Vec<Span> = keys.iter().map(|deal| span(deal, EVENTS_FIRST)).collect();
    let copies = other.events_of(&spans).await?;
    let spans = keys.iter().zip(&copies);
    let spans: Vec<Span> = spans.map(|(deal, copy)| span(deal, copy.len())).collect();
    let originals = one.events_of(&spans).await?;

    for (key, (mut original, mut copy)) in keys.iter().zip(originals.into_iter().zip(copies)) {
        let place = format!("{}/{}", key.tenant, key.deal);
        let (mut first, mut second) = (Deal::default(), Deal::default());
        let mut wanted = EVENTS_FIRST;
        loop {
            let after = second.revision();
            if original != copy {
                let from = after + 1;
                return Ok(Some(format!("{place}: the events from {from} on differ")));
            }
            apply(&mut first, key, &original)?;
            apply(&mut second, key, &copy)?;
            if copy.len() < wanted {
                break;
            }
            wanted = PAGE;
            copy = other.events(key, second.revision(), PAGE).await?;
            original = one.events(key, first.revision(), copy.len()).await?;
        }
        let points = |deal: &Deal| {
            let as_of = deal.closed_at().unwrap_or(now);
            score::tally(&Moment::of(deal, model, as_of)).score
        };
        let (first, second) = (points(&first), points(&second));
        if first.to_bits() != second.to_bits() {
            return Ok(Some(format!("{place}: the score is {second}, not {first}")));
        }
    }
    Ok(None)
}
