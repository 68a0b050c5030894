//! What it takes to read a quote, on one core: what people say, and the longest and worst that may be sent.
//!
//! The interface promises an answer to any quote within 5 ms: each text below is 4,096 bytes, with as much of it again as
//! the seller's words before. Those of `as_they_come` are the quotes of `examples/pipeline.ndjson`; divan tells quotes a
//! second.
//!
//! `cargo bench --bench language`

use std::fs;

use divan::Bencher;
use divan::black_box;
use divan::counter::ItemsCount;
use serde_json::Value;
use verbatim::domain::time::Date;
use verbatim::language::Extractor;
use verbatim::language::Heard;

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pipeline.ndjson");

/// The most that a quote, and a context, may be.
const BYTES_MAX: usize = 4_096;

/// What is said over and over until the text is full.
const WORST: [(&str, &str); 12] = [
    (
        "prose",
        "Every month on the old system costs us 40k, and the auditors come in March. ",
    ),
    ("negations", "not no never without none "),
    ("conditions", "if we would could should unless "),
    ("questions", "? ! . "),
    ("amounts", "$40k a month 40,000.00 EUR "),
    ("dates", "by end of Q2 before the March audit 2026-05-12 "),
    ("digits", "9"),
    ("letters", "a"),
    ("short words", "a b c d "),
    ("controls", "\n\t"),
    ("marks on marks", "a\u{301}\u{302}\u{303}"),
    ("faces", "\u{1f468}\u{1f3fd}\u{200d}"),
];

// That of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // The weights are read at the first quote; that is not to be measured.
    read("warm", "");
    divan::main();
}

#[divan::bench]
fn as_they_come(bencher: Bencher) {
    let quotes = quotes();
    bencher
        .counter(ItemsCount::new(quotes.len()))
        .bench_local(|| {
            for quote in &quotes {
                read(black_box(quote), "");
            }
        });
}

#[divan::bench(args = WORST.map(|(name, _)| name))]
fn longest(bencher: Bencher, name: &str) {
    let said = WORST.iter().find(|(other, _)| *other == name);
    let (_, said) = said.expect("the names are those of the list");
    let text = said.repeat(BYTES_MAX / said.len());
    bencher.bench_local(|| read(black_box(&text), black_box(&text)));
}

fn read(quote: &str, context: &str) {
    let heard = Heard {
        quote,
        context,
        said_on: Date::parse("2026-05-12").ok(),
    };
    black_box(Extractor::compiled().read(heard));
}

fn quotes() -> Vec<String> {
    let story = fs::read_to_string(STORY).expect("the story is in the repository");
    let lines = story.lines().filter(|line| line.starts_with('{'));
    lines
        .filter_map(|line| {
            let write: Value = serde_json::from_str(line).ok()?;
            let quote = &write["recordBuyerStatement"]["statement"]["quote"];
            quote.as_str().map(str::to_owned)
        })
        .collect()
}
