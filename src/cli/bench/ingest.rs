//! How many statements a stream makes durable, and what that costs those who ask for scores meanwhile.
//!
//! The statements go to deals of their own, so that the deals that are scored stay as long as they were.

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http::uri::PathAndQuery;
use prost::Message;
use serde_json::Value;
use serde_json::json;
use tokio::runtime::Builder;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::transport::Endpoint;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::book;
use crate::cli::bench::book::Book;
use crate::cli::bench::callers::Run;
use crate::cli::bench::compare::Service;
use crate::cli::bench::compare::measured;
use crate::cli::bench::fill;
use crate::cli::bench::process::Process;
use crate::cli::bench::raw::Raw;
use crate::cli::bench::work::Mix;
use crate::cli::bench::work::Work;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::wire::pb;
use crate::wire::pb::ingest_request::Item;
use crate::wire::pb::ingest_response::Outcome;

const INGEST: &str = "/verbatim.v1.IngestService/Ingest";

/// Statements ingested, if not said otherwise.
const STATEMENTS: usize = 1_000_000;

/// Deals that take turns in the stream before the next so many do: an export tells of many deals at once, and is soon
/// done with each.
const TURNS: usize = 1_000;

const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// What an ingest gave.
pub struct Ingested {
    statements: usize,
    alone: Duration,
    /// What the server used a statement, where that is known. Unit: us.
    server_cpu_us: Option<f64>,
    quiet: Run,
    busy: Run,
    /// Statements a second while scores were asked for.
    busy_per_second: f64,
}

pub async fn run(args: &BenchArgs) -> Result<Ingested, Failure> {
    let deals = args.deals.unwrap_or(2_000);
    let statements = args.statements.unwrap_or(STATEMENTS);
    let service = Service::of(args)?;
    let book = Book::new();
    fill::fill(&service.url, book, vec![book::STATEMENTS; deals]).await?;

    eprintln!("ingesting: {statements} statements, nobody else there");
    let process = service.process.as_ref();
    let before = process.and_then(Process::cpu);
    let alone = begin(&service.url, book, deals, 0..statements);
    let (alone, _) = wait(alone).await?;
    let used = process.and_then(Process::cpu).zip(before);
    let server_cpu_us = used.map(|(after, before)| {
        after.saturating_sub(before).as_secs_f64() * 1e6 / statements.max(1) as f64
    });

    let work = Arc::new(Work::of_deals(Mix::Score, book, 0, deals));
    let crowd = args.crowd();
    let warm_up = Duration::from_secs(args.warm_up);
    measured(&service.url, process, crowd, &work, warm_up).await?;
    let time = Duration::from_secs(args.seconds);
    let quiet = measured(&service.url, process, crowd, &work, time).await?;

    eprintln!("ingesting while scores are asked for");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let more = statements..usize::MAX;
    let ingesting = begin_until(&service.url, book, deals, more, stopped);
    let busy = measured(&service.url, process, crowd, &work, time).await?;
    // An error means that it ended by itself, with a refusal that is told next.
    let _ = stop.send(true);
    let (took, count) = wait(ingesting).await?;
    Ok(Ingested {
        statements,
        alone,
        server_cpu_us,
        quiet,
        busy,
        busy_per_second: count as f64 / took.as_secs_f64(),
    })
}

type Ingesting = thread::JoinHandle<Result<(Duration, usize), Failure>>;

fn begin(url: &str, book: Book, deals: usize, numbers: std::ops::Range<usize>) -> Ingesting {
    let (_, never) = tokio::sync::watch::channel(false);
    begin_until(url, book, deals, numbers, never)
}

/// Ingests on a thread of its own until all is sent or it is told to stop; answers how long and how many.
fn begin_until(
    url: &str,
    book: Book,
    deals: usize,
    numbers: std::ops::Range<usize>,
    stopped: tokio::sync::watch::Receiver<bool>,
) -> Ingesting {
    let url = url.to_owned();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| internal(&format!("cannot start threads: {error}")))?;
        runtime.block_on(ingest(&url, book, deals, numbers, stopped))
    })
}

