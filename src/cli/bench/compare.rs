//! A load on the service beside the least that it could cost, in alternating slices of one run.
//!
//! On a machine that others use, figures drift by a factor of two within minutes. What is measured a second apart
//! drifts together, so ratios hold where figures do not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::book;
use crate::cli::bench::book::Book;
use crate::cli::bench::callers;
use crate::cli::bench::callers::Crowd;
use crate::cli::bench::callers::Run;
use crate::cli::bench::database::Database;
use crate::cli::bench::file;
use crate::cli::bench::fill;
use crate::cli::bench::line::Line;
use crate::cli::bench::process::Process;
use crate::cli::bench::stored;
use crate::cli::bench::work::Mix;
use crate::cli::bench::work::Work;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::config::DatabaseUrl;

/// Slices of each side, taken in turn.
const SLICES: u32 = 5;

/// Calls that tell how large requests and answers are.
const SAMPLES: usize = 200;

/// Records in a group when nobody need be waited for.
const BOUND_GROUP: usize = 64;

/// What a comparison gave.
pub struct Comparison {
    pub mix: Mix,
    pub crowd: Crowd,
    pub deals: usize,
    pub slice: Duration,
    pub request_bytes: usize,
    pub response_bytes: usize,
    pub service: Run,
    /// The first is a bare tonic echo server.
    pub baselines: Vec<Baseline>,
    /// For a load that only records.
    pub disk: Option<Disk>,
    /// For a load that only records, to a database.
    pub database: Option<Database>,
}

/// A server that does less than the service.
pub struct Baseline {
    pub name: &'static str,
    process: Process,
    pub run: Run,
}

/// What the disk does without a store.
pub struct Disk {
    pub record_bytes: usize,
    pub file: Run,
    /// Records a second when groups of 64 are always at hand.
    pub bound_per_second: f64,
}

/// The service that is measured.
pub struct Service {
    pub url: String,
    /// `None` when it was there before.
    pub process: Option<Process>,
    /// Where its store is, and the baseline's file; dropped after the process.
    pub place: TempDir,
}

impl Service {
    /// Starts a service on a store of its own, or takes the one named.
    pub fn of(args: &BenchArgs) -> Result<Service, Failure> {
        let place = place(args.directory.as_deref())?;
        let (url, process) = match &args.server {
            Some(url) => (url.clone(), None),
            None => {
                let process = match &args.store {
                    Some(url) => serve_on(url)?,
                    None => serve(&place.path().join("store"))?,
                };
                (process.url.clone(), Some(process))
            }
        };
        Ok(Service {
            url,
            process,
            place,
        })
    }
}

/// A directory that is gone when it is dropped.
pub fn place(parent: Option<&Path>) -> Result<TempDir, Failure> {
    let mut place = tempfile::Builder::new();
    place.prefix("verbatim-bench-");
    let made = match parent {
        Some(parent) => place.tempdir_in(parent),
        None => place.tempdir(),
    };
    made.map_err(|error| Failure::new(Exit::Internal, format!("no temporary directory: {error}")))
}

/// Starts a service on that database.
fn serve_on(url: &DatabaseUrl) -> Result<Process, Failure> {
    Process::start_with(
        &["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"],
        &[("VERBATIM_STORE", url.reveal())],
    )
}

/// Starts a service on the store in that directory.
pub fn serve(data: &Path) -> Result<Process, Failure> {
    let data = data.to_string_lossy();
    Process::start(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--log-level",
        "warn",
        "--data",
        &data,
    ])
}

