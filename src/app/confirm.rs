//! A person's judgement in place of a statement's claims.

use std::sync::Arc;

use crate::app::App;
use crate::app::Error;
use crate::app::Query;
use crate::app::Scored;
use crate::app::Written;
use crate::domain::deal::Deal;
use crate::domain::decide;
use crate::domain::facts::Confirmation;
use crate::domain::statement::Statement;
use crate::domain::text::Id;
use crate::store::DealKey;
use crate::store::Revision;

/// A statement with its claims confirmed, and what that did.
pub struct Confirmed {
    /// With the claims as they are now.
    pub statement: Statement,
    /// Nothing was recorded: exactly this was the last confirmation.
    pub already: bool,
    pub score: Scored,
    /// `None` when they were confirmed before.
    pub score_before: Option<f64>,
    pub revision: Revision,
}

impl App {
    /// Keeps a confirmation, durably and once, and answers with the new score.
    pub async fn confirm_claims(
        self: &Arc<Self>,
        deal: DealKey,
        confirmation: Confirmation,
        expected_revision: Option<u64>,
    ) -> Result<Confirmed, Error> {
        self.seen(&Query::now(deal.clone())).await?;
        let id = confirmation.statement.clone();
        let decide = move |deal: &Deal| decide::confirm(deal, confirmation.clone());
        let write = self.write(&deal, expected_revision, Box::new(decide));
        let (written, score_before) = write.await?;

        let confirmed = self.confirmed(deal, id, written, score_before).await;
        confirmed.map_err(Error::behind_a_write)
    }

    /// The answer to a confirmation that is there.
    async fn confirmed(
        &self,
        deal: DealKey,
        id: Id,
        written: Written,
        score_before: f64,
    ) -> Result<Confirmed, Error> {
        let shared = self.deals.load(&deal).await?;
        let kept = shared.read().deal.statement(&id);
        let Some(kept) = kept else {
            return Err(Error::StatementNotFound {
                deal: deal.deal,
                statement: id,
            });
        };
        let statement = self.deals.statement(&deal, kept.revision).await?;
        let statement = self.as_judged(&deal, statement).await?;
        let query = Query {
            as_of: self.if_ahead(&statement),
            ..Query::now(deal)
        };
        let score = self.score(query).await?;
        Ok(Confirmed {
            statement,
            already: written.already,
            revision: score.revision,
            score,
            score_before: (!written.already).then_some(score_before),
        })
    }

    /// The statement with the claims that a person has put in place of those it came with, if anybody has.
    pub(super) async fn as_judged(
        &self,
        deal: &DealKey,
        mut statement: Statement,
    ) -> Result<Statement, Error> {
        let shared = self.deals.load(deal).await?;
        if let Some(confirmation) = shared.read().deal.confirmation(&statement.id) {
            statement.claims = confirmation.claims().to_vec();
        }
        Ok(statement)
    }
}
