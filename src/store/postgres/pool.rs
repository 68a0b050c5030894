//! Connections that are kept, each for a while, and the reads that go over them.
//!
//! A read is one statement. One that the database did not answer, or took back, is asked again for a bounded time, with
//! pauses; a connection that failed is not used again.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use deadpool_postgres::Hook;
use deadpool_postgres::HookError;
use deadpool_postgres::Manager;
use deadpool_postgres::ManagerConfig;
use deadpool_postgres::Object;
use deadpool_postgres::PoolConfig;
use deadpool_postgres::PoolError;
use deadpool_postgres::RecyclingMethod;
use deadpool_postgres::Runtime;
use deadpool_postgres::Timeouts;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::store::Error;
use crate::store::postgres::Options;
use crate::store::postgres::address::Address;
use crate::store::postgres::failure::Failure;
use crate::store::postgres::failure::pause;
use crate::store::postgres::tls;

/// The parameters of a statement.
pub type Parameters<'a> = [&'a (dyn ToSql + Sync)];

/// Connections to one database.
pub struct Pool {
    pool: deadpool_postgres::Pool,
    /// How long a statement may take as the caller sees it.
    patience: Duration,
    retry_for: Duration,
}

/// How many connections there are, and who waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    pub connections: u64,
    pub idle: u64,
    pub waiting: u64,
}

impl Pool {
    /// At most `connections_max` connections; none is made yet.
    ///
    /// # Errors
    ///
    /// What cannot be read of what TLS needs.
    pub fn new(
        address: &Address,
        connections_max: usize,
        options: &Options,
    ) -> Result<Pool, String> {
        let config = address.config();
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match address.wants_tls() {
            true => Manager::from_config(config, tls::connector(address)?, recycling),
            false => Manager::from_config(config, tokio_postgres::NoTls, recycling),
        };
        let patience = options.statement_timeout + Duration::from_secs(1);
        let lifetime = options.connection_lifetime;
        let idle_max = options.connection_idle_max;
        let young = Hook::sync_fn(move |_, metrics| {
            match metrics.age() < lifetime && metrics.last_used() < idle_max {
                true => Ok(()),
                false => Err(HookError::message("it has been there for long enough")),
            }
        });
        // By statements, and not by options of the connection, which poolers do not pass on; behind those of the URL, so
        // that these hold: the writer counts on them.
        let ours: Arc<str> = format!(
            "SET statement_timeout = {}; SET default_transaction_isolation = 'read committed'",
            options.statement_timeout.as_millis()
        )
        .into();
        let settled = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let ours = Arc::clone(&ours);
            Box::pin(async move {
                let set = client.batch_execute(&ours).await;
                set.map_err(HookError::Backend)
            })
        });
        let pool = deadpool_postgres::Pool::builder(manager)
            .config(PoolConfig {
                max_size: connections_max,
                timeouts: Timeouts {
                    wait: Some(patience),
                    create: Some(patience),
                    recycle: Some(patience),
                },
                ..PoolConfig::default()
            })
            .runtime(Runtime::Tokio1)
            .post_create(settled)
            .pre_recycle(young)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Pool {
            pool,
            patience,
            retry_for: options.retry_for,
        })
    }

    /// A connection.
    pub async fn get(&self) -> Result<Object, Failure> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Failure::of(&error)
            }
            error => Failure::Lost(error.to_string()),
        })
    }

    /// What a statement answers, if it does in time.
    pub async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Failure::of(&error)),
            Err(_) => Err(Failure::late(self.patience)),
        }
    }

    /// The rows that a statement answers.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn read(&self, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, Error> {
        let started = Instant::now();
        let mut failed = 0;
        loop {
            let failure = match self.read_once(sql, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(failure) => failure,
            };
            let lasting = matches!(failure, Failure::Lasting(_));
            if lasting || self.pool.is_closed() || self.retry_for < started.elapsed() {
                return Err(Error::Unavailable(failure.text()));
            }
            tokio::time::sleep(pause(failed)).await;
            failed += 1;
        }
    }

    async fn read_once(&self, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, Failure> {
        let client = self.get().await?;
        let asked = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, parameters).await
        };
        match self.in_time(asked).await {
            Err(failure @ Failure::Lost(_)) => {
                discard(client);
                Err(failure)
            }
            outcome => outcome,
        }
    }

    pub fn occupancy(&self) -> Occupancy {
        let status = self.pool.status();
        Occupancy {
            connections: status.size as u64,
            idle: status.available as u64,
            waiting: status.waiting as u64,
        }
    }

    pub fn close(&self) {
        self.pool.close();
    }
}

/// Lets go of a connection for good.
pub fn discard(client: Object) {
    drop(Object::take(client));
}
