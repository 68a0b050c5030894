//! The past of a deal: its score over time, and why two moments differ.
//!
//! Days and weeks with all that is known now are answered from the folded deal. All else is folded anew from the
//! history, in one pass and page by page; only the entries between the ends asked for are held at once.

use std::sync::Arc;

use crate::app::App;
use crate::app::Error;
use crate::app::Query;
use crate::app::aside::aside;
use crate::app::deals::PAGE_EVENTS;
use crate::app::deals::SharedDeal;
use crate::domain::difference::Between;
use crate::domain::difference::Difference;
use crate::domain::difference::ENTRIES_MAX;
use crate::domain::difference::Seen;
use crate::domain::event::Event;
use crate::domain::statement::Statement;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::domain::trend;
use crate::domain::trend::Knowledge;
use crate::domain::trend::Lived;
use crate::domain::trend::POINTS_MAX;
use crate::domain::trend::Point;
use crate::domain::trend::Shown;
use crate::domain::trend::TrendStep;
use crate::store::DealKey;
use crate::store::Revision;

/// Which points of which deal.
#[derive(Clone, Debug)]
pub struct TrendQuery {
    pub deal: DealKey,
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    pub step: TrendStep,
    pub knowledge: Knowledge,
    pub min_revision: Option<u64>,
}

/// The score over time.
pub struct Trend {
    pub deal_id: Box<str>,
    pub revision: Revision,
    pub model_version: String,
    /// Oldest first, at least one.
    pub points: Vec<Point>,
}

/// Which two moments of which deal.
#[derive(Clone, Debug)]
pub struct ComparisonQuery {
    pub deal: DealKey,
    pub from: Seen,
    /// `None`: the moment of closing, else now.
    pub to_as_of: Option<Instant>,
    /// [`Instant::MAX`]: everything that is known.
    pub to_known_at: Instant,
    pub min_revision: Option<u64>,
}

/// Two moments of a deal and what lies between them.
pub struct Comparison {
    pub deal_id: Box<str>,
    pub revision: Revision,
    pub model_version: String,
    pub difference: Difference,
}

/// The ends of a trend.
#[derive(Clone, Copy)]
struct Ends {
    from: Instant,
    to: Instant,
}

impl App {
    /// The score of a deal over time.
    pub async fn trend(&self, query: TrendQuery) -> Result<Trend, Error> {
        let shared = self
            .seen_now(&Query {
                min_revision: query.min_revision,
                ..Query::now(query.deal.clone())
            })
            .await?;
        let until = shared.read().deal.revision();
        let ends = self.ends(&query, &shared).await?;

        let TrendQuery {
            deal: key,
            step,
            knowledge,
            ..
        } = query;
        let model = Arc::clone(&self.model);
        let (revision, points) = match (step, knowledge) {
            (TrendStep::AtEachChange, _) => {
                let mut lived = Lived::new(ends.from, ends.to, knowledge);
                let revision = self.each(&key, until, |event| lived.take(event)).await?;
                check_span("entries", lived.entries(), POINTS_MAX)?;
                for id in lived.amended() {
                    let statement = self.statement(&key, &shared, &id).await?;
                    statement.into_iter().for_each(|it| lived.cite(it));
                }
                let points = aside(move || lived.points(&model)).await?;
                check_span("points", points.len(), POINTS_MAX)?;
                (revision, points)
            }
            (TrendStep::Daily | TrendStep::Weekly, Knowledge::Now) => {
                let moments = moments(ends, step)?;
                aside(move || {
                    // A copy, so that no writer waits while a thousand points are told.
                    let deal = shared.read().deal.clone();
                    let revision = deal.revision();
                    let point = |at| trend::point(&deal, &model, at, revision);
                    (revision, moments.into_iter().map(point).collect())
                })
                .await?
            }
            (TrendStep::Daily | TrendStep::Weekly, Knowledge::Then) => {
                let moments = moments(ends, step)?;
                self.shown(&key, until, moments).await?
            }
        };
        Ok(Trend {
            deal_id: key.deal,
            revision,
            model_version: self.model.version.clone(),
            points,
        })
    }

