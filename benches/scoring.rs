//! What the domain takes to fold, score and explain a deal, without store or network.
//!
//! The deal: 8 people who spoke on all 12 topics, 3 claims each. The time of a score must not grow with the length of
//! a history, so both are also measured on deals of 10, 1,000 and 10,000 statements that say the same again and again.
//!
//! `cargo bench --bench scoring`

use divan::Bencher;
use divan::black_box;
use verbatim::domain::deal::Deal;
use verbatim::domain::difference::Between;
use verbatim::domain::difference::Seen;
use verbatim::domain::event::Event;
use verbatim::domain::event::Fact;
use verbatim::domain::moment::Moment;
use verbatim::domain::phrase;
use verbatim::domain::score;
use verbatim::domain::stall;
use verbatim::domain::time::Instant;
use verbatim::domain::time::Span;
use verbatim::domain::trend;
use verbatim::domain::trend::Knowledge;
use verbatim::domain::trend::Lived;
use verbatim::domain::trend::Point;
use verbatim::domain::trend::TrendStep;
use verbatim::domain::words::Words;
use verbatim::grpc::request;
use verbatim::model_file;
use verbatim::wire::pb;

const LENGTHS: [usize; 3] = [10, 1_000, 10_000];

const PEOPLE: usize = 8;
const TOPICS: usize = 12;
const CLAIMS: usize = 3;

const DAY_SECONDS: i64 = 86_400;
const NOW_SECONDS: i64 = 1_800_000_000;

// That of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

#[divan::bench]
fn score_of_a_full_deal(bencher: Bencher) {
    bench_score(bencher, &Deal::replay(&full()));
}

#[divan::bench]
fn explanation_of_a_full_deal(bencher: Bencher) {
    bench_explanation(bencher, &full());
}

#[divan::bench]
fn fold_of_a_full_deal(bencher: Bencher) {
    let events = full();
    bencher.bench_local(|| Deal::replay(black_box(&events)));
}

#[divan::bench(args = LENGTHS)]
fn score_by_length(bencher: Bencher, statements: usize) {
    bench_score(bencher, &Deal::replay(&long(statements)));
}

#[divan::bench(args = LENGTHS)]
fn explanation_by_length(bencher: Bencher, statements: usize) {
    bench_explanation(bencher, &long(statements));
}

#[divan::bench(args = LENGTHS)]
fn fold_by_length(bencher: Bencher, statements: usize) {
    let events = long(statements);
    bencher.bench_local(|| Deal::replay(black_box(&events)));
}

/// Daily points of a deal of 1,000 statements; most points lie behind all of them.
#[divan::bench]
fn trend_of_365_days(bencher: Bencher) {
    let model = model_file::default();
    let deal = Deal::replay(&varied());
    let from = days_before_now(80);
    let to = from.plus(Span::days(364));
    let moments = trend::moments(from, to, TrendStep::Daily).expect("few enough");
    bencher.bench_local(|| {
        let point = |at: &Instant| trend::point(black_box(&deal), model, *at, deal.revision());
        moments.iter().map(point).collect::<Vec<Point>>()
    });
}

#[divan::bench]
fn trend_of_1_000_changes(bencher: Bencher) {
    let model = model_file::default();
    let events = varied();
    bencher.bench_local(|| {
        let mut lived = Lived::new(days_before_now(80), now(), Knowledge::Now);
        for event in &events {
            lived.take(event.clone());
        }
        lived.points(model)
    });
}

#[divan::bench]
fn comparison_over_1_000_statements(bencher: Bencher) {
    let model = model_file::default();
    let events = varied();
    let seen = |as_of| Seen {
        as_of,
        known_at: Instant::MAX,
    };
    bencher.bench_local(|| {
        let mut between = Between::new(seen(days_before_now(81)), seen(now()));
        for event in &events {
            between.take(event.clone());
        }
        between.difference(model)
    });
}

