//! What only a store in a database can promise: its schema, its records, its connections. What becomes of commits and
//! connections that break is in `store/interrupted.rs`.

use futures_util::future::join_all;
use verbatim::config::DatabaseUrl;
use verbatim::store::Error;
use verbatim::store::Store;
use verbatim::store::postgres::OpenError;
use verbatim::store::postgres::Options;
use verbatim::store::postgres::Postgres;

use crate::store::append_each;
use crate::store::interrupted::impatient;
use crate::store::projection;
use crate::support::database::Database;
use crate::support::deal;
use crate::support::run;

/// Runs a case on a database with the tables of this build, where there is a server.
pub fn on_database(case: impl AsyncFn(&Database)) {
    if let Some(database) = Database::new() {
        run(case(&database));
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

#[test]
fn what_a_statement_may_take_is_for_the_store_to_say_and_not_for_the_url() {
    on_database(async |database| {
        // As the writer's connection has them.
        database
            .execute(
                "CREATE TABLE told (timeout text, isolation text);
                CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO told VALUES
                        (current_setting('statement_timeout'), current_setting('transaction_isolation'));
                    RETURN NULL;
                END $$;
                CREATE TRIGGER telling AFTER INSERT ON verbatim_events
                FOR EACH ROW EXECUTE FUNCTION tell()",
            )
            .await;
        let theirs =
            "-c%20statement_timeout%3D0%20-c%20default_transaction_isolation%3Dserializable";
        let text = database
            .text()
            .replace("options=", &format!("options={theirs}%20"));
        let url = DatabaseUrl::read(&text).unwrap();
        let store = Postgres::open(&url, impatient()).await.unwrap();
        append_each(&store, &["a"]).await;
        let client = database.connect().await;
        let told = client.query_one("SELECT timeout, isolation FROM told", &[]);
        let told = told.await.unwrap();
        let (timeout, isolation): (String, String) = (told.get(0), told.get(1));
        assert_eq!((&*timeout, &*isolation), ("300ms", "read committed"));
    });
}
