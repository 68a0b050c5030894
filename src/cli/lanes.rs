//! Sends writes by one stream: the service writes deals side by side, and those of one deal in order.
//!
//! What was sent and not answered is kept, so that a stream that breaks off is taken up again: it is sent once more, and
//! what is there already is not recorded twice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::Status;
use tonic_types::ErrorDetails;
use tonic_types::StatusExt;

use crate::cli::client::Client;
use crate::cli::failure;
use crate::cli::progress::Progress;
use crate::wire::pb;
use crate::wire::pb::ingest_request::Item;
use crate::wire::pb::ingest_response::Outcome;
use crate::wire::pb::write::Write;

/// Lines sent ahead of their answers: some more than the service reads ahead, so that it always finds some.
const WINDOW: usize = 512;

/// The same when the first refusal stops all: so many lines behind it may be done already.
const WINDOW_STOPPING: usize = 16;

/// Times that a stream is opened without an answer before its refusal stands.
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
    sender: mpsc::Sender<Sent>,
    running: JoinHandle<Tally>,
    stop: Arc<AtomicBool>,
}

/// Where a write comes from, for people, by the number it was handed in with.
type Place = dyn Fn(usize) -> String + Send + Sync;

/// A line on its way.
struct Sent {
    line: usize,
    write: Write,
}

/// The stream and what is on it.
struct Sending {
    place: Arc<Place>,
    client: Client,
    after: After,
    stop: Arc<AtomicBool>,
    progress: Progress,
    waiting: mpsc::Receiver<Sent>,
    /// More may come.
    more: bool,
    /// Sent and not answered, in order.
    unanswered: VecDeque<Sent>,
    tally: Tally,
}

impl Lanes {
    /// `place` tells where a write comes from, by the number it was handed in with: refusals begin with it.
    pub fn open(
        place: impl Fn(usize) -> String + Send + Sync + 'static,
        client: &Client,
        after: After,
        progress: &Progress,
    ) -> Lanes {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, waiting) = mpsc::channel(WINDOW);
        let sending = Sending {
            place: Arc::new(place),
            client: client.clone(),
            after,
            stop: stop.clone(),
            progress: progress.clone(),
            waiting,
            more: true,
            unanswered: VecDeque::new(),
            tally: Tally::default(),
        };
        Lanes {
            sender,
            running: tokio::spawn(sending.run()),
            stop,
        }
    }

    /// Hands a line in; waits while too many are on their way. False: a refusal ended it all.
    pub async fn send(&self, line: usize, write: Write) -> bool {
        let sent = self.sender.send(Sent { line, write }).await;
        sent.is_ok() && !self.stop.load(Ordering::Relaxed)
    }

    /// Waits for what is on its way.
    pub async fn close(self) -> Tally {
        drop(self.sender);
        self.running.await.expect("sending does not panic")
    }
}

impl Sending {
    async fn run(mut self) -> Tally {
        let mut attempt = 1;
        loop {
            let answered = self.tally.taken + self.tally.refused;
            let Err(status) = self.stream().await else {
                return self.tally;
            };
            if answered < self.tally.taken + self.tally.refused {
                attempt = 1;
            }
            if attempt == ATTEMPTS_MAX || !may_pass(status.code()) {
                self.give_up(&status);
                return self.tally;
            }
            let asked = failure::retry_delay(&status.get_error_details());
            let delay = asked.unwrap_or(RETRY_DELAY * 2_u32.pow(attempt - 1));
            sleep(delay.min(RETRY_DELAY_MAX)).await;
            attempt += 1;
        }
    }

