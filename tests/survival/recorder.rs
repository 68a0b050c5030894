//! Keeps what is asked and answered, in the order in which it was seen, for the checker.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::watch;
use tonic::Code;
use tonic::Status;
use tonic_types::StatusExt;
use verbatim::wire::pb;

use crate::checker::Asked;
use crate::checker::Attempt;
use crate::checker::Outcome;
use crate::checker::Reached;
use crate::checker::Seen;
use crate::checker::Stamp;
use crate::checker::Written;
use crate::write::Answered;
use crate::write::Write;
use crate::write::mark;

/// All calls of a run. Shared by all who call.
#[derive(Default)]
pub struct Recorder {
    records: Mutex<Records>,
    ended: watch::Sender<Ended>,
}

/// Writes that came to an end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    pub acknowledged: usize,
    pub unknown: usize,
}

#[derive(Default)]
struct Records {
    stamp: Stamp,
    deals: BTreeMap<String, Asked>,
    /// By the number of the write, its place among those of its deal.
    places: HashMap<u64, usize>,
    wrong: Option<String>,
    /// A line for each thing recorded.
    trace: Vec<String>,
}

/// A write under way.
pub struct Sent {
    deal: String,
    place: usize,
    attempt: usize,
}

/// What a refusal says of the write that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was done.
    NothingDone,
    /// Nothing was done, since the deal is at this revision.
    At(u64),
    /// Nobody knows.
    Unknown,
}

impl Recorder {
    /// The next place in the order of all that is seen.
    pub fn stamp(&self) -> Stamp {
        self.records().next()
    }

    /// A write is sent. Until more is known of it, its outcome is unknown.
    pub fn sends(&self, write: &Write, expected: Option<u64>) -> Sent {
        let mut records = self.records();
        let begun = records.next();
        records.note(|| format!("{begun} {write:?} if at {expected:?}"));
        let known = records.places.get(&write.number).copied();
        let asked = records.deals.entry(write.deal.clone()).or_default();
        let place = known.unwrap_or(asked.writes.len());
        if known.is_none() {
            asked.writes.push(Written {
                name: format!("write {}", write.number),
                marks: write.marks(),
                attempts: Vec::new(),
            });
        }
        let attempts = &mut asked.writes[place].attempts;
        attempts.push(Attempt {
            begun,
            expected,
            outcome: Outcome::Unknown,
        });
        let attempt = attempts.len() - 1;
        records.places.insert(write.number, place);
        Sent {
            deal: write.deal.clone(),
            place,
            attempt,
        }
    }

    /// A write was answered.
    pub fn answered(&self, sent: &Sent, answer: Result<Answered, Refusal>) {
        let mut records = self.records();
        let ended = records.next();
        records.note(|| format!("{ended} {} {}: {answer:?}", sent.deal, sent.place));
        self.ended.send_modify(|ended| match answer {
            Ok(_) => ended.acknowledged += 1,
            Err(Refusal::Unknown) => ended.unknown += 1,
            Err(Refusal::NothingDone | Refusal::At(_)) => {}
        });
        let asked = records.asked(&sent.deal);
        let attempt = &mut asked.writes[sent.place].attempts[sent.attempt];
        attempt.outcome = match answer {
            Ok(Answered { revision, already }) => Outcome::Done {
                ended,
                revision,
                already,
            },
            Err(Refusal::Unknown) => Outcome::Unknown,
            Err(Refusal::NothingDone | Refusal::At(_)) => Outcome::Refused,
        };
        if let Err(Refusal::At(revision)) = answer {
            let begun = attempt.begun;
            asked.seen.push(Seen {
                by: format!("a refusal from {begun} to {ended}"),
                begun,
                ended,
                revision,
                marks: None,
                score: None,
            });
        }
    }

    /// A deal's score was shown; none when there is no such deal.
    pub fn scored(&self, deal: &str, begun: Stamp, score: Option<&pb::DealScore>) {
        self.saw(deal, "a score", begun, |by, ended| Seen {
            by,
            begun,
            ended,
            revision: score.map_or(0, |score| score.revision),
            marks: None,
            score: score.map(|score| score.score.to_bits()),
        });
    }

    /// A deal's whole history was shown.
    pub fn listed(&self, deal: &str, begun: Stamp, history: &[pb::DealEvent]) {
        self.saw(deal, "a history", begun, |by, ended| Seen {
            by,
            begun,
            ended,
            revision: history.len() as u64,
            marks: Some(history.iter().map(mark).collect()),
            score: None,
        });
    }

