//! What one task writes for a deal: entries that share an append, or a group.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::app::App;
use crate::app::Error;
use crate::app::ingest::entry::Entry;
use crate::app::ingest::intake::Refused;
use crate::app::write::Written;
use crate::store::DealKey;
use crate::store::EVENTS_MAX;

/// What is to be written for a deal; the place of each entry is that of its slot in the stream.
pub enum Job {
    One(u64, Entry),
    Group {
        places: Vec<u64>,
        entries: Vec<Entry>,
        begun: u64,
        committed: u64,
    },
}

/// What a task has written.
pub struct Done {
    pub deal: DealKey,
    pub outcomes: Vec<(u64, Result<Written, Refused>)>,
}

/// The entry with those behind it that fit one append.
pub fn together(place: u64, entry: Entry, waiting: &mut VecDeque<Job>) -> (Vec<u64>, Vec<Entry>) {
    let mut events = entry.events_max();
    let mut places = vec![place];
    let mut entries = vec![entry];
    while let Some(Job::One(_, next)) = waiting.front() {
        events += next.events_max();
        if EVENTS_MAX < events {
            break;
        }
        if let Some(Job::One(place, entry)) = waiting.pop_front() {
            places.push(place);
            entries.push(entry);
        }
    }
    (places, entries)
}

pub async fn write_group(
    app: &Arc<App>,
    deal: &DealKey,
    (begun, committed): (u64, u64),
    places: &[u64],
    tags: &[Box<str>],
    entries: &[Entry],
) -> Vec<(u64, Result<Written, Refused>)> {
    let both = [begun, committed];
    match app.write_together(deal, entries).await {
        Ok(written) => {
            let after = written.last().copied().unwrap_or(Written {
                revision: 0,
                already: true,
            });
            let already = written.iter().all(|written| written.already);
            let whole = Written { already, ..after };
            let each = places.iter().copied().zip(written);
            each.chain(both.map(|place| (place, whole)))
                .map(|(place, written)| (place, Ok(written)))
                .collect()
        }
        Err((at, error)) => {
            // A store that refuses has nothing against an item: then it is the commit that failed.
            let of_store = matches!(error, Error::Store(_));
            let culprit = if of_store { committed } else { places[at] };
            let because = match of_store {
                true => "commit_group".into(),
                false => tags[at].clone(),
            };
            let others = both
                .into_iter()
                .chain(places.iter().copied())
                .filter(|place| *place != culprit)
                .map(|place| {
                    let because = because.clone();
                    (place, Err(Refused::WithGroup { because }))
                });
            let mut outcomes: Vec<_> = others.collect();
            outcomes.push((culprit, Err(Refused::Decided(error))));
            outcomes
        }
    }
}
