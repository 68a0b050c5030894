//! Sends writes side by side: several calls are in flight, but the writes of one deal go one after another, in order.
//!
//! Each deal belongs to one lane, and a lane has one call in flight. A write that meets a full queue or a pause of the
//! service is sent again; what carries its own ids may be.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::Code;
use tonic::Status;
use tonic_types::StatusExt;

use crate::cli::client::Client;
use crate::cli::client::Taken;
use crate::cli::failure;
use crate::cli::ndjson;
use crate::cli::progress::Progress;
use crate::wire::pb::write::Write;

/// Calls in flight. More would meet the service's own group commit without gain.
const LANES: usize = 16;

/// Writes that wait in a lane.
const LANE_WAITING_MAX: usize = 32;

/// Times that a write is sent before its refusal stands.
const ATTEMPTS_MAX: u32 = 6;

/// The wait after the first attempt, where the service names none; doubled after each other.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The longest wait between attempts.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

/// Whether to go on after a line that is wrong or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Stop,
    GoOn,
}

/// Where a write comes from, for people.
type Place = dyn Fn(usize) -> String + Send + Sync;

/// What became of the lines sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub taken: usize,
    /// Taken, of which this many were there already.
    pub before: usize,
    pub refused: usize,
    /// The code of the first refusal that is no fault of the data.
    pub fault: Option<Code>,
}

/// Where writes are handed in.
pub struct Lanes {
    senders: Vec<mpsc::Sender<Sent>>,
    running: JoinSet<Tally>,
    stop: Arc<AtomicBool>,
}

/// A line on its way.
struct Sent {
    line: usize,
    write: Write,
}

impl Lanes {
    /// `place` tells where a write comes from, by the number it was handed in with: refusals begin with it.
    pub fn open(
        place: impl Fn(usize) -> String + Send + Sync + 'static,
        client: &Client,
        after: After,
        progress: &Progress,
    ) -> Lanes {
        let place: Arc<Place> = Arc::new(place);
        let stop = Arc::new(AtomicBool::new(false));
        let mut senders = Vec::new();
        let mut running = JoinSet::new();
        for _ in 0..LANES {
            let (sender, waiting) = mpsc::channel(LANE_WAITING_MAX);
            senders.push(sender);
            let lane = Lane {
                place: Arc::clone(&place),
                client: client.clone(),
                after,
                stop: stop.clone(),
                progress: progress.clone(),
            };
            running.spawn(lane.run(waiting));
        }
        Lanes {
            senders,
            running,
            stop,
        }
    }

    /// Hands a write in; waits while its lane is full. False: a refusal ended it all.
    pub async fn send(&self, line: usize, write: Write) -> bool {
        let lane = lane_of(ndjson::deal_id(&write));
        let sent = self.senders[lane].send(Sent { line, write }).await;
        sent.is_ok() && !self.stop.load(Ordering::Relaxed)
    }

    /// Waits for what is on its way.
    pub async fn close(mut self) -> Tally {
        drop(self.senders);
        let mut tally = Tally::default();
        while let Some(lane) = self.running.join_next().await {
            tally.add(lane.expect("a lane does not panic"));
        }
        tally
    }
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.taken += other.taken;
        self.before += other.before;
        self.refused += other.refused;
        self.fault = self.fault.or(other.fault);
    }
}

/// Sends the writes of its deals one after another.
struct Lane {
    place: Arc<Place>,
    client: Client,
    after: After,
    stop: Arc<AtomicBool>,
    progress: Progress,
}

impl Lane {
    async fn run(mut self, mut waiting: mpsc::Receiver<Sent>) -> Tally {
        let mut tally = Tally::default();
        while let Some(Sent { line, write }) = waiting.recv().await {
            // What waits is dropped, so that whoever feeds the lane is not held up.
            if self.stop.load(Ordering::Relaxed) {
                continue;
            }
            match self.deliver(write).await {
                Ok(taken) => {
                    tally.taken += 1;
                    tally.before += usize::from(taken == Taken::Before);
                    self.progress.step();
                }
                Err(status) => {
                    tally.refused += 1;
                    self.refuse(line, &status, &mut tally);
                }
            }
        }
        tally
    }

