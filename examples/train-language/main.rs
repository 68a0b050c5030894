//! Trains the reader of quotes from the sentences in `language/corpus` and writes `language/weights.bin`.
//!
//! `cargo run --release --example train-language` from the root of the repository gives the same bytes on every machine.
//! Files named after it are measured with the new weights and never learned from.
//!
//! How likely a score is to be right, and from which likelihood on a claim is found, is read off sentences of writers that
//! the weights had not seen: each writer is left out once, several at a time.

mod calibrate;
mod corpus;
mod learn;
mod report;
mod sheets;
mod write;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use verbatim::domain::topic::Conviction;
use verbatim::domain::topic::Topic;
use verbatim::language::Extractor;
use verbatim::language::model::RUNG_MARGIN;
use verbatim::language::tally::Marked;
use verbatim::language::tally::Tally;

use crate::calibrate::Fit;
use crate::calibrate::Pull;
use crate::corpus::Line;
use crate::sheets::KindOf;
use crate::sheets::Sheet;
use crate::sheets::Weights;
use crate::write::Beside;

const FOLDER: &str = "language/corpus";
const WEIGHTS: &str = "language/weights.bin";

/// The share of quotes without a claim that must be left alone.
const LEFT_ALONE_MIN: f64 = 0.93;

/// In how many groups writers are left out.
const GROUPS: usize = 6;

/// How strongly the curve of each kind is drawn to that of all.
const CURVE_PULL: Pull = Pull(3.0);

fn main() -> ExitCode {
    match train() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn train() -> Result<(), String> {
    let lines = corpus::all(Path::new(FOLDER))?;
    let sheets = sheets::of(&lines);
    let kinds = sheets::kinds(&lines);
    println!("{} sentences, {} kinds of claims", lines.len(), kinds.len());

    let scores = unseen(&lines, &sheets, &kinds);
    let judge = Judge::fit(&lines, &scores, &kinds);
    let unseen = judge.tally(&lines, &scores);
    report::summary("unseen writers", &unseen);
    println!(
        "  thresholds: any claim {:.2}, a claim {:.2}",
        judge.gate_threshold, judge.threshold,
    );
    report::kinds(&unseen);
    report::bins(&unseen);

    let weights = Weights::learn(
        &lines.iter().collect::<Vec<_>>(),
        &sheets.iter().collect::<Vec<_>>(),
        &kinds,
    );
    let beside = Beside {
        kinds: &kinds,
        curves: &judge.curves,
        gate: judge.gate,
        gate_threshold: judge.gate_threshold,
        threshold: judge.threshold,
    };
    let (bytes, features_count) = write::file(&weights, &beside);
    fs::write(WEIGHTS, &bytes).map_err(|error| format!("{WEIGHTS}: {error}"))?;
    println!(
        "{WEIGHTS}: {} bytes, {features_count} features, digest {:016x}",
        bytes.len(),
        bytes
            .iter()
            .fold(0, |digest, byte| verbatim::language::words::mix(
                digest,
                u64::from(*byte)
            )),
    );

    let extractor = Extractor::new(&bytes).map_err(|error| error.to_string())?;
    for path in env::args().skip(1) {
        report::measure(&extractor, Path::new(&path))?;
    }
    Ok(())
}

/// Whose line it is: what its id begins with.
fn writer(line: &Line) -> &str {
    line.id.split('-').next().unwrap_or_default()
}

/// The scores of each line by weights that have seen no line of its writer.
///
/// Writers are left out in groups, each group in a thread of its own: what a thread learns depends on nothing but its lines.
fn unseen(lines: &[Line], sheets: &[Sheet], kinds: &[KindOf]) -> Vec<Vec<f64>> {
    let writers: BTreeSet<&str> = lines.iter().map(writer).collect();
    let group_of: BTreeMap<&str, usize> = writers.into_iter().zip((0..GROUPS).cycle()).collect();
    let group = |at: usize| group_of[writer(&lines[at])];
    let score = &|left_out: usize| {
        let (out, seen): (Vec<usize>, Vec<usize>) =
            (0..lines.len()).partition(|at| group(*at) == left_out);
        let weights = Weights::learn(
            &seen.iter().map(|at| &lines[*at]).collect::<Vec<_>>(),
            &seen.iter().map(|at| &sheets[*at]).collect::<Vec<_>>(),
            kinds,
        );
        let found = out.into_iter().map(|at| {
            let mut found = weights.scores(&sheets[at]);
            // What each kind adds to the convictions follows the columns.
            for kind in 0..kinds.len() {
                found.extend(weights.firm(kind).map(f64::from));
            }
            (at, found)
        });
        found.collect::<Vec<_>>()
    };
    let mut scores = vec![Vec::new(); lines.len()];
    thread::scope(|scope| {
        let threads: Vec<_> = (0..GROUPS)
            .map(|left_out| scope.spawn(move || score(left_out)))
            .collect();
        for thread in threads {
            let found = thread.join().expect("a thread that learns does not panic");
            for (at, found) in found {
                scores[at] = found;
            }
        }
    });
    scores
}

/// What scores are likely to mean, and from when on a claim is found.
struct Judge<'a> {
    kinds: &'a [KindOf],
    curves: Vec<Fit>,
    gate: Fit,
    gate_threshold: f64,
    threshold: f64,
}

