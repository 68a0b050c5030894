//! The pipeline as a whole: listed, scored, summed up, as of now or of any past moment.

use std::collections::BinaryHeap;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::stream;

use crate::app::App;
use crate::app::Error;
use crate::app::Query;
use crate::app::Scored;
use crate::app::aside::aside;
use crate::app::portfolio::Lots;
use crate::app::portfolio::Outline;
use crate::app::portfolio::threads;
use crate::domain::portfolio::AsOf;
use crate::domain::portfolio::Need;
use crate::domain::portfolio::Row;
use crate::domain::portfolio::filter::Filter;
use crate::domain::portfolio::order::Order;
use crate::domain::portfolio::order::Place;
use crate::domain::portfolio::summary::Grouping;
use crate::domain::portfolio::summary::Summary;
use crate::store::DealKey;
use crate::store::Revision;

/// Deals of a named list that are looked up at a time.
const NAMED_LOT: usize = 64;

/// Which deals, and as seen when.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub tenant: Box<str>,
    pub filter: Filter,
    pub asked: AsOf,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listing {
    pub pipeline: Pipeline,
    pub order: Order,
    pub page_size: usize,
    /// The last place of the page before.
    pub after: Option<Place>,
}

/// A page as it was found.
pub struct Listed {
    pub deals: Vec<PipelineDeal>,
    /// The last place of this page, if there are more.
    pub next: Option<Place>,
    /// All that fit, on this page or not.
    pub total: u64,
}

/// A deal of the pipeline.
pub struct PipelineDeal {
    pub deal: Arc<str>,
    pub revision: Revision,
    pub row: Row,
}

/// Which deals a stream of scores is of.
#[derive(Clone, Debug)]
pub enum Selection {
    Fitting(Box<Filter>),
    /// In this order, each answered, there or not.
    Named(Vec<Box<str>>),
}

/// How much is told of each deal of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Row,
    Full,
}

/// One deal of a stream, and what became of it.
pub struct Item {
    pub deal: Arc<str>,
    pub told: Result<Told, Error>,
}

/// What is told of a deal.
pub enum Told {
    Row(Box<PipelineDeal>),
    Full(Box<Scored>),
}

/// The pipeline summed up at a moment, and at another.
pub struct Summed {
    pub at: AsOf,
    pub summary: Summary,
    pub compared: Option<(AsOf, Summary)>,
}

/// The best of what a thread has seen.
#[derive(Default)]
struct Page {
    /// The last place on top.
    best: BinaryHeap<Found>,
    total: u64,
}

struct Found {
    place: Place,
    outline: Arc<Outline>,
}

impl Ord for Found {
    fn cmp(&self, other: &Found) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Found) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Found) -> bool {
        self.place == other.place
    }
}

impl Eq for Found {}

impl App {
    /// A page of the deals that fit, in order.
    pub async fn list(self: &Arc<Self>, listing: Listing) -> Result<Listed, Error> {
        let lots = self.lots(&listing.pipeline.tenant).await?;
        let page_size = listing.page_size;
        let asked = listing.pipeline.asked;

        let need = listing.pipeline.filter.need().max(listing.order.by.need());
        let look = move |app: &App, page: &mut Page, lot: Vec<Arc<Outline>>| {
            for outline in lot {
                let Some(row) = app.fitting(&outline, &listing.pipeline, need)? else {
                    continue;
                };
                page.total += 1;
                let place = listing.order.place(&outline.deal, &row);
                if listing.after.as_ref().is_none_or(|after| *after < place) {
                    page.take(Found { place, outline }, page_size + 1);
                }
            }
            Ok(())
        };
        let pages = self.on_every_lot(lots, look).await?;

        let total = pages.iter().map(|page| page.total).sum();
        let mut found: Vec<Found> = pages.into_iter().flat_map(|page| page.best).collect();
        found.sort_unstable();
        let more = page_size < found.len();
        found.truncate(page_size);
        let deals = found
            .iter()
            .map(|found| self.told_in_full(&found.outline, asked))
            .collect::<Result<Vec<PipelineDeal>, Error>>()?;
        Ok(Listed {
            deals,
            next: found.pop().filter(|_| more).map(|last| last.place),
            total,
        })
    }

