//! The pipeline as a whole: each row is what the deal's own score and explanation say, nothing acknowledged is missing,
//! pages and streams come whole and in order, and sums add up.

mod pages;
mod reopened;
mod requests;
mod streams;
mod sums;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio_stream::StreamExt;
use verbatim::app::App;
use verbatim::app::Error;
use verbatim::app::Listing;
use verbatim::app::Pipeline;
use verbatim::app::PipelineDeal;
use verbatim::app::Query;
use verbatim::app::Selection;
use verbatim::app::Told;
use verbatim::app::View;
use verbatim::clock::ManualClock;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::DealFacts;
use verbatim::domain::portfolio::AsOf;
use verbatim::domain::portfolio::filter::Filter;
use verbatim::domain::portfolio::order::By;
use verbatim::domain::portfolio::order::Direction;
use verbatim::domain::portfolio::order::Order;
use verbatim::domain::text::Name;
use verbatim::domain::time::Instant;
use verbatim::model_file;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::memory::Memory;

use crate::histories::end;
use crate::histories::history;
use crate::histories::moment;
use crate::past::write_to;

const TENANT: &str = "default";

fn key(deal: &str) -> DealKey {
    DealKey::new(TENANT, deal)
}

fn app_on(store: Arc<dyn Store>, now: Instant) -> Arc<App> {
    let model = Arc::new(model_file::default().clone());
    let clock = Arc::new(ManualClock::at(now));
    Arc::new(App::new(store, clock, model, 1 << 20))
}

/// A portfolio is judged on threads of its own.
fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(work)
}