/// Fills a service, and measures it beside its baselines.
pub async fn run(args: &BenchArgs, mix: Mix) -> Result<Comparison, Failure> {
    let crowd = args.crowd();
    let deals = args.deals.unwrap_or(2_000);
    let service = Service::of(args)?;
    let book = Book::new();
    fill::fill(&service.url, book, vec![book::STATEMENTS; deals]).await?;

    let work = Arc::new(Work::of_deals(mix, book, 0, deals));
    let (request_bytes, response_bytes) = sizes(&service.url, &work).await?;
    let disk = (mix == Mix::Record).then(|| Disk {
        record_bytes: stored::statement_bytes(book),
        file: Run::new(),
        bound_per_second: 0.0,
    });
    let baselines = baselines(response_bytes, disk.as_ref(), service.place.path())?;
    let echo_work = Arc::new(Work::of_echo(request_bytes));

    let warm_up = Duration::from_secs(args.warm_up);
    measured(
        &service.url,
        service.process.as_ref(),
        crowd,
        &work,
        warm_up,
    )
    .await?;
    for Baseline { process, .. } in &baselines {
        measured(&process.url, Some(process), crowd, &echo_work, warm_up / 2).await?;
    }

    let slice = Duration::from_secs(args.seconds) / SLICES;
    let mut comparison = Comparison {
        mix,
        crowd,
        deals,
        slice,
        request_bytes,
        response_bytes,
        service: Run::new(),
        baselines,
        disk,
        database: match &args.store {
            Some(url) if mix == Mix::Record => Some(Database::begin(url)?),
            _ => None,
        },
    };
    for _ in 0..SLICES {
        let process = service.process.as_ref();
        let run = measured(&service.url, process, crowd, &work, slice).await?;
        comparison.service.add(run);
        for Baseline { process, run, .. } in &mut comparison.baselines {
            let slice = measured(&process.url, Some(process), crowd, &echo_work, slice).await?;
            run.add(slice);
        }
        if let Some(disk) = &mut comparison.disk {
            measure_disk(disk, service.place.path(), crowd, slice).await?;
        }
        if let (Some(database), Some(url)) = (&mut comparison.database, &args.store) {
            let bytes = stored::statement_bytes(book);
            let sizes = (deals, crowd.callers);
            database.slice(url, service.place.path(), bytes, sizes, slice)?;
        }
    }
    Ok(comparison)
}

/// The echo servers, started; for a load that only records also those that keep as much in a file.
fn baselines(
    response_bytes: usize,
    disk: Option<&Disk>,
    directory: &Path,
) -> Result<Vec<Baseline>, Failure> {
    let answer = response_bytes.to_string();
    let start = |name, place: &str, more: &[&str]| {
        let mut arguments = vec!["bench-echo", "--response-bytes", &answer];
        arguments.extend(["--transport", place]);
        arguments.extend(more);
        Ok(Baseline {
            name,
            process: Process::start(&arguments)?,
            run: Run::new(),
        })
    };
    let mut baselines = vec![
        start("bare tonic echo", "tonic", &[])?,
        start("echo, own transport", "service", &[])?,
    ];
    if let Some(disk) = disk {
        let directory = directory.to_string_lossy();
        let record = disk.record_bytes.to_string();
        let kept = ["--directory", &directory, "--record-bytes", &record];
        baselines.push(start("tonic echo + file", "tonic", &kept)?);
        baselines.push(start("echo + file, own", "service", &kept)?);
    }
    Ok(baselines)
}

/// One slice of load, with what the server used.
pub async fn measured(
    url: &str,
    process: Option<&Process>,
    crowd: Crowd,
    work: &Arc<Work>,
    time: Duration,
) -> Result<Run, Failure> {
    let before = process.and_then(Process::cpu);
    let (url, work) = (url.to_owned(), Arc::clone(work));
    let driving = move || callers::drive(&url, crowd, &work, time);
    let mut run = tokio::task::spawn_blocking(driving)
        .await
        .expect("callers do not panic")?;
    let after = process.and_then(Process::cpu);
    run.server_cpu = after
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before));
    Ok(run)
}

async fn measure_disk(
    disk: &mut Disk,
    directory: &Path,
    crowd: Crowd,
    slice: Duration,
) -> Result<(), Failure> {
    let failed = |error| Failure::new(Exit::Internal, format!("the baseline's file: {error}"));
    let bytes = disk.record_bytes;
    let run = file::closed_loop(directory, bytes, crowd.callers, slice)
        .await
        .map_err(failed)?;
    disk.file.add(run);
    let bound = file::bound(directory, bytes, BOUND_GROUP, slice / 4).map_err(failed)?;
    disk.bound_per_second += bound / f64::from(SLICES);
    Ok(())
}

/// The mean size of a request and of its answer.
async fn sizes(url: &str, work: &Work) -> Result<(usize, usize), Failure> {
    let line = Line::connect(url).await?;
    let (mut requests, mut answers) = (0, 0);
    for _ in 0..SAMPLES {
        let call = work.next().expect("this work has no end");
        requests += call.message.len();
        let answer = line.call(call).await;
        answers += answer.map_err(|status| Failure::of_status(&status))?;
    }
    Ok((requests / SAMPLES, answers / SAMPLES))
}
