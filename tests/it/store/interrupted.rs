//! A store in a database whose commits, connections and statements break off: what is acknowledged is there once, and what
//! the database takes back is done again, for a bounded time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use verbatim::config::DatabaseUrl;
use verbatim::store::DealKey;
use verbatim::store::Error;
use verbatim::store::Fault;
use verbatim::store::Revision;
use verbatim::store::Store;
use verbatim::store::postgres::Options;
use verbatim::store::postgres::Postgres;

use crate::store::append_each;
use crate::store::check_history;
use crate::store::postgres::on_database;
use crate::support::database::Database;
use crate::support::deal;
use crate::support::events;
use crate::support::proxy::Cut;
use crate::support::proxy::Proxy;

/// Gives up soon, so that a test of giving up ends soon.
pub fn impatient() -> Options {
    Options {
        statement_timeout: Duration::from_millis(300),
        retry_for: Duration::from_millis(600),
        ..Options::default()
    }
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

/// How often connections are cut; writes go on for as long as that takes.
const CUTS: usize = 20;

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
            while cuts < CUTS {
                pace.tick().await;
                cuts += client.query(others, &[]).await.unwrap().len();
            }
            done.store(true, Ordering::SeqCst);
        };
        let write = async {
            let writers = (0..8).map(|number| {
                let (store, done) = (Arc::clone(&store), &done);
                async move {
                    let key = deal(&format!("{number}"));
                    let mut revision = 0;
                    while !done.load(Ordering::SeqCst) {
                        append_once(&store, &key, revision).await;
                        revision += 1;
                    }
                    revision
                }
            });
            join_all(writers).await.into_iter().sum::<Revision>()
        };
        let ((), written) = tokio::join!(cut, write);
        assert_eq!(store.newest_sequence().await, Ok(written));
        let told = store.changes(0, usize::MAX).await.unwrap();
        assert_eq!(told.len() as u64, written);
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
            // Until the store waits for the row: by then all appends were asked for.
            let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid())";
            while !client
                .query_one(waits, &[])
                .await
                .unwrap()
                .get::<_, bool>(0)
            {}
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
            let (told, mut written) = watch::channel(0);
            let writing = {
                let (store, key) = (Arc::clone(&store), key.clone());
                tokio::spawn(async move {
                    let mut expected = 0;
                    while let Ok(revision) = store.append(&key, expected, events(&key, 3)).await {
                        expected = revision;
                        told.send_replace(revision);
                    }
                })
            };
            let enough = 3 * round;
            written.wait_for(|end| enough <= *end).await.unwrap();
            writing.abort();
            let _ = writing.await;
            drop(store);
            let store = database.open().await;
            let revision = store.revision(&key).await.unwrap();
            assert_eq!(revision % 3, 0, "{revision}");
            assert!(enough <= revision, "{revision} of {enough}");
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

/// Has the database fail the first so many of the writers' statements, at once or at their commit, as engines do that
/// have transactions take turns. A sequence counts, since what a transaction that failed has counted there stays.
async fn take_back(database: &Database, table: &str, when: &str, times: u32) {
    database
        .execute(&format!(
            "CREATE SEQUENCE failed;
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('failed') <= {times} THEN
                    RAISE EXCEPTION 'restart transaction' USING ERRCODE = '40001';
                END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON {table}
            DEFERRABLE {when} FOR EACH ROW EXECUTE FUNCTION fail()"
        ))
        .await;
}

const PLACES: [(&str, &str); 3] = [
    ("verbatim_events", "INITIALLY IMMEDIATE"),
    ("verbatim_changes", "INITIALLY IMMEDIATE"),
    ("verbatim_changes", "INITIALLY DEFERRED"),
];

#[test]
fn what_the_database_takes_back_is_done_again_at_any_place_of_a_transaction() {
    for (table, when) in PLACES {
        on_database(async |database| {
            let store = database.open().await;
            append_each(&store, &["a"]).await;
            take_back(database, table, when, 6).await;
            let key = deal("a");
            assert_eq!(store.append(&key, 1, events(&key, 1)).await, Ok(2));
            append_each(&store, &["a", "b"]).await;
            assert_eq!(store.newest_sequence().await, Ok(4), "{table} {when}");
            assert_eq!(store.changes(0, 9).await.unwrap().len(), 4);
            let asked = "SELECT last_value FROM failed";
            let asked = database.connect().await.query_one(asked, &[]).await;
            let failures: i64 = asked.unwrap().get(0);
            assert!(6 < failures, "{table} {when}: {failures}");
        });
    }
}

#[test]
fn what_the_database_takes_back_for_ever_is_refused_in_time_and_is_not_there() {
    for (table, when) in PLACES {
        on_database(async |database| {
            let store = database.open_with(impatient()).await;
            take_back(database, table, when, 1_000_000).await;
            let key = deal("a");
            let answer = store.append(&key, 0, events(&key, 1));
            let answer = tokio::time::timeout(Duration::from_secs(20), answer).await;
            let answer = answer.expect("it gives up");
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
            assert_eq!(store.revision(&key).await, Ok(0));
            assert_eq!(store.newest_sequence().await, Ok(0));
        });
    }
}

#[test]
fn a_connection_that_was_there_or_idle_for_long_enough_is_made_anew() {
    let none = Duration::ZERO;
    for (lifetime, idle_max, is_anew) in [
        (Options::default().connection_lifetime, none, true),
        (none, Options::default().connection_idle_max, true),
        (
            Options::default().connection_lifetime,
            Options::default().connection_idle_max,
            false,
        ),
    ] {
        on_database(async |database| {
            let options = Options {
                connection_lifetime: lifetime,
                connection_idle_max: idle_max,
                ..Options::default()
            };
            let (proxy, store) = through_proxy(database, options).await;
            append_each(&store, &["a"]).await;
            let before = proxy.connections();
            for _ in 0..5 {
                assert_eq!(store.revision(&deal("a")).await, Ok(1));
            }
            let made = proxy.connections() - before;
            assert_eq!(5 <= made, is_anew, "{lifetime:?} {idle_max:?}: {made}");
        });
    }
}
