//! What a look at the whole pipeline costs on a store of many deals: the first one after a start, further ones, and the
//! stream of all scores.
//!
//! The store is filled around the interface, with the projections that a service leaves behind for deals that are left
//! alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;

use crate::app;
use crate::cli::bench::BenchArgs;
use crate::cli::bench::book::Book;
use crate::cli::bench::compare;
use crate::cli::bench::open::forget_pages;
use crate::cli::bench::open::internal;
use crate::cli::bench::process::Process;
use crate::cli::bench::process::peak_bytes_of;
use crate::cli::bench::stored;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::moment;
use crate::domain::deal::Deal;
use crate::store::DealKey;
use crate::store::Store;
use crate::store::embedded::Embedded;
use crate::store::embedded::Options;
use crate::wire;
use crate::wire::pb;

/// Statements of each deal, unless another number is given.
const STATEMENTS: usize = 20;

/// Deals appended at the same time while filling.
const LANES: usize = 512;

/// How often a call is made of which the middle time is told.
const ROUNDS: usize = 5;

/// What looks at the pipeline took.
pub struct Looked {
    pub deals: usize,
    pub statements: usize,
    pub filled_in: Duration,
    /// Of this process, which filled the store.
    pub peak_bytes_filling: Option<u64>,
    pub disk_bytes: u64,
    pub listening: Duration,
    pub peak_bytes_listening: Option<u64>,
    /// The first SummarizePipeline after the start.
    pub summary_cold: Duration,
    /// The processor time of the service for it, which others on the machine do not lengthen.
    pub summary_cold_cpu: Option<Duration>,
    pub peak_bytes_cold: Option<u64>,
    /// The middle of several in one minute.
    pub summary_warm: Duration,
    /// The middle of several, each as of another moment.
    pub summary_anew: Duration,
    pub summary_anew_cpu: Option<Duration>,
    /// The same, grouped by the top cause, which takes every deal gone into.
    pub summary_deep: Duration,
    /// The best 50 by score.
    pub list_warm: Duration,
    /// ScoreDeals of all deals: the first, and the middle of several after it.
    pub scores_first: Duration,
    pub scores_warm: Duration,
    pub peak_bytes: Option<u64>,
}

/// Fills a store, opens it with a service, and looks at the pipeline.
pub async fn run(args: &BenchArgs) -> Result<Looked, Failure> {
    let deals = args.deals.unwrap_or(100_000);
    let statements = args.statements.unwrap_or(deals * STATEMENTS);
    let place = compare::place(args.directory.as_deref())?;
    let data = place.path().join("store");

    eprintln!("filling: {deals} deals, {statements} statements");
    let begun = Instant::now();
    fill(&data, Book::new(), deals, statements / deals).await?;
    let filled_in = begun.elapsed();
    let peak_bytes_filling = peak_bytes_of(std::process::id());
    let disk_bytes = forget_pages(&data).map_err(|error| internal("read the store", &error))?;

    let process = compare::serve(&data)?;
    let listening = process.started.elapsed();
    let peak_bytes_listening = process.peak_bytes();
    let mut client = Client::connect(&process.url).await?;

    let now = pb::SummarizePipelineRequest::default();
    let before = process.cpu();
    let summary_cold = summarize(&mut client, &now, deals).await?;
    let summary_cold_cpu = since(&process, before);
    let peak_bytes_cold = process.peak_bytes();
    let mut warm = Vec::new();
    let mut anew = Vec::new();
    let mut anew_cpu = Vec::new();
    let mut deep = Vec::new();
    for round in 0..ROUNDS {
        warm.push(summarize(&mut client, &now, deals).await?);
        let hours = jiff::SignedDuration::from_hours(round as i64 + 1);
        let then = pb::SummarizePipelineRequest {
            as_of: Some(moment::to_proto(moment::now() - hours)),
            ..now.clone()
        };
        let before = process.cpu();
        anew.push(summarize(&mut client, &then, deals).await?);
        anew_cpu.extend(since(&process, before));
        let by_cause = pb::SummarizePipelineRequest {
            group_by: vec![pb::PipelineGrouping::TopCause as i32],
            ..then
        };
        deep.push(summarize(&mut client, &by_cause, deals).await?);
    }
    let scores_first = scores(&mut client, deals).await?;
    let mut scores_warm = Vec::new();
    let mut list_warm = Vec::new();
    for _ in 0..ROUNDS {
        scores_warm.push(scores(&mut client, deals).await?);
        list_warm.push(list(&mut client).await?);
    }
    Ok(Looked {
        deals,
        statements,
        filled_in,
        peak_bytes_filling,
        disk_bytes,
        listening,
        peak_bytes_listening,
        summary_cold,
        summary_cold_cpu,
        peak_bytes_cold,
        summary_warm: middle(warm),
        summary_anew: middle(anew),
        summary_anew_cpu: (!anew_cpu.is_empty()).then(|| middle(anew_cpu)),
        summary_deep: middle(deep),
        list_warm: middle(list_warm),
        scores_first,
        scores_warm: middle(scores_warm),
        peak_bytes: process.peak_bytes(),
    })
}