    /// The sums over the deals that fit, as a whole and by group, at the moment asked for and at another.
    pub async fn summarize(
        self: &Arc<Self>,
        pipeline: Pipeline,
        compared_with: Option<AsOf>,
        groupings: Vec<Grouping>,
    ) -> Result<Summed, Error> {
        let lots = self.lots(&pipeline.tenant).await?;
        let at = pipeline.asked;

        let deepest = groupings.iter().map(|grouping| grouping.need()).max();
        let need = pipeline.filter.need().max(deepest.unwrap_or(Need::Score));
        let other = compared_with.map(|asked| Pipeline {
            asked,
            ..pipeline.clone()
        });
        let sides = [Some(pipeline), other];
        let look = move |app: &App, sums: &mut [Summary; 2], lot: Vec<Arc<Outline>>| {
            for outline in lot {
                for (pipeline, summary) in sides.iter().zip(&mut *sums) {
                    let Some(pipeline) = pipeline else { continue };
                    if let Some(row) = app.fitting(&outline, pipeline, need)? {
                        summary.take(&row, &app.model, &groupings);
                    }
                }
            }
            Ok(())
        };
        let parts = self.on_every_lot(lots, look).await?;

        let [mut summary, mut compared] = <[Summary; 2]>::default();
        for [one, other] in parts {
            summary.merge(one);
            compared.merge(other);
        }
        Ok(Summed {
            at,
            summary: summary.end(),
            compared: compared_with.map(|asked| (asked, compared.end())),
        })
    }

    /// The deals of the selection, one after the other: those that fit by id, those named as they are named.
    ///
    /// Nothing is worked out before it is asked for, but a few lots ahead.
    pub async fn scores(
        self: &Arc<Self>,
        tenant: &str,
        selection: Selection,
        asked: AsOf,
        view: View,
    ) -> Result<impl Stream<Item = Result<Vec<Item>, Error>> + Send + use<>, Error> {
        let app = Arc::clone(self);
        let items = match selection {
            Selection::Fitting(filter) => {
                let pipeline = Pipeline {
                    tenant: tenant.into(),
                    filter: *filter,
                    asked,
                };
                let lots = self.lots(tenant).await?.by_id();
                app.fitting_items(lots, pipeline).boxed()
            }
            Selection::Named(deals) => app.named_items(tenant.into(), deals, asked).boxed(),
        };
        let app = Arc::clone(self);
        let tenant: Box<str> = tenant.into();
        Ok(items.then(move |items| {
            let (app, tenant) = (Arc::clone(&app), tenant.clone());
            async move {
                match view {
                    View::Row => items,
                    View::Full => Ok(app.in_full(&tenant, items?).await),
                }
            }
        }))
    }

    fn fitting_items(
        self: Arc<Self>,
        lots: Lots,
        pipeline: Pipeline,
    ) -> impl Stream<Item = Result<Vec<Item>, Error>> + Send {
        let pipeline = Arc::new(pipeline);
        let listing = Arc::clone(&self);
        stream::try_unfold(lots, move |lots| {
            let app = Arc::clone(&listing);
            async move {
                let lot = lots.next(&app).await?;
                Ok(lot.map(|lot| (lot, lots)))
            }
        })
        .map(move |lot: Result<Vec<Arc<Outline>>, Error>| {
            let (app, pipeline) = (Arc::clone(&self), Arc::clone(&pipeline));
            async move {
                let lot = lot?;
                aside(move || app.judged(&lot, &pipeline)).await?
            }
        })
        .buffered(threads())
    }

