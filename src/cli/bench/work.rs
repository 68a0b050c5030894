//! The calls that callers make, encoded beforehand as far as they can be.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use prost::Message;

use crate::cli::bench::book::Book;
use crate::wire::pb;

const SCORE: &str = "/verbatim.v1.QualificationService/ScoreDeal";
const RECORD: &str = "/verbatim.v1.QualificationService/RecordBuyerStatement";
const EXPLAIN: &str = "/verbatim.v1.QualificationService/ExplainStall";
const ECHO: &str = "/verbatim.bench.Echo/Echo";

/// A step through the deals that shares no divisor with their number, so that neighbours in time are not neighbours in
/// the store, and each has its turn.
const STRIDE: usize = 7_919;

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: &'static str,
    pub message: Bytes,
    /// A good answer says that something is durable.
    pub keeps: bool,
}

/// What callers do, over and over. Shared by all callers of a load.
pub struct Work {
    kind: Kind,
    done: AtomicUsize,
    calls_max: usize,
}

enum Kind {
    Echo(Bytes),
    Deals { calls: Mix, deals: Deals },
}

/// Shares of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    Score,
    Record,
    Explain,
    /// 80 % score, 15 % record, 5 % explain.
    Mixed,
}

/// The deals that are called upon.
struct Deals {
    book: Book,
    /// By deal: the request names nothing but the deal, and is the same for score and explain.
    named: Vec<Bytes>,
}

impl Work {
    /// Calls upon the deals `first..first + deals`, each in its turn.
    pub fn of_deals(calls: Mix, book: Book, first: usize, deals: usize) -> Work {
        let named = (first..first + deals)
            .map(|deal| {
                let request = pb::ScoreDealRequest {
                    deal_id: Book::deal_id(deal),
                    ..pb::ScoreDealRequest::default()
                };
                Bytes::from(request.encode_to_vec())
            })
            .collect();
        Work {
            kind: Kind::Deals {
                calls,
                deals: Deals { book, named },
            },
            done: AtomicUsize::new(0),
            calls_max: usize::MAX,
        }
    }

    /// Calls of so many bytes to the echo server.
    pub fn of_echo(request_bytes: usize) -> Work {
        Work {
            kind: Kind::Echo(Bytes::from(vec![b'x'; request_bytes])),
            done: AtomicUsize::new(0),
            calls_max: usize::MAX,
        }
    }

    /// The same, but ends after so many calls.
    pub fn ending_after(self, calls_max: usize) -> Work {
        Work { calls_max, ..self }
    }

    /// Whether there comes a last call.
    pub fn ends(&self) -> bool {
        self.calls_max != usize::MAX
    }

    /// The next call; `None` when there is no more to do.
    pub fn next(&self) -> Option<Call> {
        // Only a count: it orders no other memory.
        let number = self.done.fetch_add(1, Ordering::Relaxed);
        if self.calls_max <= number {
            return None;
        }
        Some(match &self.kind {
            Kind::Echo(message) => Call {
                path: ECHO,
                message: message.clone(),
                keeps: false,
            },
            Kind::Deals { calls, deals } => deals.call(calls.of(number), number),
        })
    }
}

impl Mix {
    /// What the call of that number is: itself one kind, never `Mixed`.
    fn of(self, number: usize) -> Mix {
        match (self, number % 20) {
            (Mix::Mixed, 0) => Mix::Explain,
            (Mix::Mixed, 6 | 12 | 18) => Mix::Record,
            (Mix::Mixed, _) => Mix::Score,
            (mix, _) => mix,
        }
    }
}

impl Deals {
    fn call(&self, kind: Mix, number: usize) -> Call {
        let deal = number.wrapping_mul(STRIDE) % self.named.len();
        match kind {
            Mix::Record => Call {
                path: RECORD,
                message: Bytes::from(self.book.news(deal, number).encode_to_vec()),
                keeps: true,
            },
            Mix::Explain => Call {
                path: EXPLAIN,
                message: self.named[deal].clone(),
                keeps: false,
            },
            Mix::Score | Mix::Mixed => Call {
                path: SCORE,
                message: self.named[deal].clone(),
                keeps: false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_four_fifths_scores() {
        let kinds: Vec<Mix> = (0..20).map(|number| Mix::Mixed.of(number)).collect();
        let count = |mix| kinds.iter().filter(|kind| **kind == mix).count();
        assert_eq!(count(Mix::Score), 16);
        assert_eq!(count(Mix::Record), 3);
        assert_eq!(count(Mix::Explain), 1);
    }

    #[test]
    fn every_deal_has_its_turn_and_work_may_end() {
        let work = Work::of_deals(Mix::Score, Book::new(), 0, 100).ending_after(100);
        let mut asked: Vec<Bytes> = std::iter::from_fn(|| work.next())
            .map(|call| call.message)
            .collect();
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), 100);
    }
}
