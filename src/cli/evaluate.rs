//! `evaluate`: how well the service reads claims from quotes that people have marked, without a service.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::domain::time::Date;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;
use crate::language::Extractor;
use crate::language::Heard;
use crate::language::Reading;
use crate::language::tally::BINS;
use crate::language::tally::Count;
use crate::language::tally::Marked;
use crate::language::tally::Tally;

pub const EXAMPLES: &str = "Examples:
  verbatim evaluate quotes.jsonl
  verbatim evaluate quotes.jsonl --json | jq .micro_f1

A line is a JSON object: quote, claims (topic, stance, conviction each), and if known context (the seller's words before)
and said_at. A claim is right when its topic and stance are.";

#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// Marked quotes, a line each
    file: PathBuf,
    /// For programs: all figures and misses as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: String,
    quote: String,
    context: Option<String>,
    said_at: Option<String>,
    claims: Vec<MarkedLine>,
}

#[derive(Deserialize)]
struct MarkedLine {
    topic: String,
    stance: String,
    conviction: String,
}

/// A quote whose claims were not found as marked.
struct Miss {
    id: String,
    quote: String,
    expected: Vec<Marked>,
    found: Vec<Marked>,
}

/// Reads a file of marked quotes and tells the agreement.
pub fn run(args: &EvaluateArgs) -> Result<String, Failure> {
    let path = args.file.display();
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Failure::new(Exit::Usage, format!("{path}: {error}")))?;
    let mut tally = Tally::default();
    let mut misses = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let wrong =
            |error: String| Failure::new(Exit::Data, format!("{path}, line {}: {error}", at + 1));
        let line: Line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let expected: Vec<Marked> = line
            .claims
            .iter()
            .map(marked)
            .collect::<Result<_, String>>()
            .map_err(wrong)?;
        let found = found(&line);
        tally.count(&expected, &found);
        let kinds = |claims: &[Marked]| -> Vec<(Topic, Stance)> {
            let mut kinds: Vec<_> = claims.iter().map(|one| (one.topic, one.stance)).collect();
            kinds.sort_unstable();
            kinds
        };
        if kinds(&expected) != kinds(&found) {
            misses.push(Miss {
                id: line.id,
                quote: line.quote,
                expected,
                found,
            });
        }
    }
    Ok(if args.json {
        format!("{:#}\n", as_json(&tally, &misses))
    } else {
        as_text(&tally, &misses)
    })
}

fn found(line: &Line) -> Vec<Marked> {
    let day = line
        .said_at
        .as_deref()
        .and_then(|said_at| said_at.get(..10));
    let heard = Heard {
        quote: &line.quote,
        context: line.context.as_deref().unwrap_or_default(),
        said_on: day.and_then(|day| Date::parse(day).ok()),
    };
    let claims = match Extractor::compiled().read(heard) {
        Reading::Unsupported => Vec::new(),
        Reading::Claims(claims) => claims,
    };
    claims
        .iter()
        .map(|claim| Marked {
            topic: claim.topic,
            stance: claim.stance,
            conviction: claim.conviction,
            confidence: claim.confidence.get(),
        })
        .collect()
}

fn marked(line: &MarkedLine) -> Result<Marked, String> {
    let unknown = |what: &str, word: &str| format!("`{word}` is no {what}");
    Ok(Marked {
        topic: Topic::ALL
            .into_iter()
            .find(|one| one.name() == line.topic)
            .ok_or_else(|| unknown("topic", &line.topic))?,
        stance: Stance::ALL
            .into_iter()
            .find(|one| one.name() == line.stance)
            .ok_or_else(|| unknown("stance", &line.stance))?,
        conviction: Conviction::ALL
            .into_iter()
            .find(|one| one.name() == line.conviction)
            .ok_or_else(|| unknown("conviction", &line.conviction))?,
        confidence: 1.0,
    })
}

