//! The reads: load the deal, let the domain judge it as of a moment, put the buyer's words to it.

use std::sync::Arc;

use crate::app::App;
use crate::app::Error;
use crate::app::deals::Folded;
use crate::app::deals::PAGE_EVENTS;
use crate::app::deals::SharedDeal;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::facts::Ending;
use crate::domain::loss::StallCause;
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::phrase;
use crate::domain::phrase::Teller;
use crate::domain::phrase::Told;
use crate::domain::phrase::reason;
use crate::domain::scale::Modifier;
use crate::domain::score;
use crate::domain::score::Score;
use crate::domain::stakeholder::Presence;
use crate::domain::stakeholder::Roles;
use crate::domain::stall;
use crate::domain::stall::Stall;
use crate::domain::tactic;
use crate::domain::tactic::Warning;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::words::Words;
use crate::store::DealKey;
use crate::store::Revision;

/// Which deal, and as seen when.
#[derive(Clone, Debug)]
pub struct Query {
    pub deal: DealKey,
    pub as_of: Option<Instant>,
    pub known_at: Option<Instant>,
    pub min_revision: Option<u64>,
}

/// A score with what it takes to tell it.
pub struct Scored {
    pub deal_id: Box<str>,
    pub revision: Revision,
    pub model_version: String,
    pub score: Score,
    /// As [`Score::modifiers`].
    pub reasons: [String; Modifier::ALL.len()],
    /// Those known at the moment; evidence names them by place.
    pub people: Vec<Stakeholder>,
    /// The statements that evidence names by revision.
    pub words: Words,
}

/// An explanation with what it takes to tell it.
pub struct Explained {
    pub deal_id: Box<str>,
    pub revision: Revision,
    pub model_version: String,
    pub as_of: Instant,
    pub stall: Stall,
    pub told: Told,
    pub warnings: Vec<Warning>,
    /// The steps that the warnings name by place.
    pub planned: Vec<String>,
    /// Those known at the moment; evidence names them by place.
    pub people: Vec<Stakeholder>,
    /// The statements that evidence names by revision.
    pub words: Words,
}

/// A person as they were at a moment.
#[derive(Clone, Debug)]
pub struct Stakeholder {
    pub id: Id,
    pub display_name: Option<Name>,
    pub title: Option<Name>,
    pub roles: Roles,
    pub presence: Presence,
}

/// The facts of a deal as they are now.
pub struct DealView {
    pub deal_id: Box<str>,
    pub revision: Revision,
    pub name: Option<Name>,
    pub account: Option<Name>,
    pub owner: Option<Name>,
    pub amount: Option<Money>,
    pub seller_stage: Option<Name>,
    pub close_date: Option<Date>,
    pub people: Vec<Stakeholder>,
    pub milestones: Vec<MilestoneView>,
    pub ending: Option<Ending>,
    /// Kept and not retracted.
    pub statements: usize,
}

/// A step of the buying plan as it is now.
pub struct MilestoneView {
    pub id: Id,
    pub name: Option<Name>,
    pub owner: Option<Id>,
    pub due_date: Option<Date>,
    pub completed_at: Option<Instant>,
}

/// The revisions of statements whose words are needed and not at hand.
struct WordsMissing(Vec<Revision>);

impl Query {
    /// The deal as it is now.
    pub fn now(deal: DealKey) -> Query {
        Query {
            deal,
            as_of: None,
            known_at: None,
            min_revision: None,
        }
    }
}

impl App {
    /// How qualified is this deal, every point accounted for.
    pub async fn score(&self, query: Query) -> Result<Scored, Error> {
        let shared = self.seen(&query).await?;
        self.scored(&query.deal, &shared, query.as_of).await
    }

    /// Why the deal does not move, every lost point given one cause.
    pub async fn explain(&self, query: Query, planned: Vec<String>) -> Result<Explained, Error> {
        let shared = self.seen(&query).await?;
        loop {
            let explained = {
                let folded = shared.read();
                self.explain_folded(&query, &folded, &planned)
            };
            match explained {
                Ok(explained) => return Ok(explained),
                Err(WordsMissing(revisions)) => {
                    let fetching = self.deals.fetch_words(&query.deal, &shared, &revisions);
                    Box::pin(fetching).await?;
                }
            }
        }
    }

