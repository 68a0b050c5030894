//! Where a store is, for the commands that take any: a directory, or the URL of a database.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::keep;
use crate::cli::migrate;
use crate::config::DatabaseUrl;
use crate::store::Error;
use crate::store::Store;
use crate::store::embedded::Embedded;
use crate::store::embedded::Options;
use crate::store::postgres;
use crate::store::postgres::Postgres;

/// A place of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Directory(PathBuf),
    Database(DatabaseUrl),
}

/// A store that was opened, and what only its kind can do.
#[derive(Clone)]
pub enum Opened {
    Directory(Arc<Embedded>),
    Database(Arc<Postgres>),
}

/// A store that is being made.
pub enum Begun {
    Directory(Embedded, PathBuf),
    Database(Postgres, DatabaseUrl),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if text.is_empty() {
            return Err("it must be a directory, or the URL of a database".to_owned());
        }
        Ok(match DatabaseUrl::read(text) {
            Some(url) => Place::Database(url),
            None => Place::Directory(PathBuf::from(text)),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Directory(directory) => write!(formatter, "{}", directory.display()),
            Place::Database(url) => write!(formatter, "{url}"),
        }
    }
}

impl Place {
    /// Opens the store that is there. `instead` says what to do when a service holds its directory.
    pub async fn open(&self, instead: &str) -> Result<Opened, Failure> {
        match self {
            Place::Directory(directory) => {
                let store = keep::open(directory, instead)?;
                Ok(Opened::Directory(Arc::new(store)))
            }
            Place::Database(url) => {
                let opened = Postgres::open(url, postgres::Options::default()).await;
                let store = opened.map_err(|error| migrate::of(&error))?;
                Ok(Opened::Database(Arc::new(store)))
            }
        }
    }

    /// Begins a store where there is none, or goes on with one that was begun.
    pub async fn begin(&self) -> Result<Begun, Failure> {
        match self {
            Place::Directory(directory) => {
                let instead = "a store is made beside it: name another directory";
                let begun = Embedded::begin(directory, Options::default());
                let store = begun.map_err(|error| keep::of_open(&error, instead))?;
                Ok(Begun::Directory(store, directory.clone()))
            }
            Place::Database(url) => {
                let begun = Postgres::begin(url, postgres::Options::default()).await;
                let store = begun.map_err(|error| migrate::of(&error))?;
                Ok(Begun::Database(store, url.clone()))
            }
        }
    }
}

impl Opened {
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Opened::Directory(store) => Arc::clone(store) as Arc<dyn Store>,
            Opened::Database(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    pub async fn forget_projections(&self) -> Result<(), Error> {
        match self {
            Opened::Directory(store) => store.forget_projections(),
            Opened::Database(store) => store.forget_projections().await,
        }
    }
}

impl Begun {
    pub fn store(&self) -> &dyn Store {
        match self {
            Begun::Directory(store, _) => store,
            Begun::Database(store, _) => store,
        }
    }

    /// Finishes it: from now on it opens.
    pub async fn finish(self) -> Result<(), Failure> {
        match self {
            Begun::Directory(store, directory) => {
                let finished = store.finish(&directory).await;
                finished.map_err(|error| Failure::new(Exit::Internal, error.to_string()))
            }
            Begun::Database(store, url) => {
                let finished = store.finish(&url).await;
                finished.map_err(|error| migrate::of(&error))
            }
        }
    }
}
