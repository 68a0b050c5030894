//! A store that is opened again has the same deals at the same revisions, read as a whole or not, and the same rows.

use std::sync::Arc;

use verbatim::domain::portfolio::AsOf;
use verbatim::store::Store;
use verbatim::store::embedded::Check;
use verbatim::store::embedded::Embedded;
use verbatim::store::embedded::Options;

use crate::histories::end;
use crate::pipeline::TENANT;
use crate::pipeline::app_on;
use crate::pipeline::key;
use crate::pipeline::named;
use crate::pipeline::rows;
use crate::pipeline::run;
use crate::pipeline::write;

#[test]
fn a_store_opened_again_lists_the_same_deals_and_the_same_rows() {
    let home = tempfile::tempdir().unwrap();
    let open = |check| {
        let options = Options {
            check,
            ..Options::default()
        };
        Arc::new(Embedded::open(home.path(), options).unwrap())
    };
    run(async {
        let asked = AsOf::now(end());
        let store = open(Check::Whole);
        let app = app_on(Arc::clone(&store) as Arc<dyn Store>, end());
        for number in 0..40 {
            let deal = format!("d{:02}", number % 13);
            write(&app, &deal, vec![named(&format!("name {number}"), end())]).await;
        }
        let before = rows(&app, asked).await;
        let listed = store.deals(TENANT, None, 100).await.unwrap();
        assert_eq!(listed.len(), 13);
        drop(app);
        store.close().await;
        drop(store);

        for check in [Check::Tail, Check::Whole] {
            let store = open(check);
            let all = store.deals(TENANT, Some(""), 13).await.unwrap();
            assert_eq!(all, listed);
            let page = store.deals(TENANT, Some("d04"), 3).await.unwrap();
            assert_eq!(page, listed[5..8]);
            assert_eq!(store.deals("defaul", None, 9).await.unwrap(), []);
            assert_eq!(store.deals("default2", None, 9).await.unwrap(), []);
            assert_eq!(store.revision(&key("d00")).await.unwrap(), 4);
            assert_eq!(store.revision(&key("nowhere")).await.unwrap(), 0);
            let app = app_on(Arc::clone(&store) as Arc<dyn Store>, end());
            let again = rows(&app, asked).await;
            for (deal, row) in &before {
                assert_eq!(again[deal].row, row.row);
                assert_eq!(again[deal].revision, row.revision);
            }
            // What is written then is listed, too, now and by who opens next.
            write(&app, "d99", vec![named("late", end())]).await;
            assert!(rows(&app, asked).await.contains_key("d99"));
            let late = store.deals(TENANT, Some("d12"), 9).await.unwrap();
            assert_eq!(late, [(key("d99"), 1)]);
            drop(app);
            store.close().await;
        }
    });
}