async fn wait(ingesting: Ingesting) -> Result<(Duration, usize), Failure> {
    tokio::task::spawn_blocking(move || ingesting.join().expect("a stream does not panic"))
        .await
        .expect("waiting does not panic")
}

async fn ingest(
    url: &str,
    book: Book,
    deals: usize,
    numbers: std::ops::Range<usize>,
    stopped: tokio::sync::watch::Receiver<bool>,
) -> Result<(Duration, usize), Failure> {
    let mut grpc = connect(url).await?;
    let ready = grpc.ready().await;
    ready.map_err(|error| internal(&error.to_string()))?;
    let items = numbers
        .take_while(move |_| !*stopped.borrow())
        .map(move |number| item(book, deals, number));
    let begun = Instant::now();
    let path = PathAndQuery::from_static(INGEST);
    let request = tonic::Request::new(stream::iter(items));
    let answers = grpc.streaming(request, path, Raw).await;
    let refused = |status| Failure::of_status(&status);
    let mut answers = answers.map_err(refused)?.into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await.map_err(refused)? {
        let answer = pb::IngestResponse::decode(answer)
            .map_err(|error| internal(&format!("an answer does not read: {error}")))?;
        if let Some(Outcome::Refused(refused)) = answer.outcome {
            return Err(internal(&refused.message));
        }
        count += 1;
    }
    Ok((begun.elapsed(), count))
}

fn item(book: Book, deals: usize, number: usize) -> Bytes {
    let lot = number / (TURNS * book::STATEMENTS);
    let deal = deals + lot * TURNS + number % TURNS;
    let statement = book.news(deal, number / TURNS % book::STATEMENTS);
    let item = pb::IngestRequest {
        tag: String::new(),
        item: Some(Item::RecordBuyerStatement(statement)),
    };
    item.encode_to_vec().into()
}

pub fn told(ingested: &Ingested) -> String {
    let Ingested {
        statements,
        alone,
        server_cpu_us,
        quiet,
        busy,
        busy_per_second,
    } = ingested;
    let cpu = server_cpu_us.map_or_else(String::new, |us| format!(", server CPU {us:.1} us each"));
    format!(
        "ingest: {statements} statements with claims, one stream, each answered when durable\n\n\
         alone                      {:9.0} statements/s{cpu}\n\
         while scores are asked for {busy_per_second:9.0} statements/s\n\
         ScoreDeal, nobody ingests  {:9.0} calls/s, p99 {:.0} us\n\
         ScoreDeal, while ingesting {:9.0} calls/s, p99 {:.0} us\n\n\
         p99 while ingesting / p99 {:.2}\n",
        *statements as f64 / alone.as_secs_f64(),
        quiet.per_second(),
        quiet.quantile_us(0.99),
        busy.per_second(),
        busy.quantile_us(0.99),
        busy.quantile_us(0.99) / quiet.quantile_us(0.99),
    )
}

pub fn json(ingested: &Ingested) -> Value {
    let Ingested {
        statements,
        alone,
        server_cpu_us,
        quiet,
        busy,
        busy_per_second,
    } = ingested;
    json!({
        "mode": "ingest",
        "statements": statements,
        "statements_per_second": *statements as f64 / alone.as_secs_f64(),
        "server_cpu_us_per_statement": server_cpu_us,
        "statements_per_second_busy": busy_per_second,
        "score_p99_us": quiet.quantile_us(0.99),
        "score_p99_us_busy": busy.quantile_us(0.99),
        "score_p99_ratio": busy.quantile_us(0.99) / quiet.quantile_us(0.99),
    })
}

fn internal(why: &str) -> Failure {
    Failure::new(Exit::Internal, why)
}

/// A connection to `url`.
async fn connect(url: &str) -> Result<Grpc<Channel>, Failure> {
    let failed = |error: tonic::transport::Error| {
        let text = format!("no service answers at {url}: {error}");
        Failure::new(Exit::Unavailable, text)
    };
    let channel = Endpoint::from_shared(url.to_owned())
        .map_err(failed)?
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect()
        .await
        .map_err(failed)?;
    Ok(Grpc::new(channel))
}
