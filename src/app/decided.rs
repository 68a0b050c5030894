//! What a write comes to, once the domain has decided: events to append, or nothing new.

use crate::app::App;
use crate::app::Error;
use crate::app::Written;
use crate::app::error::expect;
use crate::app::error::refused;
use crate::domain::deal::Deal;
use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::store::DealKey;

/// What the domain makes of a deal: the facts to record, none when they were there before.
pub(super) type Decide = dyn Fn(&Deal) -> Result<Vec<Fact>, Refusal> + Send + Sync;

/// What a write comes to.
pub(super) enum Decided {
    Append(Drafted),
    /// It was there before.
    Already(Written),
}

/// Events to append, and how the deal stands before them.
pub(super) struct Drafted {
    pub events: Vec<Event>,
    pub before: u64,
    pub score_before: f64,
}

impl App {
    /// What a write comes to where the deal is as given, before anything is appended.
    pub(super) fn decided(
        &self,
        key: &DealKey,
        expected: Option<u64>,
        decide: &Decide,
        deal: &Deal,
    ) -> Result<Decided, Error> {
        let _deciding = tracing::debug_span!("decide").entered();
        let facts = decide(deal).map_err(|refusal| refused(key, refusal))?;
        if facts.is_empty() {
            return Ok(Decided::Already(Written {
                revision: deal.revision(),
                already: true,
            }));
        }
        expect(expected, deal.revision())?;
        Ok(Decided::Append(Drafted {
            events: self.events(deal, facts),
            before: deal.revision(),
            score_before: self.points(deal),
        }))
    }
}
