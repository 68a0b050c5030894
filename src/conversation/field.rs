//! What is written above and below a conversation and is nobody's words: its date, who took part, notes.

use crate::conversation::label;

/// What a label that is a field of the file begins with, in lower case.
const FIELDS: [&str; 51] = [
    "account",
    "action item",
    "action items",
    "agenda",
    "attendees",
    "call id",
    "call notes",
    "call title",
    "call type",
    "channel",
    "company",
    "conversation id",
    "date",
    "datum",
    "deal",
    "duration",
    "end time",
    "key points",
    "key takeaways",
    "language",
    "length",
    "link",
    "location",
    "meeting",
    "meeting id",
    "meeting notes",
    "meeting title",
    "next step",
    "next steps",
    "note",
    "notes",
    "objective",
    "opportunity",
    "outcome",
    "participants",
    "present",
    "purpose",
    "recorded",
    "recording",
    "recording id",
    "result",
    "stage",
    "start time",
    "subject",
    "summary",
    "takeaways",
    "time",
    "title",
    "topic",
    "transcript",
    "url",
];

/// Longer than this a line is no title.
const TITLE_BYTES_MAX: usize = 100;

/// What a line without a speaker is by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `# Call with Acme`.
    Heading,
    /// `---`.
    Rule,
    /// `- one`, `1. one`.
    Bullet,
    /// Short and without the end of a sentence.
    Title,
    Words,
}

/// Whether a label is the name of a field and not of a person.
pub fn is_field(label: &str) -> bool {
    let key = label::key(label);
    FIELDS.iter().any(|field| {
        key.strip_prefix(field).is_some_and(|rest| {
            // `Call notes - what went wrong`.
            rest.is_empty() || rest.trim_start().starts_with(['-', '–', '(', '&', '/'])
        })
    })
}

pub fn shape(line: &str) -> Shape {
    let line = line.trim();
    let is_rule = 3 <= line.len()
        && ['-', '*', '_', '=', '~']
            .iter()
            .any(|mark| line.chars().all(|c| c == *mark || c == ' '));
    if is_rule {
        return Shape::Rule;
    }
    if line.trim_start_matches('#').starts_with(' ') && line.starts_with('#') {
        return Shape::Heading;
    }
    if is_bullet(line) {
        return Shape::Bullet;
    }
    let ends = line.ends_with(['.', '!', '?', ',', '…', ';']);
    if line.len() <= TITLE_BYTES_MAX
        && !ends
        && line.chars().any(|c| c.is_uppercase() || c.is_numeric())
    {
        let starts = line.chars().next();
        if starts.is_some_and(|c| !c.is_lowercase()) {
            return Shape::Title;
        }
    }
    Shape::Words
}

pub fn is_bullet(line: &str) -> bool {
    let line = line.trim_start();
    if ["- ", "* ", "• ", "– ", "+ ", "· "]
        .iter()
        .any(|mark| line.starts_with(mark))
    {
        return true;
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (1..=3).contains(&digits)
        && (line[digits..].starts_with(". ") || line[digits..].starts_with(") "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_from_people() {
        for field in [
            "Date",
            "call notes - What Went Wrong",
            "Participants",
            "NEXT  STEPS",
            "Recording ID",
        ] {
            assert!(is_field(field), "{field}");
        }
        for person in [
            "Ana",
            "Dateline Smith",
            "Timea",
            "Notes Taker",
            "Host",
            "Mark Present",
        ] {
            assert!(!is_field(person), "{person}");
        }
    }

    #[test]
    fn a_line_without_a_speaker_has_a_shape() {
        for (line, expected) in [
            ("## Call", Shape::Heading),
            ("---", Shape::Rule),
            ("* * *", Shape::Rule),
            ("- one", Shape::Bullet),
            ("12. twelve", Shape::Bullet),
            ("Call with Acme, 12 March", Shape::Title),
            ("and we cannot go on like this", Shape::Words),
            ("We cannot go on.", Shape::Words),
            ("#1 priority", Shape::Title),
        ] {
            assert_eq!(shape(line), expected, "{line}");
        }
    }
}
