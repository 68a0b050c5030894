//! What watchers cost writers: writes at a fixed rate, with nobody watching and with many, in alternating slices.
//!
//! Each watcher watches its own share of the deals, as people do: every change goes to one of them. That each change
//! arrived is counted.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::Value;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::book;
use crate::cli::bench::book::Book;
use crate::cli::bench::compare::Service;
use crate::cli::bench::fill;
use crate::cli::client::Client;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::wire::pb;
use crate::wire::pb::watch_deals_response::Item;

/// Slices of each side, taken in turn.
const SLICES: u32 = 4;

/// Watchers of one connection: below the streams that a service takes on one.
const WATCHERS_PER_CONNECTION: usize = 100;

/// How long changes may take to arrive after the last write.
const ARRIVAL_MAX: Duration = Duration::from_secs(10);

/// What watching gave.
pub struct Watched {
    watchers: usize,
    rate: u32,
    alone: Histogram<u64>,
    watched: Histogram<u64>,
    writes: u64,
    arrived: u64,
}

/// A writer at a fixed rate over the deals.
struct Pace {
    client: Client,
    book: Book,
    deals: usize,
    next: AtomicUsize,
    rate: u32,
}

pub async fn run(args: &BenchArgs) -> Result<Watched, Failure> {
    let deals = args.deals.unwrap_or(2_000);
    let watchers = args.watchers as usize;
    let service = Service::of(args)?;
    let book = Book::new();
    fill::fill(&service.url, book, vec![book::STATEMENTS; deals]).await?;
    let pace = Arc::new(Pace {
        client: Client::connect(&service.url).await?,
        book,
        deals,
        next: AtomicUsize::new(0),
        rate: args.rate,
    });
    pace.write(Duration::from_secs(args.warm_up)).await?;

    let slice = Duration::from_secs(args.seconds) / SLICES;
    let empty = || Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("these are bounds");
    let mut watched = Watched {
        watchers,
        rate: args.rate,
        alone: empty(),
        watched: empty(),
        writes: 0,
        arrived: 0,
    };
    for _ in 0..SLICES {
        watched.alone += pace.write(slice).await?;
        let arrived = Arc::new(AtomicU64::new(0));
        let streams = watch(&service.url, watchers, deals, &arrived).await?;
        let latencies = pace.write(slice).await?;
        watched.writes += latencies.len();
        let due = Instant::now() + ARRIVAL_MAX;
        // Only a count: it orders no other memory.
        while arrived.load(Ordering::Relaxed) < latencies.len() && Instant::now() < due {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        watched.arrived += arrived.load(Ordering::Relaxed);
        watched.watched += latencies;
        drop(streams);
    }
    Ok(watched)
}

/// Opens the streams; each is there when this returns. They end when the answer is dropped.
async fn watch(
    url: &str,
    watchers: usize,
    deals: usize,
    arrived: &Arc<AtomicU64>,
) -> Result<JoinSet<()>, Failure> {
    let mut streams = JoinSet::new();
    let mut client = Client::connect(url).await?;
    for watcher in 0..watchers {
        if watcher % WATCHERS_PER_CONNECTION == 0 {
            client = Client::connect(url).await?;
        }
        let own = (watcher..deals).step_by(watchers.max(1));
        let request = pb::WatchDealsRequest {
            deal_ids: own.map(Book::deal_id).collect(),
            ..pb::WatchDealsRequest::default()
        };
        let refused = |status| Failure::of_status(&status);
        let answer = client
            .forecast
            .watch_deals(request)
            .await
            .map_err(refused)?;
        let mut items = answer.into_inner();
        // The first heartbeat: from here on nothing is missed.
        items.message().await.map_err(refused)?;
        let arrived = Arc::clone(arrived);
        streams.spawn(async move {
            while let Ok(Some(answer)) = items.message().await {
                if let Some(Item::Change(_)) = answer.item {
                    arrived.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    Ok(streams)
}

impl Pace {
    /// Writes for so long; the latencies from the moment at which each write was due.
    async fn write(self: &Arc<Self>, time: Duration) -> Result<Histogram<u64>, Failure> {
        let latencies =
            Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("these are bounds");
        let latencies = Arc::new(Mutex::new(latencies));
        let mut writes = JoinSet::new();
        let mut due = tokio::time::interval(Duration::from_secs(1) / self.rate);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let begun = Instant::now();
        while begun.elapsed() < time {
            let at = due.tick().await;
            let (pace, latencies) = (Arc::clone(self), Arc::clone(&latencies));
            writes.spawn(async move {
                let number = pace.next.fetch_add(1, Ordering::Relaxed);
                let news = pace.book.news(number % pace.deals, number);
                let mut client = pace.client.qualification.clone();
                client.record_buyer_statement(news).await?;
                let nanos = at.elapsed().as_nanos() as u64;
                latencies.lock().await.saturating_record(nanos);
                Ok::<(), tonic::Status>(())
            });
        }
        for written in writes.join_all().await {
            written.map_err(|status| Failure::of_status(&status))?;
        }
        let latencies = Arc::into_inner(latencies).map(Mutex::into_inner);
        latencies.ok_or_else(|| Failure::new(Exit::Internal, "a write did not end"))
    }
}

pub fn told(watched: &Watched) -> String {
    let Watched {
        watchers,
        rate,
        alone,
        watched,
        writes,
        arrived,
    } = watched;
    format!(
        "watch: RecordBuyerStatement at {rate}/s, {watchers} watchers who share the deals\n\n\
         nobody watches p50 {:7.0} us, p99 {:7.0} us\n\
         all watch      p50 {:7.0} us, p99 {:7.0} us\n\
         {writes} writes while watched, {arrived} changes arrived\n\n\
         p99 watched / p99 {:.2}\n",
        us(alone, 0.5),
        us(alone, 0.99),
        us(watched, 0.5),
        us(watched, 0.99),
        us(watched, 0.99) / us(alone, 0.99),
    )
}

pub fn json(watched: &Watched) -> Value {
    let Watched {
        watchers,
        rate,
        alone,
        watched,
        writes,
        arrived,
    } = watched;
    json!({
        "mode": "watch",
        "watchers": watchers,
        "writes_per_second": rate,
        "p50_us": us(alone, 0.5),
        "p99_us": us(alone, 0.99),
        "p50_us_watched": us(watched, 0.5),
        "p99_us_watched": us(watched, 0.99),
        "p99_ratio": us(watched, 0.99) / us(alone, 0.99),
        "writes_watched": writes,
        "changes_arrived": arrived,
    })
}

fn us(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    latencies.value_at_quantile(quantile) as f64 / 1_000.0
}
