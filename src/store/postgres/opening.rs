//! How a store in a database is opened, begun, and its tables brought up to date.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::config::DatabaseUrl;
use crate::store::Store;
use crate::store::postgres::OpenError;
use crate::store::postgres::Options;
use crate::store::postgres::Postgres;
use crate::store::postgres::Shared;
use crate::store::postgres::address::Address;
use crate::store::postgres::failure::Failure;
use crate::store::postgres::pool::Pool;
use crate::store::postgres::reads;
use crate::store::postgres::schema;
use crate::store::postgres::schema::Migrated;
use crate::store::postgres::schema::Standing;
use crate::store::postgres::writer::Writer;
use crate::store::queue::Limits;
use crate::store::queue::QUIET;
use crate::store::queue::Queue;

/// How often the database is asked whether it is there.
const LOOKING: Duration = Duration::from_secs(1);

/// At every so many of these times it is also asked how much disk it takes.
const LOOKS_A_MEASURE: u64 = 60;

impl Postgres {
    /// Opens the store at `url`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; nothing was changed.
    pub async fn open(url: &DatabaseUrl, options: Options) -> Result<Postgres, OpenError> {
        let (address, pool) = connected(url, &options)?;
        let standing = check(&address, &pool).await?;
        if standing.unfinished {
            return Err(OpenError::Unfinished {
                at: address.shown().to_owned(),
            });
        }
        Postgres::start(&address, pool, options).await
    }

    /// Begins a store in a database that holds no deals yet, or goes on with one that was begun so: it does not
    /// [`Postgres::open`] before it is finished.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotEmpty`]: nothing was changed. Else those of [`Postgres::open`].
    pub async fn begin(url: &DatabaseUrl, options: Options) -> Result<Postgres, OpenError> {
        let (address, pool) = connected(url, &options)?;
        let standing = check(&address, &pool).await?;
        let at = || address.shown().to_owned();
        if !standing.unfinished {
            let newest = reads::newest(&pool).await;
            match newest {
                Ok(0) => {}
                Ok(_) => return Err(OpenError::NotEmpty { at: at() }),
                Err(error) => return Err(OpenError::unreachable(&address, error.to_string())),
            }
            set_unfinished(&address, &pool, true).await?;
        }
        Postgres::start(&address, pool, options).await
    }

    /// Finishes a store that was begun, and closes it: from now on it opens.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unreachable`].
    pub async fn finish(self, url: &DatabaseUrl) -> Result<(), OpenError> {
        let address = Address::read(url).map_err(OpenError::Address)?;
        set_unfinished(&address, &self.pool, false).await?;
        self.close().await;
        Ok(())
    }

    /// The statements that the database at `url` needs before this build runs on it; none: it does.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`], [`OpenError::Unreachable`], [`OpenError::Ahead`].
    pub async fn missing(url: &DatabaseUrl) -> Result<Vec<&'static str>, OpenError> {
        let (address, pool) = connected(url, &Options::default())?;
        let version = standing(&address, &pool).await?.version;
        match version <= schema::VERSION {
            true => Ok(schema::missing(version)),
            false => Err(OpenError::ahead(&address, version)),
        }
    }

    /// Brings the database at `url` to what this build needs, also while replicas run on it.
    ///
    /// # Errors
    ///
    /// As [`Postgres::missing`].
    pub async fn migrate(url: &DatabaseUrl) -> Result<Migrated, OpenError> {
        let (address, pool) = connected(url, &Options::default())?;
        let found = standing(&address, &pool).await?.version;
        if schema::VERSION < found {
            return Err(OpenError::ahead(&address, found));
        }
        let failed = |failure: Failure| OpenError::unreachable(&address, failure.text());
        let mut client = pool.get().await.map_err(failed)?;
        // A step over a large table may take longer than any statement of the service.
        let patient = client.batch_execute("SET statement_timeout = 0").await;
        let migrated = match patient {
            Ok(()) => schema::migrate(&mut client).await,
            Err(error) => Err(error),
        };
        migrated.map_err(|error| failed(Failure::of(&error)))
    }

    async fn start(address: &Address, pool: Pool, options: Options) -> Result<Postgres, OpenError> {
        // The count is there before anybody counts on it.
        let newest = reads::newest(&pool).await;
        newest.map_err(|error| OpenError::unreachable(address, error.to_string()))?;

        let queue = Arc::new(Queue::new(Limits {
            appends_max: options.waiting_max.max(1),
            projections_max: options.projections_waiting_max,
            group_appends_max: options.group_appends_max.clamp(1, 4096),
            group_bytes_max: options.group_bytes_max,
            quiet: QUIET,
        }));
        let failed = |problem: String| OpenError::unreachable(address, problem);
        let writers_pool = Pool::new(address, 1, &options).map_err(failed)?;
        let shared = Arc::new(Shared {
            options,
            abandoned: AtomicBool::new(false),
            trouble: Mutex::new(None),
            disk_bytes: Mutex::new(None),
        });
        let (writer, writer_ended) =
            spawn_writer(Arc::clone(&queue), writers_pool, Arc::clone(&shared))
                .map_err(|error| failed(format!("a writer cannot be started: {error}")))?;
        let pool = Arc::new(pool);
        tokio::spawn(look(Arc::downgrade(&pool), Arc::downgrade(&shared)));
        Ok(Postgres {
            queue,
            pool,
            shared,
            writer_ended,
            writer: Mutex::new(Some(writer)),
            closed: AtomicBool::new(false),
        })
    }
}