    /// Why the score of a deal differs between two moments.
    pub async fn compare(&self, query: ComparisonQuery) -> Result<Comparison, Error> {
        let ComparisonQuery {
            deal: key,
            from,
            to_as_of,
            to_known_at,
            min_revision,
        } = query;
        // When the deal closed may not have been known then; else it does not matter what was known.
        let known_at = Some(to_known_at).filter(|at| to_as_of.is_none() && *at < Instant::MAX);
        let shared = self
            .seen_now(&Query {
                min_revision,
                ..Query::now(key.clone())
            })
            .await?;
        let until = shared.read().deal.revision();
        let shared = match known_at {
            None => shared,
            Some(known_at) => self.known_at(&key, known_at, until).await?,
        };
        let to = Seen {
            as_of: self.moment(&shared.read().deal, to_as_of),
            known_at: to_known_at,
        };

        let mut between = Between::new(from, to);
        let revision = self.each(&key, until, |event| between.take(event)).await?;
        check_span("entries", between.entries(), ENTRIES_MAX)?;
        for id in between.amended() {
            let statement = self.statement(&key, &shared, &id).await?;
            statement.into_iter().for_each(|it| between.cite(it));
        }
        let model = Arc::clone(&self.model);
        Ok(Comparison {
            deal_id: key.deal,
            revision,
            model_version: self.model.version.clone(),
            difference: aside(move || between.difference(&model)).await?,
        })
    }

    /// The deal at each moment as it was known then.
    async fn shown(
        &self,
        key: &DealKey,
        until: Revision,
        moments: Vec<Instant>,
    ) -> Result<(Revision, Vec<Point>), Error> {
        let mut shown = Shown::new(moments);
        let mut revision = 0;
        loop {
            let events = self.deals.events_until(key, revision, until).await?;
            let is_last = events.len() < PAGE_EVENTS;
            revision += events.len() as u64;
            let model = Arc::clone(&self.model);
            shown = aside(move || {
                events.iter().for_each(|event| shown.take(event, &model));
                shown
            })
            .await?;
            if is_last {
                break;
            }
        }
        let model = Arc::clone(&self.model);
        let points = aside(move || shown.end(&model)).await?;
        Ok((revision, points))
    }

    /// A statement of the deal, taken back or not.
    async fn statement(
        &self,
        key: &DealKey,
        shared: &SharedDeal,
        id: &Id,
    ) -> Result<Option<Statement>, Error> {
        let kept = shared.read().deal.statement(id);
        match kept {
            Some(kept) => Ok(Some(self.deals.statement(key, kept.revision).await?)),
            None => Ok(None),
        }
    }

    /// Hands out the events of a deal up to a revision, oldest first; answers how many there were.
    async fn each(
        &self,
        key: &DealKey,
        until: Revision,
        mut take: impl FnMut(Event),
    ) -> Result<Revision, Error> {
        let mut revision = 0;
        loop {
            let events = self.deals.events_until(key, revision, until).await?;
            let is_last = events.len() < PAGE_EVENTS;
            for event in events {
                revision = event.revision;
                take(event);
            }
            if is_last {
                return Ok(revision);
            }
            // A long history is no reason for other calls to wait.
            tokio::task::yield_now().await;
        }
    }

    /// From and until when the trend goes, by what was asked for and by what there is.
    async fn ends(&self, query: &TrendQuery, shared: &SharedDeal) -> Result<Ends, Error> {
        let first_recorded_at = match query.knowledge {
            Knowledge::Now => None,
            Knowledge::Then => self.first_recorded_at(&query.deal).await?,
        };
        let (began, ended) = {
            let deal = &shared.read().deal;
            let closed_at = deal.closed_at();
            match query.knowledge {
                Knowledge::Now => (deal.first_at(), closed_at),
                // A dashboard shows the close once it was told of it.
                Knowledge::Then => {
                    let told_at = closed_at.and(deal.recorded_at());
                    (first_recorded_at, closed_at.max(told_at))
                }
            }
        };
        let to = query.to.or(ended).unwrap_or_else(|| self.now());
        match query.from {
            Some(from) if to < from => Err(Error::FromAfterTo { from, to }),
            from => Ok(Ends {
                from: from.max(began).unwrap_or(to).min(to),
                to,
            }),
        }
    }

    async fn first_recorded_at(&self, key: &DealKey) -> Result<Option<Instant>, Error> {
        let first = self.deals.events(key, 0, 1).await?.pop();
        Ok(first.map(|event| event.recorded_at))
    }
}

fn moments(ends: Ends, step: TrendStep) -> Result<Vec<Instant>, Error> {
    trend::moments(ends.from, ends.to, step).map_err(|count| Error::SpanTooLong {
        what: "points",
        count,
        limit: POINTS_MAX,
    })
}

fn check_span(what: &'static str, count: usize, limit: usize) -> Result<(), Error> {
    match limit < count {
        true => Err(Error::SpanTooLong { what, count, limit }),
        false => Ok(()),
    }
}