    /// The facts, people and plan of a deal as they are now.
    pub async fn deal(&self, key: &DealKey) -> Result<DealView, Error> {
        let shared = self.seen_now(&Query::now(key.clone())).await?;
        let (mut view, closed_by) = {
            let folded = shared.read();
            let ending = folded.deal.endings.at(Instant::MAX);
            let closed_by = ending.map(|entry| entry.order.revision());
            (self.view(key, &folded.deal), closed_by)
        };
        if let Some(revision) = closed_by {
            let event = self.deals.events(key, revision - 1, 1).await?.pop();
            if let Some(Fact::Ending(ending)) = event.map(|event| event.fact) {
                view.ending = Some(ending);
            }
        }
        Ok(view)
    }

    /// Up to `events_max` events after the first `after` ones, oldest first.
    pub async fn history(
        &self,
        key: &DealKey,
        after: Revision,
        events_max: usize,
    ) -> Result<Vec<Event>, Error> {
        let shared = self.seen_now(&Query::now(key.clone())).await?;
        // Not more than a score would show: an event is durable a moment before its writer has put it into the deal.
        let shown = shared.read().deal.revision().saturating_sub(after);
        let events_max = events_max.min(usize::try_from(shown).unwrap_or(usize::MAX));
        Ok(self.deals.events(key, after, events_max).await?)
    }

    /// The deal with all that any process acknowledged before the call: for reads that cannot name a revision, and for
    /// those that go through the history, which is asked for anyway.
    pub(super) async fn seen_now(&self, query: &Query) -> Result<Arc<SharedDeal>, Error> {
        let shared = self.seen(query).await?;
        if self.store.is_shared() {
            self.deals.bring_forward(&query.deal, &shared).await?;
        }
        Ok(shared)
    }

    /// The deal as the query may see it.
    pub(super) async fn seen(&self, query: &Query) -> Result<Arc<SharedDeal>, Error> {
        let shared = self.deals.load(&query.deal).await?;
        let mut actual = shared.read().deal.revision();
        if actual < query.min_revision.unwrap_or(1) && self.store.is_shared() {
            // Another process may have written it. Boxed, since it is rare.
            Box::pin(self.deals.bring_forward(&query.deal, &shared)).await?;
            actual = shared.read().deal.revision();
        }
        if actual == 0 {
            return Err(Error::DealNotFound(query.deal.deal.clone()));
        }
        if let Some(min_revision) = query.min_revision
            && actual < min_revision
        {
            return Err(Error::RevisionAhead {
                min_revision,
                actual,
            });
        }
        match query.known_at {
            None => Ok(shared),
            // Boxed, since it is rare: every call would carry the room for it.
            Some(known_at) => Box::pin(self.seen_then(&query.deal, &shared, known_at)).await,
        }
    }

    /// The deal as it was known then, of what a score shows now.
    async fn seen_then(
        &self,
        key: &DealKey,
        shared: &SharedDeal,
        known_at: Instant,
    ) -> Result<Arc<SharedDeal>, Error> {
        // On every replica alike, or the same question would have two answers.
        if self.store.is_shared() {
            self.deals.bring_forward(key, shared).await?;
        }
        let until = shared.read().deal.revision();
        self.known_at(key, known_at, until).await
    }

