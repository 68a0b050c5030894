//! A file of writes, checked whole and then sent through the service's own interface.
//!
//! Several calls are in flight, but the writes of one deal go one after another in the order of the file: each deal
//! belongs to one lane. The text stays in memory and is read twice, so that nothing is sent of a file that is wrong and
//! nothing is kept of a line that was sent.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::Code;
use tonic::Status;
use tonic_types::StatusExt;

use crate::cli::client::Client;
use crate::cli::client::Taken;
use crate::cli::failure;
use crate::cli::moment;
use crate::cli::ndjson;
use crate::cli::progress::Progress;
use crate::cli::shift;
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

/// Writes, and the name by which faults call their file.
pub struct Story {
    pub name: String,
    pub text: String,
}

/// What checking a story found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Lines that hold a write.
    pub lines: usize,
    /// `FILE:LINE: field: what is allowed`.
    pub faults: Vec<String>,
    /// Lines with faults.
    pub lines_bad: usize,
    /// The latest instant of all good lines.
    pub newest: Option<Timestamp>,
}

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

/// A line on its way.
struct Sent {
    line: usize,
    write: Write,
}

impl Story {
    /// Checks every line for form, and that it can be moved by as many days as the story is to be moved.
    pub fn check(&self, shift_to: Option<Timestamp>) -> Checked {
        let mut checked = Checked::default();
        for (number, line) in ndjson::lines(&self.text) {
            checked.lines += 1;
            match ndjson::read(line) {
                Ok(message) => checked.newest = checked.newest.max(shift::newest(&message)),
                Err(faults) => {
                    checked.lines_bad += 1;
                    checked
                        .faults
                        .extend(faults.iter().map(|fault| self.at(number, fault)));
                }
            }
        }
        if let (Some(now), Some(newest)) = (shift_to, checked.newest) {
            self.check_shift(shift::days(newest, now), &mut checked);
        }
        checked
    }

    /// The deals that the good lines name, in the order of the file.
    pub fn deals(&self) -> Vec<String> {
        let mut deals: Vec<String> = Vec::new();
        for (_, line) in ndjson::lines(&self.text) {
            let Ok(message) = ndjson::read(line) else {
                continue;
            };
            let write = ndjson::write(&message);
            let deal = ndjson::deal_id(&write);
            if !deals.iter().any(|known| known == deal) {
                deals.push(deal.to_owned());
            }
        }
        deals
    }

    /// Sends every good line, moved by `days`.
    pub async fn send(
        &self,
        days: i64,
        client: &Client,
        after: After,
        progress: &Progress,
    ) -> Tally {
        let stop = Arc::new(AtomicBool::new(false));
        let mut lanes = Vec::new();
        let mut running = JoinSet::new();
        for _ in 0..LANES {
            let (sender, waiting) = mpsc::channel(LANE_WAITING_MAX);
            lanes.push(sender);
            let lane = Lane {
                name: self.name.clone(),
                client: client.clone(),
                after,
                stop: stop.clone(),
                progress: progress.clone(),
            };
            running.spawn(lane.run(waiting));
        }

        for (line, text) in ndjson::lines(&self.text) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            // Told when the file was checked.
            let Ok(mut message) = ndjson::read(text) else {
                continue;
            };
            if days != 0 && shift::shift(&mut message, days).is_err() {
                continue;
            }
            let write = ndjson::write(&message);
            let lane = lane_of(ndjson::deal_id(&write));
            // A lane ends only once its sender is dropped, below.
            let _ended = lanes[lane].send(Sent { line, write }).await;
        }
        drop(lanes);

        let mut tally = Tally::default();
        while let Some(lane) = running.join_next().await {
            tally.add(lane.expect("a lane does not panic"));
        }
        progress.finish();
        tally
    }

    fn check_shift(&self, days: i64, checked: &mut Checked) {
        for (number, line) in ndjson::lines(&self.text) {
            let Ok(mut message) = ndjson::read(line) else {
                continue;
            };
            if let Err(fault) = shift::shift(&mut message, days) {
                checked.lines_bad += 1;
                checked.faults.push(self.at(number, &fault));
            }
        }
    }

    fn at(&self, line: usize, fault: &str) -> String {
        format!("{}:{line}: {fault}", self.name)
    }
}

/// The whole days by which to move what was checked so that it ends today; 0 where it holds no instant.
pub fn days_to_today(checked: &Checked) -> i64 {
    checked
        .newest
        .map_or(0, |newest| shift::days(newest, moment::now()))
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
    name: String,
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
        let at = format!("{}:{line}", self.name);
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

    fn story(text: &str) -> Story {
        Story {
            name: "story.ndjson".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_whole_file_is_checked_and_faults_name_file_and_line() {
        let checked = story(
            "# a story\n{\"upsertDeal\":{\"deal\":{\"dealId\":\"a\",\"effectiveAt\":\"2026-03-02T09:00:00Z\"}}}\n\n{\"upsertDeal\":{\"deal\":{\"nmae\":\"x\"}}}\nnonsense\n",
        )
        .check(None);
        assert_eq!((checked.lines, checked.lines_bad), (3, 2));
        assert_eq!(
            checked.newest,
            Some("2026-03-02T09:00:00Z".parse().unwrap())
        );
        assert_eq!(checked.faults.len(), 3, "{:#?}", checked.faults);
        assert!(
            checked.faults[0].starts_with("story.ndjson:4: upsertDeal.deal.nmae: no such field")
        );
        assert!(
            checked.faults[1].starts_with("story.ndjson:4: upsertDeal.deal.dealId: must be set")
        );
        assert!(checked.faults[2].starts_with("story.ndjson:5: not JSON"));
    }

    #[test]
    fn a_date_that_would_leave_the_calendar_is_a_fault_before_anything_is_sent() {
        let text = "{\"upsertDeal\":{\"deal\":{\"dealId\":\"a\",\"closeDate\":\"9999-12-31\",\"effectiveAt\":\"2026-03-02T09:00:00Z\"}}}";
        let checked = story(text).check(Some("2026-11-21T00:00:00Z".parse().unwrap()));
        assert!(
            checked.faults[0].contains("closeDate: 9999-12-31 moved by 263 days"),
            "{:?}",
            checked.faults
        );
        assert!(story(text).check(None).faults.is_empty());
    }

    #[test]
    fn deals_are_named_once_in_the_order_of_the_file() {
        let deal = |id: &str| format!("{{\"upsertStakeholders\":{{\"dealId\":\"{id}\"}}}}\n");
        let text = [deal("b"), deal("a"), deal("b")].concat();
        assert_eq!(story(&text).deals(), ["b", "a"]);
    }
}
