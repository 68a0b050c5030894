//! The written sentences, a line each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;

use verbatim::domain::topic::Conviction;
use verbatim::domain::topic::Stance;
use verbatim::domain::topic::Topic;
use verbatim::language::tally::Marked;

/// One quote and what people found in it.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub quote: String,
    pub context: String,
    pub claims: Vec<Marked>,
}

/// All sentences of a file of plain ones: under a head of claims, `[TOPIC STANCE CONVICTION, …]`, a quote a line, with the
/// seller's words before it if any, `seller => buyer`. Its writer is what the name of the file begins with.
pub fn read_plain(path: &Path) -> Result<Vec<Line>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let writer = stem
        .unwrap_or_default()
        .split('-')
        .next()
        .unwrap_or_default();
    let mut lines = Vec::new();
    let mut claims: Vec<Marked> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            claims = head_claims(head.trim_end_matches(']'))
                .map_err(|error| format!("{}:{}: {error}", path.display(), at + 1))?;
            continue;
        }
        let (context, quote) = line.split_once(" => ").unwrap_or(("", line));
        lines.push(Line {
            id: format!("{writer}-{:04}", at + 1),
            quote: quote.to_owned(),
            context: context.to_owned(),
            claims: claims.clone(),
        });
    }
    Ok(lines)
}

fn head_claims(head: &str) -> Result<Vec<Marked>, String> {
    head.split(", ")
        .filter(|claim| !claim.is_empty())
        .map(|written| {
            let mut words = written.split(' ').map(str::to_owned);
            let mut next = || words.next().unwrap_or_default();
            claim(&RawClaim {
                topic: next(),
                stance: next(),
                conviction: next(),
            })
        })
        .collect()
}

#[derive(Deserialize)]
struct RawLine {
    id: String,
    quote: String,
    #[serde(default)]
    context: Option<String>,
    claims: Vec<RawClaim>,
}

#[derive(Deserialize)]
struct RawClaim {
    topic: String,
    stance: String,
    conviction: String,
}

/// All sentences of a folder, file by file in the order of their names.
pub fn all(folder: &Path) -> Result<Vec<Line>, String> {
    let read_dir =
        fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = read_dir.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => lines.extend(read(&path)?),
            Some("txt") => lines.extend(read_plain(&path)?),
            _ => {}
        }
    }
    Ok(lines)
}

/// All lines of a file, in its order.
pub fn read(path: &Path) -> Result<Vec<Line>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| {
            parse(line).map_err(|error| format!("{}:{}: {error}", path.display(), at + 1))
        })
        .collect()
}

fn parse(line: &str) -> Result<Line, String> {
    let raw: RawLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let claims = raw
        .claims
        .iter()
        .map(claim)
        .collect::<Result<Vec<Marked>, String>>()?;
    let topics: BTreeSet<Topic> = claims.iter().map(|claim| claim.topic).collect();
    if topics.len() < claims.len() {
        return Err("a topic is claimed twice; of two claims the weaker counts".to_owned());
    }
    Ok(Line {
        id: raw.id,
        quote: raw.quote,
        context: raw.context.unwrap_or_default(),
        claims,
    })
}

fn claim(raw: &RawClaim) -> Result<Marked, String> {
    let topic = Topic::ALL.into_iter().find(|one| one.name() == raw.topic);
    let stance = Stance::ALL.into_iter().find(|one| one.name() == raw.stance);
    let conviction = Conviction::ALL
        .into_iter()
        .find(|one| one.name() == raw.conviction);
    match (topic, stance, conviction) {
        (Some(topic), Some(stance), Some(conviction)) => Ok(Marked {
            topic,
            stance,
            conviction,
            confidence: 1.0,
        }),
        _ => Err(format!(
            "not a claim: {} {} {}",
            raw.topic, raw.stance, raw.conviction
        )),
    }
}
