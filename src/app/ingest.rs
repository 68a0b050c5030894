//! Writes by the stream: several of one deal are decided one after another and appended at once, without a score for each.
//!
//! The decisions are those of the single calls, in `domain/decide.rs`; what differs is how many share an append. The files:
//! `entry` (one write), `intake` (one stream: order, window, groups), `job` (what one
//! task writes).

mod entry;
mod intake;
mod job;

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::Error;
use crate::app::deals::SharedDeal;
pub use crate::app::ingest::entry::Entry;
pub use crate::app::ingest::entry::What;
pub use crate::app::ingest::intake::Answer;
pub use crate::app::ingest::intake::Intake;
pub use crate::app::ingest::intake::Item;
pub use crate::app::ingest::intake::Refused;
pub use crate::app::ingest::intake::Step;
pub use crate::app::ingest::intake::WINDOW_ALONE;
pub use crate::app::ingest::intake::WINDOW_SHARED;
use crate::app::write::CONFLICTS_MAX;
use crate::app::write::Written;
use crate::domain::deal::Deal;
use crate::domain::decide;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::statement::Statement;
use crate::store;
use crate::store::DealKey;
use crate::store::Revision;
use crate::wire;

/// How often a full queue is waited for: some five seconds in all.
const BUSY_MAX: u32 = 200;

/// How long each time, at least and at most. At random in between, since those who come back together meet a full queue
/// together.
const BUSY_MS_MIN: u64 = 15;
const BUSY_MS_MAX: u64 = 35;

/// Whether what is wrong with one entry concerns the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Each,
    Together,
}

/// What became of each entry, in their order.
type Outcomes = Vec<Result<Written, Error>>;

/// Entries as a deal takes them.
struct Draft {
    events: Vec<Event>,
    outcomes: Outcomes,
}

impl App {
    /// Writes entries of one deal in their order, each for itself.
    pub(super) async fn write_each(self: &Arc<Self>, key: &DealKey, entries: &[Entry]) -> Outcomes {
        match self.write_entries(key, entries, Bound::Each).await {
            Ok(outcomes) => outcomes,
            Err(error) => entries.iter().map(|_| Err(error.clone().into())).collect(),
        }
    }

    /// Writes entries of one deal at once or not at all; names the place of the one that is refused.
    pub(super) async fn write_together(
        self: &Arc<Self>,
        key: &DealKey,
        entries: &[Entry],
    ) -> Result<Vec<Written>, (usize, Error)> {
        let outcomes = self
            .write_entries(key, entries, Bound::Together)
            .await
            .map_err(|error| (0, error.into()))?;
        outcomes
            .into_iter()
            .enumerate()
            .map(|(place, outcome)| outcome.map_err(|error| (place, error)))
            .collect()
    }

    async fn write_entries(
        self: &Arc<Self>,
        key: &DealKey,
        entries: &[Entry],
        bound: Bound,
    ) -> Result<Outcomes, store::Error> {
        let read = self.read_claims_of(key, entries).await?;
        let entries = read.as_deref().unwrap_or(entries);
        let mut conflicts = 0;
        let mut busy = 0;
        loop {
            match self.write_entries_once(key, entries, bound).await {
                Err(store::Error::Conflict { .. }) if conflicts < CONFLICTS_MAX => conflicts += 1,
                Err(store::Error::Busy { .. }) if busy < BUSY_MAX => {
                    let spread = BUSY_MS_MAX - BUSY_MS_MIN;
                    let more = RandomState::new().hash_one(busy) % spread;
                    tokio::time::sleep(Duration::from_millis(BUSY_MS_MIN + more)).await;
                    busy += 1;
                }
                outcomes => return outcomes,
            }
        }
    }

    /// The entries with the claims of statements that come without any, read before the deal's turn is taken; `None` when
    /// there is nothing to read.
    async fn read_claims_of(
        &self,
        key: &DealKey,
        entries: &[Entry],
    ) -> Result<Option<Vec<Entry>>, store::Error> {
        let is_bare = |entry: &Entry| match &entry.what {
            What::Statement { statement, .. } => statement.claims.is_empty(),
            _ => false,
        };
        if !entries.iter().any(is_bare) {
            return Ok(None);
        }
        let shared = self.deals.load(key).await?;
        let mut read = entries.to_vec();
        for entry in &mut read {
            let What::Statement { statement, .. } = &mut entry.what else {
                continue;
            };
            // What was read of it when it was kept holds.
            let is_kept = shared.read().deal.statement(&statement.id).is_some();
            if !is_kept {
                **statement = self.with_claims(statement).await.0;
            }
        }
        Ok(Some(read))
    }

