//! The book of deals as the store keeps it, for measurements that go around the interface.

use crate::cli::bench::book;
use crate::cli::bench::book::Book;
use crate::clock::Clock;
use crate::clock::SystemClock;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::time::Instant;
use crate::grpc::request;
use crate::wire;
use crate::wire::pb;
use crate::wire::pb::write::Write;

/// The events of a deal with this many statements, as the service would have kept them.
pub fn deal(book: Book, deal: usize, statements: usize) -> Vec<Vec<u8>> {
    let events = events(book.deal(deal, statements));
    events.iter().map(wire::event::encode).collect()
}

/// The same, of a deal that is worth something to one of several owners.
pub fn events_with_amount(book: Book, deal: usize, statements: usize) -> Vec<Event> {
    let writes = book.deal(deal, statements).chain([book.amount(deal)]);
    events(writes)
}

fn events(writes: impl Iterator<Item = Write>) -> Vec<Event> {
    let now = SystemClock.now();
    let facts = writes.flat_map(|write| facts(write, now));
    (1..)
        .zip(facts)
        .map(|(revision, fact)| Event {
            revision,
            recorded_at: now,
            fact,
        })
        .collect()
}

/// The bytes that a statement of the book takes in the store.
pub fn statement_bytes(book: Book) -> usize {
    let events = deal(book, 0, book::STATEMENTS);
    events.last().map_or(0, Vec::len)
}

fn facts(write: Write, now: Instant) -> Vec<Fact> {
    const READS: &str = "the book holds what the interface takes";
    match write {
        Write::UpsertDeal(request) => {
            vec![Fact::Deal(
                request::upsert_deal(request, now).expect(READS).facts,
            )]
        }
        Write::UpsertStakeholders(request) => request::upsert_stakeholders(request, now)
            .expect(READS)
            .facts
            .into_iter()
            .map(Fact::Stakeholder)
            .collect(),
        Write::RecordBuyerStatement(request) => {
            vec![statement(request, now).expect(READS)]
        }
        Write::UpsertMilestones(_)
        | Write::RecordOutcome(_)
        | Write::RetractBuyerStatement(_)
        | Write::ConfirmClaims(_) => {
            unreachable!("the book has none of these")
        }
    }
}

fn statement(request: pb::RecordBuyerStatementRequest, now: Instant) -> Option<Fact> {
    let recording = request::record(request, now).ok()?;
    Some(Fact::Statement(recording.statement))
}
