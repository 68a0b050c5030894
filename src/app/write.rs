//! The writes: load the deal, let the domain decide, append durably, derive the new score.

use std::sync::Arc;

use crate::app::App;
use crate::app::Error;
use crate::app::Query;
use crate::app::Read;
use crate::app::Scored;
use crate::app::aside::ToTheEnd;
use crate::app::deals::Folded;
use crate::app::deals::SharedDeal;
use crate::app::decided::Decide;
use crate::app::decided::Decided;
use crate::app::decided::Drafted;
use crate::app::error::expect;
use crate::app::error::refused;
use crate::app::projection;
use crate::domain::deal::Deal;
use crate::domain::decide;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::moment::Moment;
use crate::domain::score;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::Statement;
use crate::domain::time::Instant;
use crate::store;
use crate::store::DealKey;
use crate::wire;

/// A statement to record.
#[derive(Clone, Debug)]
pub struct Recording {
    pub deal: DealKey,
    /// Without claims: they are read from its quote.
    pub statement: Statement,
    /// `statement.said_at` is the service's own now, since the caller gave none: a retry may differ in it.
    pub said_at_defaulted: bool,
    pub expected_revision: Option<u64>,
    pub validate_only: bool,
}

/// A recorded statement and what it did.
pub struct Recorded {
    /// As kept, with the claims as they are now.
    pub statement: Statement,
    pub already: bool,
    pub score: Scored,
    /// `None` when it was there before.
    pub score_before: Option<f64>,
    pub revision: u64,
    /// By whom its quote was read, if it was read now.
    pub read: Option<Read>,
}

/// What became of a write of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub revision: u64,
    /// Nothing was recorded: it was there before.
    pub already: bool,
}

/// How often a write starts anew because another replica was first.
pub(super) const CONFLICTS_MAX: usize = 16;

impl App {
    /// Keeps a statement, durably and once, and answers with the new score.
    pub async fn record(self: &Arc<Self>, recording: Recording) -> Result<Recorded, Error> {
        let shared = self.deals.load(&recording.deal).await?;
        if recording.validate_only && self.store.is_shared() {
            // Nothing is appended that would find out by itself.
            self.deals.bring_forward(&recording.deal, &shared).await?;
        }
        let kept = shared.read().deal.statement(&recording.statement.id);
        if let Some(kept) = kept {
            return self.recorded_before(recording, kept.revision).await;
        }
        let (statement, read) = self.with_claims(&recording.statement).await;
        if recording.validate_only {
            return self.rehearse(recording, statement, read, &shared).await;
        }

        let heard = statement.clone();
        let decide = Box::new(move |deal: &Deal| match deal.statement(&heard.id) {
            // A twin of this call was first.
            Some(_) => Ok(Vec::new()),
            None => decide::hear(deal, heard.clone()),
        });
        let expected = recording.expected_revision;
        let (written, score_before) = self.write(&recording.deal, expected, decide).await?;

        if written.already {
            let shared = self.deals.load(&recording.deal).await?;
            let kept = shared.read().deal.statement(&recording.statement.id);
            let revision = kept.map_or(written.revision, |kept| kept.revision);
            return self.recorded_before(recording, revision).await;
        }
        let query = Query {
            as_of: self.if_ahead(&statement),
            ..Query::now(recording.deal)
        };
        let score = self.score(query).await.map_err(Error::behind_a_write)?;
        Ok(Recorded {
            statement,
            already: false,
            revision: score.revision,
            score,
            score_before: Some(score_before),
            read,
        })
    }

    pub async fn upsert_deal(
        self: &Arc<Self>,
        deal: &DealKey,
        facts: DealFacts,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        let decide = move |deal: &Deal| decide::learn_deal(deal, facts.clone());
        self.write_facts(deal, expected_revision, Box::new(decide))
            .await
    }

    pub async fn upsert_stakeholders(
        self: &Arc<Self>,
        deal: &DealKey,
        facts: Vec<StakeholderFacts>,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        let decide = move |deal: &Deal| decide::learn_people(deal, facts.clone());
        self.write_facts(deal, expected_revision, Box::new(decide))
            .await
    }

    pub async fn upsert_milestones(
        self: &Arc<Self>,
        deal: &DealKey,
        facts: Vec<MilestoneFacts>,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        let decide = move |deal: &Deal| decide::learn_plan(deal, facts.clone());
        self.write_facts(deal, expected_revision, Box::new(decide))
            .await
    }

    pub async fn record_outcome(
        self: &Arc<Self>,
        deal: &DealKey,
        ending: Ending,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        let decide = move |deal: &Deal| decide::close(deal, ending.clone());
        self.write_facts(deal, expected_revision, Box::new(decide))
            .await
    }

    pub async fn retract_statement(
        self: &Arc<Self>,
        deal: &DealKey,
        retraction: Retraction,
        expected_revision: Option<u64>,
    ) -> Result<Written, Error> {
        self.seen(&Query::now(deal.clone())).await?;
        let decide = move |deal: &Deal| decide::take_back(deal, retraction.clone());
        self.write_facts(deal, expected_revision, Box::new(decide))
            .await
    }

    async fn write_facts(
        self: &Arc<Self>,
        key: &DealKey,
        expected: Option<u64>,
        decide: Box<Decide>,
    ) -> Result<Written, Error> {
        let (written, _) = self.write(key, expected, decide).await?;
        Ok(written)
    }

