//! How long a service takes from its start to its first answer on a large store, and how much memory it comes to hold.
//!
//! The store is filled around the interface, and forgotten by the system's page cache, so that it is read from the
//! disk as after a restart of the machine.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;
use rustix::fs::Advice;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::book;
use crate::cli::bench::book::Book;
use crate::cli::bench::callers::Run;
use crate::cli::bench::compare;
use crate::cli::bench::line::Line;
use crate::cli::bench::stored;
use crate::cli::bench::work::Mix;
use crate::cli::bench::work::Work;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::store::DealKey;
use crate::store::Store;
use crate::store::embedded::Embedded;
use crate::store::embedded::Options;

/// Deals appended at the same time while filling.
const LANES: usize = 512;

/// A scan over all deals ends here at the latest.
const SCAN_MAX: Duration = Duration::from_secs(120);

/// What an open gave.
pub struct Opened {
    pub deals: usize,
    pub statements: usize,
    pub filled_in: Duration,
    pub disk_bytes: u64,
    /// From starting the process to the line that says where it listens.
    pub listening: Duration,
    /// From starting the process to the first score.
    pub answered: Duration,
    /// After the first score.
    pub peak_bytes_open: Option<u64>,
    /// After all deals were scored.
    pub peak_bytes_scanned: Option<u64>,
    pub scan: Run,
}

/// Fills a store, opens it with a service, and scores every deal once.
pub async fn run(args: &BenchArgs) -> Result<Opened, Failure> {
    let deals = args.deals.unwrap_or(100_000);
    let statements = args.statements.unwrap_or(deals * book::STATEMENTS);
    let place = compare::place(args.directory.as_deref())?;
    let data = place.path().join("store");
    let book = Book::new();

    eprintln!("filling: {deals} deals, {statements} statements");
    let begun = Instant::now();
    fill(&data, book, deals, statements).await?;
    let filled_in = begun.elapsed();
    let disk_bytes = forget_pages(&data).map_err(|error| internal("read the store", &error))?;

    let process = compare::serve(&data)?;
    let listening = process.started.elapsed();
    let line = Line::connect(&process.url).await?;
    let work = Arc::new(Work::of_deals(Mix::Score, book, 0, deals).ending_after(deals));
    let first = work.next().expect("there is a deal");
    line.call(first)
        .await
        .map_err(|status| Failure::of_status(&status))?;
    let answered = process.started.elapsed();
    let peak_bytes_open = process.peak_bytes();

    let url = &process.url;
    let scan = compare::measured(url, Some(&process), args.crowd(), &work, SCAN_MAX).await?;
    Ok(Opened {
        deals,
        statements,
        filled_in,
        disk_bytes,
        listening,
        answered,
        peak_bytes_open,
        peak_bytes_scanned: process.peak_bytes(),
        scan,
    })
}

async fn fill(data: &Path, book: Book, deals: usize, statements: usize) -> Result<(), Failure> {
    let store = Embedded::open(data, Options::default())
        .map_err(|error| internal("make the store", &error))?;
    let mut appends = stream::iter(0..deals)
        .map(|deal| {
            // The first deals take what does not divide.
            let length = statements / deals + usize::from(deal < statements % deals);
            let events = stored::deal(book, deal, length);
            let key = DealKey::new("default", &Book::deal_id(deal));
            let store = &store;
            async move { store.append(&key, 0, events).await }
        })
        .buffer_unordered(LANES);
    while let Some(appended) = appends.next().await {
        appended.map_err(|error| internal("fill the store", &error))?;
    }
    drop(appends);
    store.close().await;
    Ok(())
}

/// Asks the system to forget what it holds of these files, and answers their size.
pub fn forget_pages(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            bytes += forget_pages(&entry.path())?;
            continue;
        }
        let file = File::open(entry.path())?;
        bytes += file.metadata()?.len();
        file.sync_all()?;
        rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(bytes)
}

pub fn internal(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Internal, format!("cannot {what}: {error}"))
}