    /// The deal folded from what was recorded by then, up to a revision.
    pub(super) async fn known_at(
        &self,
        key: &DealKey,
        known_at: Instant,
        until: Revision,
    ) -> Result<Arc<SharedDeal>, Error> {
        let mut folded = Folded::default();
        'pages: loop {
            let after = folded.deal.revision();
            let events = self.deals.events_until(key, after, until).await?;
            let is_last = events.len() < PAGE_EVENTS;
            for event in events {
                // A later event was recorded no earlier.
                if known_at < event.recorded_at {
                    break 'pages;
                }
                folded.take(event);
            }
            if is_last {
                break;
            }
        }
        Ok(Arc::new(SharedDeal::new(folded)))
    }

    /// Scores a deal, fetching the words that the answer cites.
    pub(super) async fn scored(
        &self,
        key: &DealKey,
        shared: &SharedDeal,
        as_of: Option<Instant>,
    ) -> Result<Scored, Error> {
        loop {
            let scored = {
                let folded = shared.read();
                self.score_folded(key, &folded, as_of)
            };
            match scored {
                Ok(scored) => return Ok(scored),
                Err(WordsMissing(revisions)) => {
                    Box::pin(self.deals.fetch_words(key, shared, &revisions)).await?;
                }
            }
        }
    }

    fn score_folded(
        &self,
        key: &DealKey,
        folded: &Folded,
        as_of: Option<Instant>,
    ) -> Result<Scored, WordsMissing> {
        let _deriving = tracing::debug_span!("derive").entered();
        let moment = Moment::of(&folded.deal, &self.model, self.moment(&folded.deal, as_of));
        let tally = score::tally(&moment);
        let score = score::score_of(&moment, &tally);
        let words = cited(folded, score.citations())?;
        let teller = Teller {
            moment: &moment,
            tally: &tally,
            words: &words,
        };
        let reasons = Modifier::ALL.map(|modifier| reason::of_modifier(&teller, modifier));
        Ok(Scored {
            deal_id: key.deal.clone(),
            revision: folded.deal.revision(),
            model_version: self.model.version.clone(),
            score,
            reasons,
            people: people(&moment),
            words,
        })
    }

    fn explain_folded(
        &self,
        query: &Query,
        folded: &Folded,
        planned: &[String],
    ) -> Result<Explained, WordsMissing> {
        let _deriving = tracing::debug_span!("derive").entered();
        let as_of = self.moment(&folded.deal, query.as_of);
        let moment = Moment::of(&folded.deal, &self.model, as_of);
        let tally = score::tally(&moment);
        let stall = stall::explain(&moment, &tally);
        let words = cited(folded, stall.citations())?;
        let top_cause: Option<StallCause> = stall.causes.first().map(|cause| cause.cause);
        Ok(Explained {
            deal_id: query.deal.deal.clone(),
            revision: folded.deal.revision(),
            model_version: self.model.version.clone(),
            as_of,
            told: phrase::tell(&moment, &tally, &stall, &words),
            warnings: tactic::warnings(planned, top_cause),
            planned: planned.to_vec(),
            people: people(&moment),
            stall,
            words,
        })
    }

    /// The moment asked for; else that of closing; else now.
    pub(super) fn moment(&self, deal: &Deal, as_of: Option<Instant>) -> Instant {
        as_of.or(deal.closed_at()).unwrap_or_else(|| self.now())
    }

    fn view(&self, key: &DealKey, deal: &Deal) -> DealView {
        // A fact may be ahead of this clock by what is let through; it was acknowledged, so it shows.
        let now = Instant::MAX;
        let moment = Moment::of(deal, &self.model, now);
        DealView {
            deal_id: key.deal.clone(),
            revision: deal.revision(),
            name: deal.name.value_at(now).cloned(),
            account: deal.account.value_at(now).cloned(),
            owner: deal.owner.value_at(now).cloned(),
            amount: deal.amount.value_at(now).copied(),
            seller_stage: deal.seller_stage.value_at(now).cloned(),
            close_date: deal.close_date.value_at(now).copied(),
            people: people(&moment),
            milestones: deal
                .milestones()
                .map(|(id, milestone)| MilestoneView {
                    id: id.clone(),
                    name: milestone.name.value_at(now).cloned(),
                    owner: milestone.owner.value_at(now).cloned(),
                    due_date: milestone.due_date.value_at(now).copied(),
                    completed_at: milestone.completed_at.value_at(now).copied(),
                })
                .collect(),
            ending: None,
            statements: deal.statements_standing(),
        }
    }
}

/// The words of the statements cited, or which of them are not at hand.
fn cited(
    folded: &Folded,
    citations: impl Iterator<Item = Revision>,
) -> Result<Words, WordsMissing> {
    folded.words.only(citations.collect()).map_err(WordsMissing)
}

fn people(moment: &Moment) -> Vec<Stakeholder> {
    moment
        .people
        .iter()
        .map(|present| Stakeholder {
            id: present.person.id.clone(),
            display_name: present.person.display_name.value_at(moment.as_of).cloned(),
            title: present.person.title.value_at(moment.as_of).cloned(),
            roles: present.roles,
            presence: match present.departed {
                true => Presence::Departed,
                false => Presence::Active,
            },
        })
        .collect()
}