    /// Sends what was not answered, then what comes, until all is answered.
    async fn stream(&mut self) -> Result<(), Status> {
        let (sender, items) = mpsc::channel(WINDOW);
        let items = ReceiverStream::new(items);
        let mut answers = self.client.ingest.ingest(items).await?.into_inner();
        for sent in &self.unanswered {
            let _room = sender.send(item(sent)).await;
        }
        let mut sender = Some(sender);
        let window = match self.after {
            After::Stop => WINDOW_STOPPING,
            After::GoOn => WINDOW,
        };
        while self.more || !self.unanswered.is_empty() {
            let has_room = self.more && self.unanswered.len() < window;
            tokio::select! {
                answer = answers.message() => match answer? {
                    Some(answer) => self.answered(answer)?,
                    None => return Err(Status::unavailable("the stream ended before its answers")),
                },
                sent = self.waiting.recv(), if has_room => match (sent, &sender) {
                    // What waits is dropped, so that whoever hands in is not held up.
                    (Some(_), _) if self.stop.load(Ordering::Relaxed) => {}
                    (Some(sent), Some(sender)) => {
                        let item = item(&sent);
                        self.unanswered.push_back(sent);
                        // An error means that the stream broke off, which its answers tell.
                        let _ = sender.send(item).await;
                    }
                    _ => {
                        self.more = false;
                        sender = None;
                    }
                },
            }
        }
        // Up to its end, or the service would count a stream that its caller broke off.
        let _all_is_answered = answers.message().await;
        Ok(())
    }

    fn answered(&mut self, answer: pb::IngestResponse) -> Result<(), Status> {
        let sent = self.unanswered.pop_front();
        let sent = sent.filter(|sent| sent.line.to_string() == answer.tag);
        let line = sent.map(|sent| sent.line);
        let line = line.ok_or_else(|| Status::internal("an answer to what was not asked"))?;
        match answer.outcome {
            Some(Outcome::Recorded(recorded)) => {
                self.tally.taken += 1;
                self.tally.before += usize::from(recorded.already_recorded);
                self.progress.step();
            }
            Some(Outcome::Refused(refused)) => {
                self.tally.refused += 1;
                self.refuse(&(self.place)(line), &status_of(refused));
            }
            None => return Err(Status::internal("an answer without an outcome")),
        }
        Ok(())
    }

    /// No stream can be had: what was not answered may or may not be there, and the rest is not sent.
    fn give_up(&mut self, status: &Status) {
        let at = match self.unanswered.front() {
            Some(sent) => (self.place)(sent.line),
            None => "at the end".to_owned(),
        };
        self.tally.refused += usize::from(!self.unanswered.is_empty());
        self.refuse(&at, status);
        self.tally.fault = self.tally.fault.or(Some(status.code()));
        self.stop.store(true, Ordering::Relaxed);
    }

    fn refuse(&mut self, at: &str, status: &Status) {
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
            self.tally.fault = self.tally.fault.or(Some(status.code()));
        }
        if hopeless || self.after == After::Stop {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether the same may be taken a moment later.
fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded
    )
}

/// The line as an item of the stream.
fn item(sent: &Sent) -> pb::IngestRequest {
    let item = match sent.write.clone() {
        Write::UpsertDeal(request) => Item::UpsertDeal(request),
        Write::UpsertStakeholders(request) => Item::UpsertStakeholders(request),
        Write::UpsertMilestones(request) => Item::UpsertMilestones(request),
        Write::RecordOutcome(request) => Item::RecordOutcome(request),
        Write::RetractBuyerStatement(request) => Item::RetractBuyerStatement(request),
        Write::RecordBuyerStatement(request) => Item::RecordBuyerStatement(request),
        Write::ConfirmClaims(request) => Item::ConfirmClaims(request),
    };
    pb::IngestRequest {
        tag: sent.line.to_string(),
        item: Some(item),
    }
}

/// A refused item as the status of the single call.
fn status_of(refused: pb::IngestRefused) -> Status {
    let pb::IngestRefused {
        code,
        message,
        reason: _,
        metadata: _,
        violations,
    } = refused;
    let mut details = ErrorDetails::new();
    for violation in violations {
        details.add_bad_request_violation(violation.field, violation.description);
    }
    Status::with_error_details(Code::from(code), message, details)
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