impl Judge<'_> {
    fn fit<'a>(lines: &[Line], scores: &[Vec<f64>], kinds: &'a [KindOf]) -> Judge<'a> {
        let scored = |column: usize, label: &dyn Fn(&Line) -> bool| -> Vec<(f64, bool)> {
            let both = lines.iter().zip(scores);
            both.map(|(line, scores)| (scores[column], label(line)))
                .collect()
        };
        let start = Fit {
            slope: 2.0,
            offset: -1.0,
        };
        let mut all = Vec::new();
        for (place, kind) in kinds.iter().enumerate() {
            all.extend(scored(place, &|line| sheets::makes(line, *kind)));
        }
        let common = calibrate::fit(&all, start, Pull(1e-6));
        let mut judge = Judge {
            kinds,
            curves: Vec::new(),
            gate: calibrate::fit(
                &scored(kinds.len(), &|line| !line.claims.is_empty()),
                start,
                Pull(1e-6),
            ),
            gate_threshold: 0.5,
            threshold: 0.5,
        };
        for (place, kind) in kinds.iter().enumerate() {
            let gated: Vec<(f64, bool)> = scored(place, &|line| sheets::makes(line, *kind));
            judge
                .curves
                .push(calibrate::fit(&gated, common, CURVE_PULL));
        }
        judge.choose_thresholds(lines, scores);
        judge
    }

    /// Those with the greatest F1 among the ones that leave enough quotes alone.
    fn choose_thresholds(&mut self, lines: &[Line], scores: &[Vec<f64>]) {
        let likely: Vec<(f64, Vec<Marked>)> = scores
            .iter()
            .map(|scores| (self.any(scores), self.likeliest(scores)))
            .collect();
        let mut best = (f64::NEG_INFINITY, 0.5, 0.5);
        for gate_step in 4..16 {
            let gate_threshold = f64::from(gate_step) / 20.0;
            for step in 10..35 {
                let threshold = f64::from(step) / 50.0;
                let mut tally = Tally::default();
                for (line, (any, claims)) in lines.iter().zip(&likely) {
                    let found = found(*any, claims, gate_threshold, threshold);
                    tally.count(&line.claims, &found);
                }
                let short = (LEFT_ALONE_MIN - tally.left_alone_share()).max(0.0);
                let worth = tally.all().f1() - 4.0 * short;
                if best.0 < worth {
                    best = (worth, gate_threshold, threshold);
                }
            }
        }
        (_, self.gate_threshold, self.threshold) = best;
    }

    fn tally(&self, lines: &[Line], scores: &[Vec<f64>]) -> Tally {
        let mut tally = Tally::default();
        for (line, scores) in lines.iter().zip(scores) {
            let claims = self.likeliest(scores);
            let any = self.any(scores);
            let found = found(any, &claims, self.gate_threshold, self.threshold);
            tally.count(&line.claims, &found);
        }
        tally
    }

    /// How likely it is that there is any claim.
    fn any(&self, scores: &[f64]) -> f64 {
        calibrate::probability(self.gate, scores[self.kinds.len()])
    }

    /// The likeliest claim of each topic.
    fn likeliest(&self, scores: &[f64]) -> Vec<Marked> {
        let mut claims = Vec::new();
        for topic in Topic::ALL {
            let best = (0..self.kinds.len())
                .filter(|place| self.kinds[*place].0 == topic)
                .map(|place| {
                    let likely = calibrate::probability(self.curves[place], scores[place]);
                    (place, likely)
                })
                .max_by(|one, other| one.1.total_cmp(&other.1));
            if let Some((place, confidence)) = best {
                claims.push(Marked {
                    topic,
                    stance: self.kinds[place].1,
                    conviction: self.conviction(scores, place),
                    confidence,
                });
            }
        }
        claims
    }

    fn conviction(&self, scores: &[f64], kind: usize) -> Conviction {
        let first = self.kinds.len() + 1;
        let firm = first + 3 + 3 * kind;
        let mut firmest = (f64::NEG_INFINITY, Conviction::Acknowledged);
        for (rung, conviction) in Conviction::ALL.into_iter().enumerate() {
            let score = scores[first + rung] + scores[firm + rung];
            if firmest.0 + f64::from(RUNG_MARGIN) < score {
                firmest = (score, conviction);
            }
        }
        firmest.1
    }
}

/// Those that are found, as the extractor decides.
fn found(any: f64, claims: &[Marked], gate_threshold: f64, threshold: f64) -> Vec<Marked> {
    if any < gate_threshold {
        return Vec::new();
    }
    let likely = claims.iter().filter(|claim| threshold <= claim.confidence);
    likely.copied().collect()
}