fn as_text(tally: &Tally, misses: &[Miss]) -> String {
    let mut text = String::new();
    let all = tally.all();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!(
        "{} quotes, {} claims",
        tally.quotes,
        all.right + all.missed
    ));
    line(format!(
        "  micro-F1               {:.3}   precision {:.3}, recall {:.3}",
        all.f1(),
        all.precision(),
        all.recall()
    ));
    line(format!(
        "  conviction right       {:.3}   of the {} claims found",
        tally.conviction_share(),
        all.right
    ));
    line(format!(
        "  left alone             {:.3}   of the {} quotes without a claim",
        tally.left_alone_share(),
        tally.silent
    ));
    line("\nBy topic and stance          made  found  right  precision  recall     F1".to_owned());
    for ((topic, stance), count) in &tally.kinds {
        line(format!(
            "  {:15} {:9} {:5} {:6} {:6} {:10.2} {:7.2} {:6.2}",
            topic.name(),
            stance.name(),
            count.right + count.missed,
            count.right + count.wrong,
            count.right,
            count.precision(),
            count.recall(),
            count.f1(),
        ));
    }
    line("\nConfidence     claims  mean confidence  share right".to_owned());
    for (at, bin) in tally.bins.iter().enumerate() {
        if 0 < bin.claims {
            line(format!(
                "  {:.1} to {:.1} {:9} {:16.2} {:12.2}",
                at as f64 / BINS as f64,
                (at + 1) as f64 / BINS as f64,
                bin.claims,
                bin.confidence_sum / f64::from(bin.claims),
                f64::from(bin.right) / f64::from(bin.claims),
            ));
        }
    }
    line(format!(
        "\n{} quotes read otherwise than marked",
        misses.len()
    ));
    for miss in misses {
        line(format!("  {} “{}”", miss.id, miss.quote.replace('\n', " ")));
        line(format!("      marked {}", words(&miss.expected)));
        line(format!("      read   {}", words(&miss.found)));
    }
    text
}

fn words(claims: &[Marked]) -> String {
    let mut text = String::new();
    for claim in claims {
        let comma = if text.is_empty() { "" } else { ", " };
        let (topic, stance) = (claim.topic.name(), claim.stance.name());
        let _written = write!(text, "{comma}{topic} {stance} {}", claim.conviction.name());
    }
    if text.is_empty() {
        return "nothing".to_owned();
    }
    text
}

fn as_json(tally: &Tally, misses: &[Miss]) -> Value {
    let counted = |count: &Count| {
        json!({
            "right": count.right,
            "wrong": count.wrong,
            "missed": count.missed,
            "precision": count.precision(),
            "recall": count.recall(),
            "f1": count.f1(),
        })
    };
    let kinds = tally.kinds.iter().map(|((topic, stance), count)| {
        let mut kind = counted(count);
        kind["topic"] = topic.name().into();
        kind["stance"] = stance.name().into();
        kind
    });
    let claims = |claims: &[Marked]| -> Vec<Value> {
        let one = |claim: &Marked| {
            json!({
                "topic": claim.topic.name(),
                "stance": claim.stance.name(),
                "conviction": claim.conviction.name(),
                "confidence": claim.confidence,
            })
        };
        claims.iter().map(one).collect()
    };
    let missed = misses.iter().map(|miss| {
        json!({
            "id": miss.id,
            "quote": miss.quote,
            "marked": claims(&miss.expected),
            "read": claims(&miss.found),
        })
    });
    let bins = tally.bins.iter().map(|bin| {
        json!({
            "claims": bin.claims,
            "right": bin.right,
            "confidence_sum": bin.confidence_sum,
        })
    });
    json!({
        "quotes": tally.quotes,
        "micro_f1": tally.all().f1(),
        "all": counted(&tally.all()),
        "conviction_right_share": tally.conviction_share(),
        "left_alone_share": tally.left_alone_share(),
        "kinds": kinds.collect::<Vec<Value>>(),
        "confidence_bins": bins.collect::<Vec<Value>>(),
        "misses": missed.collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn evaluate(lines: &str) -> Result<Value, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), lines).unwrap();
        let args = EvaluateArgs {
            file: file.path().to_owned(),
            json: true,
        };
        run(&args).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn agreement_is_told_with_its_misses() {
        let answer = evaluate(
            r#"{"quote":"We have no budget for this.","claims":[{"topic":"MANAGEMENT","stance":"OPPOSES","conviction":"OWNED"}]}

{"quote":"Hello!","claims":[{"topic":"VALUE","stance":"SUPPORTS","conviction":"OWNED"}]}"#,
        )
        .unwrap();
        assert_eq!(answer["quotes"], 2);
        assert_eq!(answer["all"]["right"], 1);
        assert_eq!(answer["misses"][0]["quote"], "Hello!");
    }

    #[test]
    fn a_line_that_is_none_is_told() {
        let failure = evaluate("{}").unwrap_err();
        assert!(failure.text.contains("line 1"), "{}", failure.text);
        let claim = r#"{"quote":"q","claims":[{"topic":"WEATHER","stance":"OPPOSES","conviction":"OWNED"}]}"#;
        assert!(evaluate(claim).unwrap_err().text.contains("WEATHER"));
    }
}
