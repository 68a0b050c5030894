//! A database for one test: a schema of its own on the server that `VERBATIM_TEST_POSTGRES` names, if it names one.

use std::io::Write;
use std::sync::Once;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;

use tokio_postgres::Client;
use tokio_postgres::NoTls;
use verbatim::config::DatabaseUrl;
use verbatim::store::postgres::Options;
use verbatim::store::postgres::Postgres;

const VARIABLE: &str = "VERBATIM_TEST_POSTGRES";

static TOLD: Once = Once::new();
static MADE: AtomicU64 = AtomicU64::new(0);

/// A schema that is gone when this is dropped.
pub struct Database {
    server: String,
    schema: String,
}

impl Database {
    /// An empty one; `None` where there is no server, which is told once.
    pub fn empty() -> Option<Database> {
        let Ok(server) = std::env::var(VARIABLE) else {
            TOLD.call_once(|| {
                let line = format!(
                    "\nNOT RUN: the cases of PostgreSQL, since {VARIABLE} is not set; tests/postgres/with-server cargo test runs them\n"
                );
                // Past the harness, which keeps back what a passing test prints.
                let _ = std::io::stderr().write_all(line.as_bytes());
            });
            return None;
        };
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let schema = format!("test_{}_{number}", std::process::id());
        let database = Database { server, schema };
        database.apart(&format!("CREATE SCHEMA {}", database.schema));
        Some(database)
    }

    /// One with the tables of this build.
    pub fn new() -> Option<Database> {
        let database = Database::empty()?;
        let url = database.url();
        on_thread(move || {
            let migrated = crate::support::run(Postgres::migrate(&url)).unwrap();
            assert_eq!(migrated.from, 0);
        });
        Some(database)
    }

    pub fn text(&self) -> String {
        let joint = if self.server.contains('?') { '&' } else { '?' };
        format!(
            "{}{joint}options=-c%20search_path%3D{}",
            self.server, self.schema
        )
    }

    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::read(&self.text()).unwrap()
    }

    pub async fn open(&self) -> Postgres {
        self.open_with(Options::default()).await
    }

    pub async fn open_with(&self, options: Options) -> Postgres {
        Postgres::open(&self.url(), options).await.unwrap()
    }

    /// A connection beside those of a store.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.text(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// What a statement does, beside the stores.
    pub async fn execute(&self, sql: &str) {
        self.connect().await.batch_execute(sql).await.unwrap();
    }

    fn apart(&self, sql: &str) {
        let (server, sql) = (self.server.clone(), sql.to_owned());
        on_thread(move || {
            crate::support::run(async {
                let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(&sql).await.unwrap();
            });
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.apart(&format!("DROP SCHEMA {} CASCADE", self.schema));
    }
}

/// Off the caller's runtime, in which no other can be run.
fn on_thread(work: impl FnOnce() + Send + 'static) {
    thread::spawn(work).join().unwrap();
}