    /// Sends until it is taken or a refusal stands. Repeating is safe: what is sent carries its own ids.
    async fn deliver(&mut self, write: Write) -> Result<Taken, Status> {
        let mut attempt = 1;
        loop {
            let status = match self.client.write(write.clone()).await {
                Ok(taken) => return Ok(taken),
                Err(status) => status,
            };
            if attempt == ATTEMPTS_MAX || !may_pass(status.code()) {
                return Err(status);
            }
            let asked = failure::retry_delay(&status.get_error_details());
            let delay = asked.unwrap_or(RETRY_DELAY * 2_u32.pow(attempt - 1));
            sleep(delay.min(RETRY_DELAY_MAX)).await;
            attempt += 1;
        }
    }

    fn refuse(&self, line: usize, status: &Status, tally: &mut Tally) {
        let at = (self.place)(line);
        self.progress
            .tell(&format!("{at}: {}", failure::sentence(status)));
        for remark in failure::remarks(status) {
            self.progress.tell(&format!("{at}: {remark}"));
        }
        // Where no write can be taken any more, going on would only repeat it for each line.
        let hopeless = matches!(
            status.code(),
            Code::Unavailable | Code::Unimplemented | Code::Unknown
        );
        if hopeless || may_pass(status.code()) {
            tally.fault = tally.fault.or(Some(status.code()));
        }
        if hopeless || self.after == After::Stop {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether the same write may be taken a moment later.
fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded
    )
}

fn lane_of(deal_id: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    deal_id.hash(&mut hasher);
    (hasher.finish() % LANES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fake::Fake;
    use crate::wire::pb;

    fn write(deal: &str, statement: usize) -> Write {
        let statement = pb::BuyerStatement {
            statement_id: statement.to_string(),
            deal_id: deal.to_owned(),
            ..pb::BuyerStatement::default()
        };
        Write::RecordBuyerStatement(pb::RecordBuyerStatementRequest {
            statement: Some(statement),
            ..pb::RecordBuyerStatementRequest::default()
        })
    }

    /// Sends 10 writes of each of 40 deals, one of them scripted to be refused.
    async fn send(refuse: &[(&str, Code, usize)], after: After) -> (Tally, Fake) {
        let fake = Fake::new(refuse);
        let url = fake.serve().await;
        let client = Client::connect(&url).await.unwrap();
        let progress = Progress::new("sending", "line", 400);
        let lanes = Lanes::open(|line| format!("story:{line}"), &client, after, &progress);
        for statement in 0..10 {
            for deal in 0..40 {
                if !lanes
                    .send(
                        statement * 40 + deal + 1,
                        write(&format!("d{deal}"), statement),
                    )
                    .await
                {
                    return (lanes.close().await, fake);
                }
            }
        }
        (lanes.close().await, fake)
    }

    #[tokio::test]
    async fn writes_of_a_deal_arrive_in_order_whatever_is_sent_again() {
        let pauses = [
            ("d7/3", Code::ResourceExhausted, 2),
            ("d8/0", Code::Unavailable, 1),
        ];
        let (tally, fake) = send(&pauses, After::Stop).await;
        assert_eq!((tally.taken, tally.refused), (400, 0));
        let heard = fake.heard();
        assert_eq!(heard.len(), 40);
        for statements in heard.values() {
            let expected: Vec<String> = (0..10).map(|statement| statement.to_string()).collect();
            assert_eq!(*statements, expected);
        }
    }

    #[tokio::test]
    async fn a_refusal_stops_all_or_costs_one_line() {
        let refusal = [("d7/3", Code::FailedPrecondition, 1)];
        let (tally, _) = send(&refusal, After::GoOn).await;
        assert_eq!((tally.taken, tally.refused, tally.fault), (399, 1, None));

        let (tally, fake) = send(&refusal, After::Stop).await;
        assert_eq!(tally.refused, 1);
        assert!(tally.taken < 399);
        assert_eq!(fake.heard()["d7"], ["0", "1", "2"]);
    }

    #[tokio::test]
    async fn a_service_without_the_call_is_given_up_at_once() {
        let (tally, _) = send(&[("d7/3", Code::Unimplemented, 1)], After::GoOn).await;
        assert_eq!(tally.fault, Some(Code::Unimplemented));
        assert!(tally.taken < 399);
    }
}