    /// Answers a statement that is there already: as the first time, or with what differs.
    async fn recorded_before(
        &self,
        recording: Recording,
        revision: u64,
    ) -> Result<Recorded, Error> {
        let kept = self.deals.statement(&recording.deal, revision).await?;
        let differs = decide::differs(&kept, &recording.statement, recording.said_at_defaulted);
        if !differs.is_empty() {
            return Err(Error::StatementDiffers {
                statement: kept.id,
                differs,
            });
        }
        // No caller can name a revision here, so it is answered with all that any process acknowledged.
        let shared = self.seen_now(&Query::now(recording.deal.clone())).await?;
        let kept = self.as_judged(&recording.deal, kept).await?;
        let as_of = self.if_ahead(&kept);
        let score = self.scored(&recording.deal, &shared, as_of).await?;
        Ok(Recorded {
            statement: kept,
            already: true,
            revision: score.revision,
            score,
            score_before: None,
            read: None,
        })
    }

    /// Does all that recording does but the recording.
    async fn rehearse(
        &self,
        recording: Recording,
        statement: Statement,
        read: Option<Read>,
        shared: &SharedDeal,
    ) -> Result<Recorded, Error> {
        let (mut deal, words) = {
            let folded = shared.read();
            (folded.deal.clone(), folded.words.clone())
        };
        let key = recording.deal;
        let revision = deal.revision();
        let facts =
            decide::hear(&deal, statement.clone()).map_err(|refusal| refused(&key, refusal))?;
        expect(recording.expected_revision, revision)?;
        let score_before = self.points(&deal);
        let events = self.events(&deal, facts);
        for event in &events {
            deal.apply(event);
        }
        let folded = SharedDeal::new(Folded {
            deal,
            words,
            projected: 0,
        });
        let as_of = self.if_ahead(&statement);
        folded.write().words.insert(revision + 1, &statement);
        Ok(Recorded {
            statement,
            already: false,
            score: self.scored(&key, &folded, as_of).await?,
            score_before: Some(score_before),
            revision,
            read,
        })
    }

    /// Loads, decides, appends, applies. Answers also the points before.
    ///
    /// Goes on to its end when the caller does not wait: an event that became durable is never missing from the deal in
    /// memory.
    pub(super) async fn write(
        self: &Arc<Self>,
        key: &DealKey,
        expected: Option<u64>,
        decide: Box<Decide>,
    ) -> Result<(Written, f64), Error> {
        let app = Arc::clone(self);
        let key = key.clone();
        ToTheEnd::new(async move { app.write_in_turn(&key, expected, &*decide).await }).await
    }

    async fn write_in_turn(
        self: &Arc<Self>,
        key: &DealKey,
        expected: Option<u64>,
        decide: &Decide,
    ) -> Result<(Written, f64), Error> {
        let _turn = self.turns.take(key).await;
        let _unsettled = self.unsettled.read().await;
        let mut conflicts = 0;
        // An append finds out by itself that another process was first; whatever ends without one has to ask.
        let mut is_sure = !self.store.is_shared();
        loop {
            let shared = self.deals.load(key).await?;
            let decided = self.decided(key, expected, decide, &shared.read().deal);
            let drafted = match decided {
                Ok(Decided::Append(drafted)) => drafted,
                Ok(Decided::Already(_)) | Err(_) if !is_sure => {
                    self.deals.bring_forward(key, &shared).await?;
                    is_sure = true;
                    continue;
                }
                Ok(Decided::Already(written)) => return Ok((written, 0.0)),
                Err(error) => return Err(error),
            };

            let Drafted {
                events,
                before,
                score_before,
            } = drafted;
            let bytes = events.iter().map(wire::event::encode).collect();
            match self.append(key, before, bytes).await {
                Ok(revision) => {
                    self.apply(key, shared, events);
                    let written = Written {
                        revision,
                        already: false,
                    };
                    return Ok((written, score_before));
                }
                Err(store::Error::Conflict { .. }) if conflicts < CONFLICTS_MAX => {
                    self.deals.forget(key);
                    conflicts += 1;
                }
                Err(error) => {
                    // What the store has now is not known here.
                    self.deals.forget(key);
                    return Err(error.into());
                }
            }
        }
    }

    pub(super) fn apply(
        self: &Arc<Self>,
        key: &DealKey,
        shared: Arc<SharedDeal>,
        events: Vec<Event>,
    ) {
        let is_due = {
            let mut folded = shared.write();
            for event in events {
                folded.take(event);
            }
            let revision = folded.deal.revision();
            let is_due = projection::is_due(folded.projected, revision);
            if is_due {
                folded.projected = revision;
            }
            is_due
        };
        self.portfolio.take(key, &shared.read().deal);
        self.deals.put_back(key, Arc::clone(&shared));
        self.feeds.changed();
        self.project(key, &shared, is_due);
    }

    /// The facts as the deal's next events.
    pub(super) fn events(&self, deal: &Deal, facts: Vec<Fact>) -> Vec<Event> {
        // The clock may be set back; a deal's record does not run backwards.
        let recorded_at = deal
            .recorded_at()
            .map_or(self.now(), |before| before.max(self.now()));
        facts
            .into_iter()
            .zip(deal.revision() + 1..)
            .map(|(fact, revision)| Event {
                revision,
                recorded_at,
                fact,
            })
            .collect()
    }

    /// When the statement was said, if that is ahead of our clock: a caller whose clock is a little fast still gets the
    /// score with their statement in it.
    pub(super) fn if_ahead(&self, statement: &Statement) -> Option<Instant> {
        (self.now() < statement.said_at).then_some(statement.said_at)
    }

    /// The score alone, as of now.
    pub(super) fn points(&self, deal: &Deal) -> f64 {
        let as_of = deal.closed_at().unwrap_or(self.now());
        score::tally(&Moment::of(deal, &self.model, as_of)).score
    }
}