async fn write(app: &Arc<App>, deal: &str, facts: Vec<Fact>) {
    for fact in facts {
        match write_to(app, &key(deal), fact).await {
            // A random history does not mind its own ending.
            Ok(()) | Err(Error::DealClosed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn everything(asked: AsOf) -> Listing {
    Listing {
        pipeline: Pipeline {
            tenant: TENANT.into(),
            filter: Filter::default(),
            asked,
        },
        order: Order {
            by: By::Score,
            direction: Direction::Descending,
        },
        page_size: 1_000,
        after: None,
    }
}

pub async fn rows(app: &Arc<App>, asked: AsOf) -> BTreeMap<String, PipelineDeal> {
    let listed = app.list(everything(asked)).await.unwrap();
    let deals = listed.deals.into_iter();
    deals.map(|deal| (deal.deal.to_string(), deal)).collect()
}

/// A row says what the score and the explanation of its deal say.
async fn agrees(app: &Arc<App>, told: &PipelineDeal) -> Result<(), TestCaseError> {
    let query = Query {
        as_of: Some(told.row.verdict.as_of),
        ..Query::now(key(&told.deal))
    };
    let scored = app.score(query.clone()).await.unwrap();
    let explained = app.explain(query, Vec::new()).await.unwrap();
    let verdict = told.row.verdict;
    prop_assert_eq!(told.revision, scored.revision);
    prop_assert_eq!(verdict.score.to_bits(), scored.score.score.to_bits());
    prop_assert_eq!(verdict.base.to_bits(), scored.score.base.to_bits());
    prop_assert_eq!(verdict.band, scored.score.band);
    prop_assert_eq!(verdict.category, scored.score.category);
    prop_assert_eq!(verdict.step, scored.score.step);
    // A closed deal shows the facts of the moment asked for, not those of its closing.
    if verdict.outcome.is_none() {
        prop_assert_eq!(&told.row.facts.seller_stage, &scored.score.seller_stage);
    }
    prop_assert_eq!(verdict.state(), Some(explained.stall.state.state));
    let depth = verdict.depth.unwrap();
    prop_assert_eq!(depth.momentum, scored.score.momentum);
    let causes = explained.stall.causes;
    let top = causes.first().map(|cause| (cause.cause, cause.points));
    prop_assert_eq!(depth.top_cause, top);
    let lift = causes
        .iter()
        .map(|cause| cause.score_if_resolved - explained.stall.score)
        .fold(0.0, f64::max);
    prop_assert_eq!(depth.lift.to_bits(), lift.to_bits());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_row_is_what_its_deal_says_of_itself(
        histories in prop::collection::vec(history(), 1..5),
        as_of in moment(),
    ) {
        run(async {
            let store: Arc<dyn Store> = Arc::new(Memory::new());
            let app = app_on(Arc::clone(&store), end());
            let mut rest = Vec::new();
            for (place, mut facts) in histories.into_iter().enumerate() {
                let later = facts.split_off(facts.len() / 2);
                write(&app, &format!("d{place}"), facts).await;
                rest.push(later);
            }
            // Half of it is read from the store, half of it comes by writes.
            rows(&app, AsOf::At(as_of)).await;
            for (place, facts) in rest.into_iter().enumerate() {
                write(&app, &format!("d{place}"), facts).await;
            }
            // A second service on the same store has no outlines, and no memory for them.
            let poor = app_on(store, end());
            let poor = Arc::new(Arc::into_inner(poor).unwrap().with_outlines_bytes_max(0));
            for asked in [AsOf::At(as_of), AsOf::now(end())] {
                let told = rows(&app, asked).await;
                for row in told.values() {
                    agrees(&app, row).await?;
                }
                // Asked again, it may come from memory.
                for again in [rows(&app, asked).await, rows(&poor, asked).await] {
                    prop_assert_eq!(told.len(), again.len());
                    for (deal, row) in &told {
                        prop_assert_eq!(&again[deal].row, &row.row);
                    }
                }
            }
            Ok(())
        })?;
    }
}

fn named(name: &str, effective_at: Instant) -> Fact {
    Fact::Deal(DealFacts {
        name: Some(Name::new(name).unwrap()),
        account: None,
        owner: None,
        amount: None,
        seller_stage: None,
        close_date: None,
        effective_at,
    })
}

#[test]
fn what_was_acknowledged_before_the_call_is_in_the_answer() {
    run(async {
        let app = app_on(Arc::new(Memory::new()), end());
        let writers = (0..4).map(|writer| {
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                let deal = format!("d{writer}");
                for number in 0..50 {
                    let name = format!("name {number}");
                    write(&app, &deal, vec![named(&name, end())]).await;
                    let told = rows(&app, AsOf::now(end())).await;
                    let facts = &told[&deal].row.facts;
                    assert_eq!(facts.name.as_ref().unwrap().as_str(), name);
                    assert_eq!(told[&deal].revision, number + 1);
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

#[test]
fn a_deal_that_had_not_begun_is_not_in_the_portfolio() {
    run(async {
        let app = app_on(Arc::new(Memory::new()), end());
        let began = Instant::from_unix(end().unix_seconds() - 10, 0).unwrap();
        write(&app, "d1", vec![named("late", began)]).await;
        let before = Instant::from_unix(began.unix_seconds() - 1, 0).unwrap();
        assert!(rows(&app, AsOf::At(before)).await.is_empty());
        assert_eq!(rows(&app, AsOf::At(began)).await.len(), 1);
    });
}

#[test]
fn a_deal_left_alone_has_a_projection_that_is_not_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(Memory::new());
        let app = app_on(Arc::clone(&store) as Arc<dyn Store>, end());
        let facts = |number: usize| vec![named(&format!("name {number}"), end())];
        for number in 0..3 {
            write(&app, "d1", facts(number)).await;
        }
        assert_eq!(store.projection(&key("d1")).await.unwrap(), None);
        tokio::time::sleep(Duration::from_secs(5)).await;
        let projection = store.projection(&key("d1")).await.unwrap().unwrap();
        assert_eq!(projection.revision, 3);
        write(&app, "d1", facts(3)).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let projection = store.projection(&key("d1")).await.unwrap().unwrap();
        assert_eq!(projection.revision, 4);
        // Who starts on that projection has the deal.
        let other = app_on(store, end());
        let row = &rows_on(&other).await["d1"];
        assert_eq!(row.row.facts.name.as_ref().unwrap().as_str(), "name 3");
    });
}

/// The rows by a stream of named deals, which needs no other thread.
async fn rows_on(app: &Arc<App>) -> BTreeMap<String, PipelineDeal> {
    let selection = Selection::Named(vec!["d1".into()]);
    let asked = AsOf::now(end());
    let lots = app.scores(TENANT, selection, asked, View::Row).await;
    let mut lots = std::pin::pin!(lots.unwrap());
    let mut rows = BTreeMap::new();
    while let Some(lot) = lots.next().await {
        for item in lot.unwrap() {
            if let Ok(Told::Row(row)) = item.told {
                rows.insert(item.deal.to_string(), *row);
            }
        }
    }
    rows
}