    fn named_items(
        self: Arc<Self>,
        tenant: Box<str>,
        deals: Vec<Box<str>>,
        asked: AsOf,
    ) -> impl Stream<Item = Result<Vec<Item>, Error>> + Send {
        let lots: Vec<Vec<Box<str>>> = deals.chunks(NAMED_LOT).map(<[_]>::to_vec).collect();
        stream::iter(lots).then(move |lot| {
            let (app, tenant) = (Arc::clone(&self), tenant.clone());
            async move {
                let mut items = Vec::with_capacity(lot.len());
                for deal in lot {
                    let told = app.named(&DealKey::new(&tenant, &deal), asked).await;
                    items.push(Item {
                        deal: Arc::from(deal),
                        told: told.map(|told| Told::Row(Box::new(told))),
                    });
                }
                Ok(items)
            }
        })
    }

    async fn named(&self, key: &DealKey, asked: AsOf) -> Result<PipelineDeal, Error> {
        let outline = match self.outline_in_memory(key) {
            Some(outline) => outline,
            None => {
                let revision = self.store.revision(key).await?;
                Arc::new(self.outline(key, revision).await?)
            }
        };
        if outline.revision == 0 {
            return Err(Error::DealNotFound(key.deal.clone()));
        }
        self.told_in_full(&outline, asked)
    }

    /// Puts full scores in place of rows.
    async fn in_full(&self, tenant: &str, items: Vec<Item>) -> Vec<Item> {
        let mut full = Vec::with_capacity(items.len());
        for Item { deal, told } in items {
            let told = match told {
                Ok(Told::Row(row)) => {
                    let query = Query {
                        as_of: Some(row.row.verdict.as_of),
                        ..Query::now(DealKey::new(tenant, &deal))
                    };
                    let scored = self.score(query).await;
                    scored.map(|scored| Told::Full(Box::new(scored)))
                }
                told => told,
            };
            full.push(Item { deal, told });
        }
        full
    }

    /// The rows of those of a lot that fit.
    fn judged(&self, lot: &[Arc<Outline>], pipeline: &Pipeline) -> Result<Vec<Item>, Error> {
        let mut items = Vec::with_capacity(lot.len());
        for outline in lot {
            if let Some(row) = self.fitting(outline, pipeline, Need::Depth)? {
                let told = PipelineDeal {
                    deal: Arc::clone(&outline.deal),
                    revision: outline.revision,
                    row,
                };
                items.push(Item {
                    deal: Arc::clone(&outline.deal),
                    told: Ok(Told::Row(Box::new(told))),
                });
            }
        }
        Ok(items)
    }

    /// The row of a deal, if it fits.
    fn fitting(
        &self,
        outline: &Outline,
        pipeline: &Pipeline,
        need: Need,
    ) -> Result<Option<Row>, Error> {
        let facts = outline.facts(pipeline.asked)?;
        if !pipeline.filter.fits_facts(&facts) {
            return Ok(None);
        }
        let verdict = outline.verdict(&self.model, pipeline.asked, need)?;
        let fits = pipeline.filter.fits_verdict(&verdict);
        Ok(fits.then_some(Row { facts, verdict }))
    }

    fn told_in_full(&self, outline: &Outline, asked: AsOf) -> Result<PipelineDeal, Error> {
        let row = Row {
            facts: outline.facts(asked)?,
            verdict: outline.verdict(&self.model, asked, Need::Depth)?,
        };
        Ok(PipelineDeal {
            deal: Arc::clone(&outline.deal),
            revision: outline.revision,
            row,
        })
    }
}

impl Page {
    /// Keeps the first `found_max` of what was found.
    fn take(&mut self, found: Found, found_max: usize) {
        if self.best.len() < found_max {
            self.best.push(found);
            return;
        }
        if let Some(mut last) = self.best.peek_mut()
            && found.place < last.place
        {
            *last = found;
        }
    }
}
