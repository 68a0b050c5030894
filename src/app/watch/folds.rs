//! Deals as they were at the revision of a change, whatever was recorded since: so that a change is judged alike
//! whenever it is looked at.
//!
//! Going forward, each deal is folded once and then brought on event by event.

use std::collections::HashMap;

use crate::app::App;
use crate::app::deals::PAGE_EVENTS;
use crate::app::projection;
use crate::app::watch::course::Place;
use crate::app::watch::moved::Cause;
use crate::app::watch::moved::Kind;
use crate::app::watch::moved::Moved;
use crate::app::watch::moved::Standing;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::time::Instant;
use crate::store::Change;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Revision;

/// Events folded in the deals that are kept; beyond it all are forgotten and folded again as needed. About 200 bytes each.
const EVENTS_MAX: u64 = 64_000;

/// Deals kept, whatever their length.
const DEALS_MAX: usize = 8_000;

/// The deals that changes were about lately.
#[derive(Default)]
pub struct Folds {
    deals: HashMap<DealKey, Deal>,
    events: u64,
}

/// A change about to be judged: the deal before it, and what was recorded.
pub struct Opened {
    key: DealKey,
    deal: Deal,
    events: Vec<Event>,
}

impl Folds {
    /// Reads the events of a change, and the deal as it was before them.
    pub async fn open(&mut self, app: &App, change: &Change) -> Result<Opened, Error> {
        let before = change.revision - Revision::from(change.events);
        let mut deal = match self.forget(&change.deal) {
            Some(deal) if deal.revision() <= before => deal,
            _ => projected(app, &change.deal, before).await?,
        };
        while deal.revision() < before {
            let after = deal.revision();
            let wanted = (before - after).min(PAGE_EVENTS as u64) as usize;
            for event in read(app, &change.deal, after, wanted).await? {
                deal.apply(&event);
            }
        }
        let events = read(app, &change.deal, before, change.events as usize).await?;
        Ok(Opened {
            key: change.deal.clone(),
            deal,
            events,
        })
    }

    /// Keeps a deal for its next change.
    pub fn keep(&mut self, opened: Opened) {
        if EVENTS_MAX < self.events || DEALS_MAX < self.deals.len() {
            self.deals.clear();
            self.events = 0;
        }
        self.events += opened.deal.revision();
        self.deals.insert(opened.key, opened.deal);
    }

    fn forget(&mut self, key: &DealKey) -> Option<Deal> {
        let deal = self.deals.remove(key)?;
        self.events -= deal.revision();
        Some(deal)
    }
}

impl Opened {
    /// When the change was recorded.
    pub fn recorded_at(&self) -> Instant {
        let last = self.events.last();
        last.map_or(Instant::MIN, |event| event.recorded_at)
    }

    /// Takes the events in, and tells what they did.
    ///
    /// Both scores are as of the same moment: that of recording, or of what is dated ahead of it, as a caller whose clock is a
    /// little fast is answered.
    pub fn judge(&mut self, app: &App, place: Place) -> Moved {
        let recorded_at = self.recorded_at();
        let as_of = self
            .events
            .iter()
            .map(Event::effective_at)
            .fold(recorded_at, Instant::max);
        let is_known = 0 < self.deal.revision();
        let before = is_known.then(|| Standing::of(&self.deal, &app.model, as_of));
        let owner_before = self.deal.owner.value_at(as_of).cloned();

        let mut kinds = Vec::new();
        for event in &self.events {
            self.deal.apply(event);
            let kind = Kind::of(&event.fact);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Moved {
            place,
            deal_id: self.key.deal.clone(),
            revision: self.deal.revision(),
            at: recorded_at,
            cause: Cause::Event(kinds),
            before,
            after: Standing::of(&self.deal, &app.model, as_of),
            name: self.deal.name.value_at(as_of).cloned(),
            account: self.deal.account.value_at(as_of).cloned(),
            owner: self.deal.owner.value_at(as_of).cloned(),
            owner_before,
        }
    }
}

/// The deal as its projection has it, unless that is already past `revision`.
async fn projected(app: &App, key: &DealKey, revision: Revision) -> Result<Deal, Error> {
    let folded = projection::load(app.store.as_ref(), key).await?;
    match folded.deal.revision() <= revision {
        true => Ok(folded.deal),
        false => Ok(Deal::default()),
    }
}

/// Exactly `count` events; a change that was told of has them.
async fn read(
    app: &App,
    key: &DealKey,
    after: Revision,
    count: usize,
) -> Result<Vec<Event>, Error> {
    let events = app.deals.events(key, after, count).await?;
    if events.len() < count {
        return Err(Error::Corrupt {
            place: crate::app::deals::place(key, after + events.len() as Revision + 1),
            problem: "a change was told of an event that is not there".into(),
        });
    }
    Ok(events)
}
