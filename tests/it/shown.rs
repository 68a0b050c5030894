//! An event that is durable and not answered yet is in no answer, or in all that are asked for after one that has it.

use std::sync::Arc;

use verbatim::app::ComparisonQuery;
use verbatim::app::Query;
use verbatim::app::TrendQuery;
use verbatim::domain::difference::Seen;
use verbatim::domain::time::Instant;
use verbatim::domain::trend::Knowledge;
use verbatim::domain::trend::TrendStep;
use verbatim::store::DealKey;
use verbatim::store::Revision;
use verbatim::store::Store;

use crate::streams::Stage;
use crate::streams::day;
use crate::support::staged_store::StagedStore;

/// Up to which revision each question about the deal is answered, by its name.
async fn shown(stage: &Stage) -> Vec<(String, Revision)> {
    let key = DealKey::new("default", "d");
    let now = Query::now(key.clone());
    let mut shown = Vec::new();
    for step in [TrendStep::Daily, TrendStep::Weekly, TrendStep::AtEachChange] {
        for knowledge in [Knowledge::Now, Knowledge::Then] {
            let query = TrendQuery {
                deal: key.clone(),
                from: None,
                to: None,
                step,
                knowledge,
                min_revision: None,
            };
            let trend = stage.app.trend(query).await.unwrap();
            shown.push((format!("{step:?} {knowledge:?}"), trend.revision));
            let last = trend.points.last().unwrap().revision;
            shown.push((format!("{step:?} {knowledge:?}, last point"), last));
        }
    }
    for known_at in [Instant::MAX, day(1)] {
        let query = ComparisonQuery {
            deal: key.clone(),
            from: Seen {
                as_of: day(-1),
                known_at: Instant::MAX,
            },
            to_as_of: None,
            to_known_at: known_at,
            min_revision: None,
        };
        let compared = stage.app.compare(query).await.unwrap();
        shown.push((format!("comparison {known_at:?}"), compared.revision));
    }
    let known = Query {
        known_at: Some(day(1)),
        ..now.clone()
    };
    let known = stage.app.score(known).await.unwrap().revision;
    shown.push(("score, as known".to_owned(), known));
    let history = stage.app.history(&key, 0, 10).await.unwrap().len();
    shown.push(("history".to_owned(), history as Revision));
    let score = stage.app.score(now).await.unwrap().revision;
    shown.push(("score".to_owned(), score));
    shown
}

fn check(shown: &[(String, Revision)], right: Revision) {
    for (question, revision) in shown {
        assert_eq!(*revision, right, "{question}");
    }
}

#[tokio::test]
async fn what_is_durable_and_not_answered_yet_is_in_no_answer() {
    let store = Arc::new(StagedStore::default());
    let stage = Arc::new(Stage::on(Arc::clone(&store) as Arc<dyn Store>));
    stage.write("d", 1).await;
    check(&shown(&stage).await, 1);

    store.answers.hold();
    let writer = Arc::clone(&stage);
    let writing = tokio::spawn(async move { writer.write("d", 2).await });
    store.answers.until_arrived(1).await;
    check(&shown(&stage).await, 1);

    store.answers.open();
    writing.await.unwrap();
    check(&shown(&stage).await, 2);
}