fn bench_score(bencher: Bencher, deal: &Deal) {
    let model = model_file::default();
    bencher.bench_local(|| score::score(black_box(deal), model, now()));
}

fn bench_explanation(bencher: Bencher, events: &[Event]) {
    let model = model_file::default();
    let deal = Deal::replay(events);
    let words = words(events);
    bencher.bench_local(|| {
        let moment = Moment::of(black_box(&deal), model, now());
        let tally = score::tally(&moment);
        let stall = stall::explain(&moment, &tally);
        let told = phrase::tell(&moment, &tally, &stall, &words);
        (stall, told)
    });
}

/// 8 people × 12 topics × 3 claims.
fn full() -> Vec<Event> {
    let said = PEOPLE * TOPICS * CLAIMS;
    history(said, said)
}

/// So many statements, the first ten of them over and over.
fn long(statements: usize) -> Vec<Event> {
    history(statements, LENGTHS[0])
}

/// 1,000 statements that say different things.
fn varied() -> Vec<Event> {
    history(1_000, 1_000)
}

/// So many statements, of which so many say different things.
fn history(statements: usize, different: usize) -> Vec<Event> {
    let named = (0..PEOPLE).map(|person| {
        let request = pb::UpsertStakeholdersRequest {
            deal_id: "deal".into(),
            stakeholders: vec![pb::Stakeholder {
                stakeholder_id: format!("person-{person}"),
                display_name: Some(format!("Person {person}")),
                roles: vec![person as i32 + 1],
                effective_at: Some(days_ago(90.0)),
                ..pb::Stakeholder::default()
            }],
            ..pb::UpsertStakeholdersRequest::default()
        };
        let mut facts = request::upsert_stakeholders(request, now())
            .expect("the request is right")
            .facts;
        Fact::Stakeholder(facts.remove(0))
    });
    let said = (0..statements).map(|number| {
        let request = pb::RecordBuyerStatementRequest {
            statement: Some(statement(number, number % different, statements)),
            ..pb::RecordBuyerStatementRequest::default()
        };
        let recording = request::record(request, now()).expect("the request is right");
        Fact::Statement(recording.statement)
    });
    (1..)
        .zip(named.chain(said))
        .map(|(revision, fact)| Event {
            revision,
            recorded_at: now(),
            fact,
        })
        .collect()
}

/// Each person on each topic in turn, over 80 days, the stances and convictions changing from round to round.
fn statement(number: usize, saying: usize, of: usize) -> pb::BuyerStatement {
    let person = saying % PEOPLE;
    let topic = saying / PEOPLE % TOPICS;
    let round = saying / (PEOPLE * TOPICS);
    let stance = [1, 1, 1, 2, 1, 3, 1][(saying + round) % 7];
    pb::BuyerStatement {
        statement_id: format!("s-{number}"),
        deal_id: "deal".into(),
        speaker: Some(pb::Speaker {
            stakeholder_id: format!("person-{person}"),
            ..pb::Speaker::default()
        }),
        said_at: Some(days_ago(80.0 - 80.0 * number as f64 / of as f64)),
        quote: "We cannot go through another renewal season the way we work now.".into(),
        attribution: 1 + i32::from(saying.is_multiple_of(5)),
        claims: vec![pb::Claim {
            topic: topic as i32 + 1,
            stance,
            conviction: 1 + (person as i32 + round as i32) % 3,
            ..pb::Claim::default()
        }],
        ..pb::BuyerStatement::default()
    }
}

fn words(events: &[Event]) -> Words {
    let mut words = Words::default();
    for event in events {
        if let Fact::Statement(statement) = &event.fact {
            words.insert(event.revision, statement);
        }
    }
    words
}

fn now() -> Instant {
    Instant::from_unix(NOW_SECONDS, 0).expect("in range")
}

fn days_before_now(days: i32) -> Instant {
    now().minus(Span::days(days)).expect("in range")
}

fn days_ago(days: f64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: NOW_SECONDS - (days * DAY_SECONDS as f64) as i64,
        nanos: 0,
    }
}
