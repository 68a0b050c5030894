//! One entry of a transcript in JSON: who says what, and when, under the names that are in use for it.

use serde_json::Map;
use serde_json::Value;

use crate::conversation::At;
use crate::conversation::timecode;
use crate::conversation::timecode::Told;
use crate::domain::time::Instant;
use crate::domain::time::Span;

/// Keys under which lists of entries are found.
const LISTS: [&str; 16] = [
    "callTranscripts",
    "transcript",
    "transcripts",
    "turns",
    "utterances",
    "segments",
    "messages",
    "conversation",
    "entries",
    "results",
    "items",
    "data",
    "monologues",
    "dialogue",
    "paragraphs",
    "phrases",
];

const SPEAKERS: [&str; 14] = [
    "speaker",
    "speakerName",
    "speaker_name",
    "name",
    "participant",
    "participantName",
    "participant_name",
    "author",
    "from",
    "user",
    "role",
    "speakerId",
    "speaker_id",
    "speakerLabel",
];

const TEXTS: [&str; 9] = [
    "text",
    "content",
    "transcript",
    "message",
    "body",
    "utterance",
    "sentence",
    "caption",
    "words",
];

const TIMES: [&str; 12] = [
    "start",
    "startTime",
    "start_time",
    "timestamp",
    "time",
    "offset",
    "begin",
    "from_time",
    "ts",
    "startMs",
    "start_ms",
    "offsetMs",
];

/// What an entry says.
pub struct Said {
    pub speaker: String,
    pub text: String,
    pub time: Option<Told>,
}

/// Whether a key is one under which entries are found.
pub fn is_list(key: &str) -> bool {
    LISTS.contains(&key)
}

/// Whether an object is no turn but holds some.
pub fn holds_others(object: &Map<String, Value>) -> bool {
    LISTS
        .iter()
        .any(|list| object.get(*list).is_some_and(holds_entries))
}

fn holds_entries(value: &Value) -> bool {
    match value {
        Value::Array(entries) => entries
            .iter()
            .all(|entry| entry.is_object() || entry.is_array()),
        Value::Object(_) => true,
        _ => false,
    }
}

/// What an entry says and who says it, if it is a turn.
pub fn said(object: &Map<String, Value>) -> Option<Said> {
    let speaker = SPEAKERS.iter().find_map(|key| name(object.get(*key)?))?;
    let time = time(object);
    if let Some(Value::Array(sentences)) = object.get("sentences") {
        let texts: Vec<&str> = sentences
            .iter()
            .filter_map(|sentence| sentence.get("text")?.as_str())
            .collect();
        // Gong counts milliseconds.
        let start = sentences
            .first()
            .and_then(|sentence| sentence.get("start")?.as_f64());
        return Some(Said {
            speaker,
            text: texts.join(" "),
            time: start.map(Told::Milliseconds).or(time),
        });
    }
    let text = TEXTS.iter().find_map(|key| object.get(*key)?.as_str())?;
    Some(Said {
        speaker,
        text: text.to_owned(),
        time,
    })
}

/// A name: text, a number, or an object that has one.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => [
            "name",
            "displayName",
            "display_name",
            "label",
            "id",
            "email",
        ]
        .iter()
        .find_map(|key| object.get(*key)?.as_str().map(str::to_owned)),
        _ => None,
    }
}

fn time(object: &Map<String, Value>) -> Option<Told> {
    let (key, value) = TIMES
        .iter()
        .find_map(|key| Some((*key, object.get(*key)?)))?;
    match value {
        Value::String(text) => timecode::of_text(text),
        Value::Number(number) if key.ends_with("Ms") || key.ends_with("_ms") => {
            number.as_f64().map(Told::Milliseconds)
        }
        Value::Number(number) => match number.as_f64()? {
            // Seconds or milliseconds since 1970.
            seconds if 1e12 <= seconds => at_unix(seconds / 1_000.0),
            seconds if 1e9 <= seconds => at_unix(seconds),
            seconds => Some(Told::Number(seconds)),
        },
        _ => None,
    }
}

fn at_unix(seconds: f64) -> Option<Told> {
    let whole = Instant::from_unix(seconds as i64, 0).ok()?;
    let rest = Span::milliseconds((seconds.fract() * 1_000.0) as i64);
    Some(Told::At(At::Moment(whole.plus(rest))))
}
