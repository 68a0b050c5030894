//! What the tests of streams need: a server over any store, deals that are written to, watchers that are read.

use std::sync::Arc;
use std::time::Duration;

use prost_types::Timestamp;
use tonic::Streaming;
use verbatim::app::App;
use verbatim::app::watch::Ended;
use verbatim::app::watch::Filter;
use verbatim::app::watch::From;
use verbatim::app::watch::Moved;
use verbatim::app::watch::Place;
use verbatim::app::watch::Told;
use verbatim::app::watch::Watcher;
use verbatim::app::watch::Watching;
use verbatim::clock::ManualClock;
use verbatim::domain::time::Instant;
use verbatim::grpc::limits::Limits;
use verbatim::grpc::request;
use verbatim::grpc::serve::Server;
use verbatim::model_file;
use verbatim::store::Store;
use verbatim::wire::pb;

use crate::server::NOW_SECONDS;

const DAY_SECONDS: i64 = 86_400;

/// An app over a store, at a clock that the test sets.
pub struct Stage {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
}

/// The clock of the tests, so many days on.
pub fn day(days: i64) -> Instant {
    Instant::from_unix(NOW_SECONDS + days * DAY_SECONDS, 0).unwrap()
}

impl Stage {
    pub fn on(store: Arc<dyn Store>) -> Stage {
        let clock = Arc::new(ManualClock::at(day(0)));
        let model = Arc::new(model_file::default().clone());
        let app = App::new(
            Arc::clone(&store),
            Arc::clone(&clock) as Arc<_>,
            model,
            1 << 20,
        );
        Stage {
            app: Arc::new(app),
            clock,
            store,
        }
    }

    /// A server over the same app.
    pub async fn serve(&self) -> Server {
        let app = Arc::clone(&self.app);
        let listen = "127.0.0.1:0".parse().unwrap();
        Server::start_with(app, Arc::clone(&self.store), &Limits::default(), listen)
            .await
            .unwrap()
    }

    /// Records one statement; answers the deal's revision.
    pub async fn write(&self, deal: &str, number: usize) -> u64 {
        let recording = request::record(said(deal, number), self.app.now()).unwrap();
        self.app.record(recording).await.unwrap().revision
    }

    pub async fn watch(&self, from: From) -> Watcher {
        self.watch_only(from, Filter::default()).await
    }

    pub async fn watch_only(&self, from: From, filter: Filter) -> Watcher {
        let watching = Watching {
            tenant: "default".into(),
            from,
            filter,
            heartbeat: Duration::from_secs(300),
        };
        self.app.watch(watching).await.unwrap()
    }
}

/// The next item that is no heartbeat.
pub async fn next(watcher: &mut Watcher) -> Result<Arc<Moved>, Ended> {
    loop {
        if let Told::Moved(moved) = watcher.next().await? {
            return Ok(moved);
        }
    }
}

/// The next items.
pub async fn take(watcher: &mut Watcher, count: usize) -> Vec<Arc<Moved>> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(next(watcher).await.expect("another item"));
    }
    taken
}

/// The next is a heartbeat; answers its place.
pub async fn heartbeat(watcher: &mut Watcher) -> Place {
    match watcher.next().await.expect("a heartbeat") {
        Told::Heartbeat(place) => place,
        Told::Moved(moved) => panic!("not a heartbeat: {moved:?}"),
    }
}

/// What somebody said of a deal: about another topic with each number.
pub fn said(deal: &str, number: usize) -> pb::RecordBuyerStatementRequest {
    said_at(deal, number, None)
}

pub fn said_at(deal: &str, number: usize, days: Option<i64>) -> pb::RecordBuyerStatementRequest {
    let said_at = days.map(|days| Timestamp {
        seconds: NOW_SECONDS + days * DAY_SECONDS,
        nanos: 0,
    });
    pb::RecordBuyerStatementRequest {
        statement: Some(pb::BuyerStatement {
            statement_id: format!("s{number}"),
            deal_id: deal.into(),
            speaker: Some(pb::Speaker {
                stakeholder_id: "p1".into(),
                roles: vec![pb::BuyingRole::EconomicBuyer as i32],
                ..pb::Speaker::default()
            }),
            said_at,
            quote: format!("We say it for the time number {number}."),
            attribution: pb::Attribution::Verbatim as i32,
            claims: vec![pb::Claim {
                topic: (number % 9) as i32 + 1,
                conviction: pb::Conviction::Committed as i32,
                ..pb::Claim::default()
            }],
            ..pb::BuyerStatement::default()
        }),
        ..pb::RecordBuyerStatementRequest::default()
    }
}

/// All messages of a stream that ends well.
pub async fn all<T>(mut stream: Streaming<T>) -> Vec<T> {
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        messages.push(message);
    }
    messages
}
