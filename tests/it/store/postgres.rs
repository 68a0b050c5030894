//! What only a store in a database can promise: its schema, its connections, and commits whose answer is lost.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use verbatim::config::DatabaseUrl;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Fault;
use verbatim::store::Revision;
use verbatim::store::Store;
use verbatim::store::postgres::OpenError;
use verbatim::store::postgres::Options;
use verbatim::store::postgres::Postgres;

use crate::store::append_each;
use crate::store::check_history;
use crate::store::projection;
use crate::support::database::Database;
use crate::support::deal;
use crate::support::events;
use crate::support::proxy::Cut;
use crate::support::proxy::Proxy;
use crate::support::run;

/// Runs a case on a database with the tables of this build, where there is a server.
pub fn on_database(case: impl AsyncFn(&Database)) {
    if let Some(database) = Database::new() {
        run(case(&database));
    }
}

/// Gives up soon, so that a test of giving up ends soon.
fn impatient() -> Options {
    Options {
        statement_timeout: Duration::from_millis(300),
        retry_for: Duration::from_millis(600),
        ..Options::default()
    }
}

async fn refusal(database: &Database) -> OpenError {
    match Postgres::open(&database.url(), Options::default()).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn a_database_without_tables_is_refused_and_left_as_it_is() {
    let Some(database) = Database::empty() else {
        return;
    };
    run(async {
        let refused = refusal(&database).await;
        assert!(
            matches!(refused, OpenError::Behind { found: 0, .. }),
            "{refused}"
        );
        assert!(
            refused.to_string().contains("verbatim migrate"),
            "{refused}"
        );
        assert!(!Postgres::missing(&database.url()).await.unwrap().is_empty());
        let again = refusal(&database).await;
        assert!(
            matches!(again, OpenError::Behind { found: 0, .. }),
            "{again}"
        );
    });
}

#[test]
fn a_database_of_a_newer_build_is_refused() {
    on_database(async |database| {
        database
            .execute("UPDATE verbatim_schema SET version = 99")
            .await;
        let refused = refusal(database).await;
        assert!(
            matches!(refused, OpenError::Ahead { found: 99, .. }),
            "{refused}"
        );
        let migrated = Postgres::migrate(&database.url()).await;
        assert!(matches!(migrated, Err(OpenError::Ahead { found: 99, .. })));
        let missing = Postgres::missing(&database.url()).await;
        assert!(matches!(missing, Err(OpenError::Ahead { found: 99, .. })));
    });
}

#[test]
fn migrations_at_once_are_one_after_the_other_and_end_at_the_same_version() {
    let Some(database) = Database::empty() else {
        return;
    };
    run(async {
        let url = database.url();
        let migrated = join_all((0..6).map(|_| Postgres::migrate(&url))).await;
        let versions: Vec<_> = migrated.into_iter().map(|one| one.unwrap().to).collect();
        assert!(
            versions.windows(2).all(|pair| pair[0] == pair[1]),
            "{versions:?}"
        );
        assert_eq!(Postgres::missing(&url).await.unwrap(), Vec::<&str>::new());
        append_each(&database.open().await, &["a"]).await;
    });
}

#[test]
fn a_migration_under_a_store_that_writes_harms_nothing() {
    on_database(async |database| {
        let store = database.open().await;
        append_each(&store, &["a", "b"]).await;
        let migrated = Postgres::migrate(&database.url()).await.unwrap();
        assert_eq!(migrated.from, migrated.to);
        append_each(&store, &["a"]).await;
        assert_eq!(store.newest_sequence().await, Ok(3));
    });
}

#[test]
fn a_database_that_acknowledges_too_early_is_refused() {
    on_database(async |database| {
        let url = database
            .text()
            .replace("options=", "options=-c%20synchronous_commit%3Doff%20");
        let url = DatabaseUrl::read(&url).unwrap();
        let refused = Postgres::open(&url, Options::default()).await.err();
        assert!(
            matches!(refused, Some(OpenError::Unsafe { .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn a_copy_that_has_not_ended_does_not_open_and_is_gone_on_with() {
    on_database(async |database| {
        let url = database.url();
        let begun = Postgres::begin(&url, Options::default()).await.unwrap();
        append_each(&begun, &["a"]).await;
        drop(begun);
        assert!(matches!(
            refusal(database).await,
            OpenError::Unfinished { .. }
        ));
        let begun = Postgres::begin(&url, Options::default()).await.unwrap();
        append_each(&begun, &["a"]).await;
        begun.finish(&url).await.unwrap();
        assert_eq!(database.open().await.revision(&deal("a")).await, Ok(2));
        let refused = Postgres::begin(&url, Options::default()).await.err();
        assert!(
            matches!(refused, Some(OpenError::NotEmpty { .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn nothing_that_is_told_names_the_password() {
    run(async {
        for url in [
            "postgres://me:secret@127.0.0.1:1/d",
            "postgres://me:secret@127.0.0.1:1/d?nonsense=secret",
            "postgres://me:secret@[/d",
        ] {
            let url = DatabaseUrl::read(url).unwrap();
            let refused = Postgres::open(&url, impatient()).await.err().unwrap();
            assert!(!refused.to_string().contains("secret"), "{refused}");
            assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
        }
    });
}

/// Asserts that what a statement breaks is named where it is read.
fn check_damage(sql: &str, place: &str, read: impl AsyncFn(&Postgres) -> Option<Error>) {
    on_database(async |database| {
        let store = database.open().await;
        append_each(&store, &["a", "a", "a", "b"]).await;
        store.keep_projection(&deal("a"), projection(3, b"folded"));
        store.close().await;
        let store = database.open().await;
        assert_eq!(read(&store).await, None);
        database.execute(sql).await;
        match read(&store).await {
            Some(Error::Corrupt { place: told, .. }) => assert!(told.contains(place), "{told}"),
            other => panic!("{other:?}"),
        }
    });
}

async fn of_events(store: &Postgres) -> Option<Error> {
    store.events(&deal("a"), 0, 9).await.err()
}

async fn of_changes(store: &Postgres) -> Option<Error> {
    store.changes(0, 9).await.err()
}

async fn of_projection(store: &Postgres) -> Option<Error> {
    store.projection(&deal("a")).await.err()
}

#[test]
fn a_flipped_bit_of_an_event_is_named() {
    let sql = "UPDATE verbatim_events SET body = set_bit(body, 200, 1 - get_bit(body, 200)) WHERE revision = 2";
    check_damage(sql, "acme/a@2", of_events);
}

#[test]
fn an_event_that_is_gone_is_named() {
    let sql = "DELETE FROM verbatim_events WHERE revision = 2";
    check_damage(sql, "acme/a@2", of_events);
}

#[test]
fn events_that_changed_places_are_named() {
    let sql = "UPDATE verbatim_events e SET body = (SELECT o.body FROM verbatim_events o
        WHERE o.deal = e.deal AND o.revision = 4 - e.revision) WHERE revision IN (1, 3) AND deal = 'a'";
    check_damage(sql, "acme/a@1", of_events);
}

#[test]
fn a_flipped_bit_of_the_changes_is_named() {
    let sql = "UPDATE verbatim_changes SET body = set_bit(body, 200, 1 - get_bit(body, 200)) WHERE last = 2";
    check_damage(sql, "changes", of_changes);
}

#[test]
fn changes_that_are_gone_are_named() {
    check_damage(
        "DELETE FROM verbatim_changes WHERE last = 2",
        "changes from 2",
        of_changes,
    );
}

#[test]
fn a_flipped_bit_of_a_projection_is_named() {
    let sql = "UPDATE verbatim_projections SET body = set_bit(body, 200, 1 - get_bit(body, 200))";
    check_damage(sql, "(projection)", of_projection);
}

#[test]
fn projections_can_be_forgotten() {
    on_database(async |database| {
        let store = database.open().await;
        append_each(&store, &["a"]).await;
        store.keep_projection(&deal("a"), projection(1, b"folded"));
        store.close().await;
        let store = database.open().await;
        store.forget_projections().await.unwrap();
        assert_eq!(store.projection(&deal("a")).await, Ok(None));
        assert_eq!(store.revision(&deal("a")).await, Ok(1));
    });
}

/// Appends through a way that cuts the commit, and asserts that it is there once.
fn check_cut(cut: Cut, commits: u64) {
    on_database(async |database| {
        let (proxy, store) = through_proxy(database, Options::default()).await;
        append_each(&store, &["a"]).await;
        let before = proxy.commits();
        proxy.cut_next_commit(cut);
        let key = deal("a");
        let answer = store.append(&key, 1, events(&key, 3)).await;
        assert_eq!(answer, Ok(4));
        assert_eq!(proxy.commits() - before, commits);
        assert_eq!(store.revision(&key).await, Ok(4));
        assert_eq!(store.newest_sequence().await, Ok(2));
        append_each(&store, &["a", "b"]).await;
        assert_eq!(store.changes(0, 9).await.unwrap().len(), 4);
    });
}

async fn through_proxy(database: &Database, options: Options) -> (Proxy, Postgres) {
    let text = database.text();
    let (scheme_and_user, rest) = text.split_once('@').unwrap();
    let (target, rest) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(target).await;
    let text = format!("{scheme_and_user}@{}/{rest}", proxy.address);
    let url = DatabaseUrl::read(&text).unwrap();
    (proxy, Postgres::open(&url, options).await.unwrap())
}

#[test]
fn a_commit_whose_answer_was_lost_is_found_out() {
    check_cut(Cut::After, 1);
}

#[test]
fn a_commit_that_was_lost_on_the_way_is_made_again() {
    check_cut(Cut::Before, 1);
}

#[test]
fn when_another_replica_takes_the_place_of_a_lost_commit_it_is_a_conflict() {
    on_database(async |database| {
        let (proxy, store) = through_proxy(database, Options::default()).await;
        let other = database.open().await;
        append_each(&store, &["a"]).await;
        proxy.cut_next_commit(Cut::Before);
        let key = deal("a");
        let (answer, taken) = tokio::join!(store.append(&key, 1, events(&key, 1)), async {
            // Waits for the events that the lost transaction still holds, or comes first, or last.
            other.append(&key, 1, vec![b"other".to_vec()]).await
        });
        let conflict = Err(Error::Conflict {
            expected: 1,
            actual: 2,
        });
        let outcomes = [answer, taken];
        assert!(
            outcomes.contains(&Ok(2)) && outcomes.contains(&conflict),
            "{outcomes:?}"
        );
        assert_eq!(store.newest_sequence().await, Ok(2));
    });
}

/// Appends one event, again while nothing is known of it: by its revision it is there once or not at all.
async fn append_once(store: &Postgres, key: &DealKey, expected: Revision) {
    let written = Err(Error::Conflict {
        expected,
        actual: expected + 1,
    });
    let mut unknown = false;
    loop {
        match store.append(key, expected, events(key, 1)).await {
            // On a machine that is slow and cut all the time, what a lost commit came to may not be found out in time.
            Err(Error::Unknown(_)) => unknown = true,
            Err(Error::Unavailable(_)) => {}
            answer if unknown && answer == written => return,
            answer => return assert_eq!(answer, Ok(expected + 1)),
        }
    }
}

#[test]
fn connections_that_are_cut_again_and_again_lose_nothing_and_double_nothing() {
    on_database(async |database| {
        let store = Arc::new(database.open().await);
        let done = AtomicBool::new(false);
        let cut = async {
            let client = database.connect().await;
            let others = "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
                JOIN pg_locks l ON l.pid = a.pid JOIN pg_class c ON c.oid = l.relation
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = current_schema() AND a.pid <> pg_backend_pid()
                AND a.application_name = 'verbatim'";
            let mut cuts = 0;
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            while !done.load(Ordering::SeqCst) {
                pace.tick().await;
                cuts += client.query(others, &[]).await.unwrap().len();
            }
            cuts
        };
        let write = async {
            let writers = (0..8).map(|number| {
                let store = Arc::clone(&store);
                async move {
                    let key = deal(&format!("{number}"));
                    for expected in 0..40 {
                        append_once(&store, &key, expected).await;
                    }
                }
            });
            join_all(writers).await;
            done.store(true, Ordering::SeqCst);
        };
        let (cuts, ()) = tokio::join!(cut, write);
        assert!(0 < cuts, "no connection was cut");
        assert_eq!(store.newest_sequence().await, Ok(320));
        assert_eq!(store.changes(0, 1_000).await.unwrap().len(), 320);
    });
}

#[test]
fn a_row_that_somebody_holds_longer_than_a_statement_may_take_is_waited_for() {
    on_database(async |database| {
        let options = Options {
            statement_timeout: Duration::from_millis(100),
            ..Options::default()
        };
        let store = database.open_with(options).await;
        let client = database.connect().await;
        let hold = "BEGIN; SELECT last FROM verbatim_sequence FOR UPDATE";
        client.batch_execute(hold).await.unwrap();
        let key = deal("a");
        // By the database's own clock: longer than several statements may take.
        let release = client.batch_execute("SELECT pg_sleep(0.45); ROLLBACK");
        let (answer, released) = tokio::join!(store.append(&key, 0, events(&key, 1)), release);
        released.unwrap();
        assert_eq!(answer, Ok(1));
        assert_eq!(store.newest_sequence().await, Ok(1));
    });
}

#[test]
fn what_cannot_be_written_in_time_is_refused_and_is_not_there() {
    on_database(async |database| {
        let store = database.open_with(impatient()).await;
        let client = database.connect().await;
        let hold = "BEGIN; SELECT last FROM verbatim_sequence FOR UPDATE";
        client.batch_execute(hold).await.unwrap();
        let key = deal("a");
        let answer = store.append(&key, 0, events(&key, 1)).await;
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        client.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(store.revision(&key).await, Ok(0));
        assert_eq!(store.append(&key, 0, events(&key, 1)).await, Ok(1));
    });
}

#[test]
fn a_database_that_is_gone_is_a_fault_that_passes() {
    on_database(async |database| {
        let (proxy, store) = through_proxy(database, impatient()).await;
        append_each(&store, &["a"]).await;
        assert_eq!(store.fault(), None);
        // Nobody answers there any more.
        database
            .execute("ALTER TABLE verbatim_sequence RENAME TO verbatim_gone")
            .await;
        let key = deal("a");
        let answer = store.append(&key, 1, events(&key, 1)).await;
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while store.fault().is_none() {
            pace.tick().await;
        }
        assert!(matches!(store.fault(), Some(Fault::Passing(_))));
        database
            .execute("ALTER TABLE verbatim_gone RENAME TO verbatim_sequence")
            .await;
        while store.fault().is_some() {
            pace.tick().await;
        }
        assert_eq!(store.append(&key, 1, events(&key, 1)).await, Ok(2));
        drop(proxy);
    });
}

#[test]
fn more_appends_than_may_wait_are_refused_at_once() {
    on_database(async |database| {
        let options = Options {
            waiting_max: 3,
            ..Options::default()
        };
        let store = database.open_with(options).await;
        let client = database.connect().await;
        let hold = "BEGIN; SELECT last FROM verbatim_sequence FOR UPDATE";
        client.batch_execute(hold).await.unwrap();
        let keys: Vec<_> = (0..40).map(|number| deal(&format!("{number}"))).collect();
        let appends = join_all(keys.iter().map(|key| store.append(key, 0, events(key, 1))));
        let release = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            client.batch_execute("ROLLBACK").await.unwrap();
        };
        let (answers, ()) = tokio::join!(appends, release);
        let busy = answers
            .iter()
            .filter(|answer| matches!(answer, Err(Error::Busy { .. })));
        let written = answers.iter().filter(|answer| **answer == Ok(1)).count();
        assert_eq!(busy.count() + written, 40, "{answers:?}");
        assert!((3..40).contains(&written), "{written}");
        assert_eq!(store.newest_sequence().await, Ok(written as u64));
    });
}

#[test]
fn a_store_that_was_dropped_in_the_middle_has_all_or_nothing_of_each_append() {
    on_database(async |database| {
        for round in 0..5 {
            let store = Arc::new(database.open().await);
            let key = deal(&format!("{round}"));
            let writing = {
                let (store, key) = (Arc::clone(&store), key.clone());
                tokio::spawn(async move {
                    let mut expected = 0;
                    while let Ok(revision) = store.append(&key, expected, events(&key, 3)).await {
                        expected = revision;
                    }
                    expected
                })
            };
            tokio::time::sleep(Duration::from_millis(10 + 7 * round)).await;
            writing.abort();
            let _ = writing.await;
            drop(store);
            let store = database.open().await;
            let revision = store.revision(&key).await.unwrap();
            assert_eq!(revision % 3, 0, "{revision}");
            let history = store.events(&key, 0, usize::MAX).await.unwrap();
            assert_eq!(history.len() as u64, revision);
        }
        let store = database.open().await;
        let newest = store.newest_sequence().await.unwrap();
        assert_eq!(
            store.changes(0, 100_000).await.unwrap().len() as u64,
            newest
        );
        check_history(&store, &deal("none"), &[]).await;
    });
}

/// Whether the connections of a store by this `sslmode` are encrypted, or why it does not open.
async fn encrypted(database: &Database, sslmode: &str) -> Result<bool, String> {
    let name = format!("tls-{}", sslmode.len());
    let wanted = format!("{sslmode}&application_name={name}");
    let url = database.text().replace("sslmode=disable", &wanted);
    let opened = Postgres::open(&DatabaseUrl::read(&url).unwrap(), impatient()).await;
    let store = opened.map_err(|error| error.to_string())?;
    append_each(&store, &["a"]).await;
    let sql = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
        WHERE a.application_name = $1";
    let client = database.connect().await;
    let row = client.query_one(sql, &[&name]).await.unwrap();
    Ok(row.get(0))
}

#[test]
fn connections_are_encrypted_as_sslmode_says_and_who_answers_is_verified_when_it_says_so() {
    on_database(async |database| {
        let certificate = std::env::var("VERBATIM_TEST_POSTGRES_CERTIFICATE").unwrap();
        let ours = format!("sslmode=verify-full&sslrootcert={certificate}");
        assert_eq!(encrypted(database, "sslmode=disable").await, Ok(false));
        assert_eq!(encrypted(database, "sslmode=prefer").await, Ok(true));
        assert_eq!(encrypted(database, "sslmode=require").await, Ok(true));
        assert_eq!(encrypted(database, &ours).await, Ok(true));
        // Nobody whom the system trusts has signed it.
        let refused = encrypted(database, "sslmode=verify-full")
            .await
            .unwrap_err();
        assert!(refused.contains("certificate"), "{refused}");
    });
}