fn connected(url: &DatabaseUrl, options: &Options) -> Result<(Address, Pool), OpenError> {
    let address = Address::read(url).map_err(OpenError::Address)?;
    let pool = Pool::new(&address, options.connections_max.max(1), options)
        .map_err(|problem| OpenError::Address(format!("{}: {problem}", address.shown())))?;
    Ok((address, pool))
}

async fn standing(address: &Address, pool: &Pool) -> Result<Standing, OpenError> {
    let failed = |failure: Failure| OpenError::unreachable(address, failure.text());
    let client = pool.get().await.map_err(failed)?;
    pool.in_time(schema::standing(&client))
        .await
        .map_err(failed)
}

/// Whether this build may run on the database.
async fn check(address: &Address, pool: &Pool) -> Result<Standing, OpenError> {
    let standing = standing(address, pool).await?;
    let at = || address.shown().to_owned();
    if standing.version < schema::VERSION {
        return Err(OpenError::Behind {
            at: at(),
            found: standing.version,
            needed: schema::VERSION,
        });
    }
    if schema::VERSION < standing.version {
        return Err(OpenError::ahead(address, standing.version));
    }
    // Unknown where an engine has no such setting: then it has no such danger either.
    let setting = async |name: &str| {
        let rows = pool.read(&format!("SHOW {name}"), &[]).await.ok()?;
        rows.first()?.try_get::<_, String>(0).ok()
    };
    if setting("synchronous_commit").await.as_deref() == Some("off") {
        return Err(OpenError::Unsafe { at: at() });
    }
    if setting("fsync").await.as_deref() == Some("off") {
        tracing::warn!("fsync is off in the database: a crash of its machine may damage it");
    }
    Ok(standing)
}

async fn set_unfinished(address: &Address, pool: &Pool, unfinished: bool) -> Result<(), OpenError> {
    let failed = |failure: Failure| OpenError::unreachable(address, failure.text());
    let client = pool.get().await.map_err(failed)?;
    pool.in_time(schema::set_unfinished(&client, unfinished))
        .await
        .map_err(failed)
}

fn spawn_writer(
    queue: Arc<Queue>,
    pool: Pool,
    shared: Arc<Shared>,
) -> std::io::Result<(JoinHandle<()>, watch::Receiver<()>)> {
    // Of its own, so that a flight is not handed from thread to thread, and busy calls do not hold it up.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (writer_lives, writer_ended) = watch::channel(());
    let mut writer = Writer::new(runtime, Arc::clone(&queue), pool, shared);
    let thread = thread::Builder::new().name("store-writer".to_owned());
    let thread = thread.spawn(move || {
        // Also when it panics: whatever ended the writer, nobody may wait for it.
        let _abandon = Abandon(queue);
        writer.run();
        drop(writer);
        drop(writer_lives);
    })?;
    Ok((thread, writer_ended))
}

struct Abandon(Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Asks again and again whether the database is there, for as long as the store is.
async fn look(pool: Weak<Pool>, shared: Weak<Shared>) {
    for looks in 0_u64.. {
        tokio::time::sleep(LOOKING).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        let trouble = reads::newest(&pool).await.err();
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if trouble.is_none() && looks.is_multiple_of(LOOKS_A_MEASURE) {
            // An engine that speaks PostgreSQL's language may have no such function: then it is not told.
            *shared.disk_bytes() = reads::disk_bytes(&pool).await.ok();
        }
        *shared.trouble() = trouble.map(|error| error.to_string());
    }
}