    /// Another answer about the deal was given, of a revision.
    pub fn looked(&self, deal: &str, what: &str, begun: Stamp, revision: u64) {
        self.saw(deal, what, begun, |by, ended| Seen {
            by,
            begun,
            ended,
            revision,
            marks: None,
            score: None,
        });
    }

    fn saw(&self, deal: &str, what: &str, begun: Stamp, seen: impl FnOnce(String, Stamp) -> Seen) {
        let mut records = self.records();
        let ended = records.next();
        let seen = seen(format!("{what} from {begun} to {ended}"), ended);
        records.note(|| format!("{ended} {deal} {seen:?}"));
        records.asked(deal).seen.push(seen);
    }

    /// A watcher was told that a deal came to a revision.
    pub fn told(&self, who: &str, deal: &str, revision: u64) {
        let mut records = self.records();
        let at = records.next();
        records.note(|| format!("{at} {who} {deal}@{revision}"));
        records.asked(deal).told.push(Reached {
            by: format!("{who} at {at}"),
            at,
            revision,
        });
    }

    /// A call ended in a status. One that nothing has earned is a fault, which `wrong` tells.
    pub fn refused(&self, what: &str, status: &Status) {
        if is_wrong(status) {
            let text = format!("{what}: {status:?}");
            self.records().wrong.get_or_insert(text);
        }
    }

    /// The first answer that nothing has earned.
    pub fn wrong(&self) -> Option<String> {
        self.records().wrong.clone()
    }

    pub fn acknowledged(&self) -> usize {
        self.ended.borrow().acknowledged
    }

    /// Waits until enough writes have ended, counted from now.
    pub async fn wait(&self, is_enough: impl Fn(Ended) -> bool) {
        let before = *self.ended.borrow();
        let since = move |ended: &Ended| {
            is_enough(Ended {
                acknowledged: ended.acknowledged - before.acknowledged,
                unknown: ended.unknown - before.unknown,
            })
        };
        self.ended.subscribe().wait_for(since).await.unwrap();
    }

    /// What was asked of each deal.
    pub fn deals(&self) -> BTreeMap<String, Asked> {
        self.records().deals.clone()
    }

    /// Adds to the trace what is no call.
    pub fn note(&self, line: impl FnOnce() -> String) {
        self.records().note(line);
    }

    /// All of it, a line each, to be compared with another run.
    pub fn trace(&self) -> Vec<String> {
        self.records().trace.clone()
    }

    fn records(&self) -> std::sync::MutexGuard<'_, Records> {
        self.records.lock().unwrap()
    }
}

impl Records {
    fn next(&mut self) -> Stamp {
        self.stamp += 1;
        self.stamp
    }

    fn asked(&mut self, deal: &str) -> &mut Asked {
        self.deals.entry(deal.to_owned()).or_default()
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.push(line());
    }
}

impl Refusal {
    /// What the status of a write says of it.
    pub fn of(status: &Status) -> Refusal {
        let details = status.get_error_details();
        let Some(info) = details.error_info() else {
            // Not from the service: the connection broke.
            return Refusal::Unknown;
        };
        match info.reason.as_str() {
            "REVISION_MISMATCH" => Refusal::At(info.metadata["actual"].parse().unwrap()),
            "STORE_FAULT"
            | "WRITE_QUEUE_FULL"
            | "SHUTTING_DOWN"
            | "DEAL_NOT_FOUND"
            | "STATEMENT_NOT_FOUND" => Refusal::NothingDone,
            _ => Refusal::Unknown,
        }
    }
}

/// Whether it is what nothing that these tests ask has earned: that data is broken, or a fault of the service itself.
fn is_wrong(status: &Status) -> bool {
    let details = status.get_error_details();
    let earned = [
        "REVISION_MISMATCH",
        "STORE_FAULT",
        "WRITE_QUEUE_FULL",
        "SHUTTING_DOWN",
        "DEAL_NOT_FOUND",
        "STATEMENT_NOT_FOUND",
        "OUTCOME_UNKNOWN",
        "DEADLINE",
        "READER_TOO_SLOW",
    ];
    let info = details.error_info();
    info.is_some_and(|info| !earned.contains(&info.reason.as_str()))
}

/// Whether a service answered, and goes on.
pub fn is_of_a_service(status: &Status) -> bool {
    let reason = status.get_error_details();
    let reason = reason.error_info().map(|info| info.reason.clone());
    reason.is_some_and(|reason| reason != "SHUTTING_DOWN")
}

/// Whether there is no such deal.
pub fn is_unknown_deal(status: &Status) -> bool {
    status.code() == Code::NotFound
}