async fn fill(data: &Path, book: Book, deals: usize, statements: usize) -> Result<(), Failure> {
    // Faster than deals are ever left alone: all of them may come to wait.
    let options = Options {
        projections_waiting_max: deals,
        ..Options::default()
    };
    let store =
        Embedded::open(data, options).map_err(|error| internal("make the store", &error))?;
    let store = Arc::new(store);
    let mut appends = stream::iter(0..deals)
        .map(|deal| {
            let store = Arc::clone(&store);
            async move {
                let events = stored::events_with_amount(book, deal, statements);
                let bytes = events.iter().map(wire::event::encode).collect();
                let key = DealKey::new("default", &Book::deal_id(deal));
                let appended = store.append(&key, 0, bytes).await;
                store.keep_projection(&key, app::projection_of(&Deal::replay(&events)));
                appended
            }
        })
        .buffer_unordered(LANES);
    while let Some(appended) = appends.next().await {
        appended.map_err(|error| internal("fill the store", &error))?;
    }
    drop(appends);
    store.close().await;
    Ok(())
}

async fn summarize(
    client: &mut Client,
    request: &pb::SummarizePipelineRequest,
    deals: usize,
) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let answer = client.forecast.summarize_pipeline(request.clone()).await;
    let took = begun.elapsed();
    let answer = answer.map_err(|status| Failure::of_status(&status))?;
    let total = answer
        .into_inner()
        .summary
        .and_then(|summary| summary.total);
    let counted = total.map_or(0, |total| total.deals);
    check(counted as usize, deals)?;
    Ok(took)
}

async fn list(client: &mut Client) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let answer = client.forecast.list_deals(pb::ListDealsRequest::default());
    answer.await.map_err(|status| Failure::of_status(&status))?;
    Ok(begun.elapsed())
}

async fn scores(client: &mut Client, deals: usize) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let answer = client
        .forecast
        .score_deals(pb::ScoreDealsRequest::default());
    let mut stream = answer
        .await
        .map_err(|status| Failure::of_status(&status))?
        .into_inner();
    let mut counted = 0;
    while let Some(item) = stream.next().await {
        item.map_err(|status| Failure::of_status(&status))?;
        counted += 1;
    }
    check(counted, deals)?;
    Ok(begun.elapsed())
}

fn check(counted: usize, deals: usize) -> Result<(), Failure> {
    match counted == deals {
        true => Ok(()),
        false => Err(internal(
            "measure",
            &format!("{counted} of {deals} deals were answered"),
        )),
    }
}

fn since(process: &Process, before: Option<Duration>) -> Option<Duration> {
    Some(process.cpu()?.saturating_sub(before?))
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