    async fn write_entries_once(
        self: &Arc<Self>,
        key: &DealKey,
        entries: &[Entry],
        bound: Bound,
    ) -> Result<Outcomes, store::Error> {
        let _turn = self.turns.take(key).await;
        let _unsettled = self.unsettled.read().await;
        let shared = self.deals.load(key).await?;

        let mut draft = self.draft(key, &shared, entries).await?;
        // Another process may have done what makes an entry fit, or what it would do.
        let is_settled =
            |outcome: &Result<Written, Error>| !matches!(outcome, Ok(written) if !written.already);
        if self.store.is_shared() && draft.outcomes.iter().any(is_settled) {
            self.deals.bring_forward(key, &shared).await?;
            draft = self.draft(key, &shared, entries).await?;
        }
        let refused = draft.outcomes.iter().any(Result::is_err);
        if draft.events.is_empty() || (bound == Bound::Together && refused) {
            return Ok(draft.outcomes);
        }

        let before = draft.events[0].revision - 1;
        let bytes = draft.events.iter().map(wire::event::encode).collect();
        if let Err(error) = self.append(key, before, bytes).await {
            // What the store has now is not known here.
            self.deals.forget(key);
            return Err(error);
        }
        self.apply(key, shared, draft.events);
        Ok(draft.outcomes)
    }

    /// Lets the deal decide on one entry after another, each behind what the ones before it did.
    async fn draft(
        &self,
        key: &DealKey,
        shared: &SharedDeal,
        entries: &[Entry],
    ) -> Result<Draft, store::Error> {
        let mut draft = Draft {
            events: Vec::new(),
            outcomes: Vec::with_capacity(entries.len()),
        };
        // A copy only once there is an entry behind one that did something: most come alone.
        let mut ahead: Option<Deal> = None;
        for (place, entry) in entries.iter().enumerate() {
            let decided = match &ahead {
                Some(deal) => self.decide(key, deal, entry),
                None => self.decide(key, &shared.read().deal, entry),
            };
            let outcome = match decided {
                Ok((events, written)) => {
                    if !events.is_empty() && place + 1 < entries.len() {
                        let deal = ahead.get_or_insert_with(|| shared.read().deal.clone());
                        events.iter().for_each(|event| deal.apply(event));
                    }
                    draft.events.extend(events);
                    Ok(written)
                }
                Err(error) => Err(error),
            };
            let outcome = match outcome {
                Ok(written) if written.already => self
                    .held_against_kept(key, shared, &draft.events, entry)
                    .await?
                    .map(|()| written),
                outcome => outcome,
            };
            draft.outcomes.push(outcome);
        }
        Ok(draft)
    }

    /// The events that an entry makes, none when it was there before.
    fn decide(
        &self,
        key: &DealKey,
        deal: &Deal,
        entry: &Entry,
    ) -> Result<(Vec<Event>, Written), Error> {
        let facts = entry.decide(key, deal)?;
        let revision = deal.revision();
        if facts.is_empty() {
            let written = Written {
                revision,
                already: true,
            };
            return Ok((Vec::new(), written));
        }
        if let Some(expected) = entry.expected_revision
            && expected != revision
        {
            return Err(Error::RevisionMismatch {
                expected,
                actual: revision,
            });
        }
        let events = self.events(deal, facts);
        let written = Written {
            revision: revision + events.len() as Revision,
            already: false,
        };
        Ok((events, written))
    }

    /// Holds a statement whose id is there already against the one that was kept or is about to be.
    async fn held_against_kept(
        &self,
        key: &DealKey,
        shared: &SharedDeal,
        drafted: &[Event],
        entry: &Entry,
    ) -> Result<Result<(), Error>, store::Error> {
        let What::Statement {
            statement,
            said_at_defaulted,
        } = &entry.what
        else {
            return Ok(Ok(()));
        };
        let twin = drafted.iter().find_map(|event| match &event.fact {
            Fact::Statement(drafted) if drafted.id == statement.id => Some(drafted.clone()),
            _ => None,
        });
        let kept: Option<Statement> = match twin {
            Some(twin) => Some(twin),
            None => {
                let kept = shared.read().deal.statement(&statement.id);
                match kept {
                    Some(kept) => Some(self.deals.statement(key, kept.revision).await?),
                    None => None,
                }
            }
        };
        let differs = kept.map_or_else(Vec::new, |kept| {
            decide::differs(&kept, statement, *said_at_defaulted)
        });
        Ok(match differs.is_empty() {
            true => Ok(()),
            false => Err(Error::StatementDiffers {
                statement: statement.id.clone(),
                differs,
            }),
        })
    }
}
