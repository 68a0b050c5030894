//! What can be the name of a speaker, and how names at the beginning of a line are told from other words.

use std::collections::HashMap;

use crate::conversation::field;
use crate::conversation::page::Page;
use crate::conversation::timecode;
use crate::domain::time::Span;

/// The most bytes of a label.
pub const LABEL_BYTES_MAX: usize = 128;

/// The most words of a label, a company or a title in brackets included.
const WORDS_MAX: usize = 8;

/// The most words of what is taken for a name though it comes once and nobody named it.
const NAME_WORDS_MAX: usize = 4;

/// What a full stop behind does not end.
const TITLES: [&str; 9] = ["Dr", "Mr", "Mrs", "Ms", "Mx", "Prof", "St", "Jr", "Sr"];

/// How files call those whose names they do not know.
const PARTS: [&str; 15] = [
    "attendee",
    "buyer",
    "caller",
    "client",
    "contact",
    "customer",
    "guest",
    "host",
    "lead",
    "participant",
    "prospect",
    "speaker",
    "unknown",
    "user",
    "visitor",
];

/// A line that begins with who speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head<'a> {
    pub form: Form,
    /// Empty where the line has a time and no name.
    pub label: &'a str,
    pub at: Option<Span>,
    /// What stands behind the label.
    pub text: &'a str,
}

/// How a line says who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `[00:01:02] Name: text`, or the time behind the name.
    Timed,
    /// `**Name:** text`.
    Bold,
    /// `Name: text`.
    Plain,
}

/// The labels of one file: those the caller knows, and how often each stands at the head of a line.
pub struct Labels {
    known: Vec<String>,
    counts: HashMap<String, usize>,
}

/// A label as it is compared: in lower case, with single blanks.
pub fn key(label: &str) -> String {
    let words = label.split_whitespace().map(str::to_lowercase);
    words.collect::<Vec<String>>().join(" ")
}

impl Labels {
    /// Those that the caller knows, before any is counted.
    pub fn known(known: &[&str]) -> Labels {
        Labels {
            known: known.iter().map(|label| key(label)).collect(),
            counts: HashMap::new(),
        }
    }

    pub fn of(page: &Page, known: &[&str]) -> Labels {
        let mut labels = Labels::known(known);
        for line in page.spoken_lines() {
            if let Some(head) = head(line.text) {
                labels.count(head.label);
            }
        }
        labels
    }

    pub fn count(&mut self, label: &str) {
        *self.counts.entry(key(label)).or_default() += 1;
    }

    pub fn is_known(&self, label: &str) -> bool {
        self.known.contains(&key(label))
    }

    /// Whether words before a colon are a speaker: one that the caller knows, that comes again, or that is written as
    /// a name is.
    pub fn is_speaker(&self, label: &str) -> bool {
        self.is_known(label)
            || (!field::is_field(label) && self.comes_again(label))
            || is_name(label)
    }

    pub fn comes_again(&self, label: &str) -> bool {
        1 < self.counts.get(&key(label)).copied().unwrap_or(0)
    }
}

/// Reads who speaks from the beginning of a line.
pub fn head(line: &str) -> Option<Head<'_>> {
    let line = line.trim();
    bold(line).or_else(|| timed(line)).or_else(|| plain(line))
}

/// Whether this can be a label at all.
pub fn is_label(text: &str) -> bool {
    let starts = text
        .chars()
        .next()
        .is_some_and(|first| first.is_alphanumeric() || first == '+');
    starts
        && text.len() <= LABEL_BYTES_MAX
        && text.split_whitespace().count() <= WORDS_MAX
        && !text.contains([
            '?', '!', ';', '"', '“', '”', '<', '>', '{', '}', '[', ']', '*', '/', '|', '=',
        ])
        && text.matches(',').count() <= 2
        && has_initials(text)
        && (text.chars().any(char::is_alphabetic)
            || text.chars().all(|c| c.is_ascii_digit() || c == '+'))
}

/// Whether it is written as names are: few words, each with a capital, or a role with a number.
pub fn is_name(text: &str) -> bool {
    let bare = text.split(['(', ',']).next().unwrap_or(text).trim();
    let words: Vec<&str> = bare.split_whitespace().collect();
    let capital = |word: &&str| {
        let first = word.chars().next();
        first.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
            || matches!(*word, "de" | "da" | "di" | "van" | "von" | "der" | "den" | "bin" | "al" | "la" | "du")
            // Scripts without capitals.
            || first.is_some_and(|c| c.is_alphabetic() && !c.is_lowercase())
    };
    is_label(text)
        && (1..=NAME_WORDS_MAX).contains(&words.len())
        && words.iter().all(capital)
        && !field::is_field(text)
}

/// Whether a person can be called so: a name, and not a part that is played, a number or an address.
pub fn is_of_a_person(text: &str) -> bool {
    let key = key(text);
    let plays_a_part = key.split(' ').any(|word| PARTS.contains(&word));
    is_name(text) && !plays_a_part && !text.contains(|c: char| c == '@' || c.is_numeric())
}

/// A full stop within a label belongs to an initial or a title: `Dr. Smith`, `J. R. Smith`.
fn has_initials(text: &str) -> bool {
    text.match_indices(". ").all(|(at, _)| {
        let last = text[..at].rsplit([' ', '.']).next().unwrap_or("");
        let is_initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase);
        is_initial || TITLES.contains(&last)
    })
}

/// `**Name:** text`, `**Name**: text`, `**Name** (00:01): text`, `**[00:01] Name:** text`.
fn bold(line: &str) -> Option<Head<'_>> {
    let line = ["- ", "* ", "> "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark))
        .unwrap_or(line);
    let mark = ["**", "__"]
        .into_iter()
        .find(|mark| line.starts_with(mark))?;
    let (inner, text) = line[mark.len()..].split_once(mark)?;
    let inner = inner.trim();
    let (inner, text) = match inner.strip_suffix([':', '：']) {
        Some(inner) => (inner, text),
        None => {
            let (between, text) = behind_colon(text)?;
            if let Some(at) = between {
                return labelled(Form::Bold, inner, Some(at), text);
            }
            (inner, text)
        }
    };
    let (label, at) = with_time(inner);
    // `**Name:** [00:01] text`.
    match (at, timecode::leading(text.trim())) {
        (None, Some((at, text))) => labelled(Form::Bold, label, Some(at), text),
        _ => labelled(Form::Bold, label, at, text),
    }
}

/// What is behind the colon that follows on a name in bold; between the two there may be a time and nothing else.
fn behind_colon(text: &str) -> Option<(Option<Span>, &str)> {
    for (at, colon) in text.match_indices([':', '：']) {
        let (between, behind) = (text[..at].trim(), &text[at + colon.len()..]);
        if between.is_empty() {
            return Some((None, behind));
        }
        if let Some((time, "")) = timecode::leading(between) {
            return Some((Some(time), behind));
        }
    }
    None
}

/// `[00:01:02] Name: text`, `Name (00:01:02): text`, and `[00:01:02] text`, which names nobody.
fn timed(line: &str) -> Option<Head<'_>> {
    if let Some((at, rest)) = timecode::leading(line) {
        let rest = rest.trim_start_matches(['-', '–', '*', ' ']);
        if let Some(head) = plain(rest) {
            return Some(Head {
                form: Form::Timed,
                at: Some(at),
                ..head
            });
        }
        let is_bracketed = line.starts_with(['[', '(']);
        return (is_bracketed && !rest.is_empty()).then_some(Head {
            form: Form::Timed,
            label: "",
            at: Some(at),
            text: rest,
        });
    }
    // The colon behind the time, not one within it.
    for (at, _) in line.match_indices([':', '：']) {
        let (before, behind) = line.split_at(at);
        if LABEL_BYTES_MAX < before.len() {
            return None;
        }
        if let Some((label, span)) = timecode::trailing(before)
            && !label.is_empty()
            && behind.chars().nth(1).is_none_or(char::is_whitespace)
        {
            let text = &behind[behind.chars().next()?.len_utf8()..];
            return labelled(Form::Timed, label, Some(span), text);
        }
    }
    None
}

/// `Name: text`.
fn plain(line: &str) -> Option<Head<'_>> {
    let at = line.find([':', '：'])?;
    let (label, behind) = line.split_at(at);
    let text = &behind[behind.chars().next()?.len_utf8()..];
    // `10:30`, `https://…`.
    if text.starts_with("//") || text.chars().next().is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    labelled(Form::Plain, label, None, text)
}

fn with_time(inner: &str) -> (&str, Option<Span>) {
    if let Some((at, label)) = timecode::leading(inner) {
        return (label, Some(at));
    }
    match timecode::trailing(inner) {
        Some((label, at)) if !label.is_empty() => (label, Some(at)),
        _ => (inner, None),
    }
}

fn labelled<'a>(form: Form, label: &'a str, at: Option<Span>, text: &'a str) -> Option<Head<'a>> {
    let label = label.trim().trim_matches(['*', '_']).trim();
    is_label(label).then_some(Head {
        form,
        label,
        at,
        text: text.trim(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, form: Form, label: &str, at: Option<i64>, text: &str) {
        let at = at.map(|seconds| Span::milliseconds(seconds * 1_000));
        let expected = Head {
            form,
            label,
            at,
            text,
        };
        assert_eq!(head(line), Some(expected), "{line}");
    }

    #[test]
    fn a_line_says_in_many_ways_who_speaks() {
        check("Ana: Hello: you", Form::Plain, "Ana", None, "Hello: you");
        check(
            "Ana Ruiz (Acme): Hi",
            Form::Plain,
            "Ana Ruiz (Acme)",
            None,
            "Hi",
        );
        check("Dr. Ruiz: Hi", Form::Plain, "Dr. Ruiz", None, "Hi");
        check("Speaker 1:", Form::Plain, "Speaker 1", None, "");
        check("Ana：你好", Form::Plain, "Ana", None, "你好");
        check("[00:01:02] Ana: Hi", Form::Timed, "Ana", Some(62), "Hi");
        check("00:01:02 - Ana: Hi", Form::Timed, "Ana", Some(62), "Hi");
        check(
            "(1:02) Ana: at 10:30",
            Form::Timed,
            "Ana",
            Some(62),
            "at 10:30",
        );
        check("Ana [00:01:02]: Hi", Form::Timed, "Ana", Some(62), "Hi");
        check("Ana 1:02: Hi", Form::Timed, "Ana", Some(62), "Hi");
        check("[00:01:02] Hi there", Form::Timed, "", Some(62), "Hi there");
        check("**Ana:** Hi", Form::Bold, "Ana", None, "Hi");
        check("**Ana**: Hi", Form::Bold, "Ana", None, "Hi");
        check(
            "- **Ana Ruiz** (1:02): Hi",
            Form::Bold,
            "Ana Ruiz",
            Some(62),
            "Hi",
        );
        check("**[00:01:02] Ana:** Hi", Form::Bold, "Ana", Some(62), "Hi");
        check("**Ana:** [1:02] Hi", Form::Bold, "Ana", Some(62), "Hi");
        check("__Ana:__ Hi", Form::Bold, "Ana", None, "Hi");
    }

    #[test]
    fn words_before_a_colon_need_not_be_a_speaker() {
        for line in [
            "",
            ":",
            "10:30 works",
            "https://acme.example/x",
            "Really? Well: no",
            "- Engagement: 55",
            "He said. And then: nothing",
            "**really** not: no",
            "one two three four five six seven eight nine: x",
        ] {
            assert_eq!(head(line), None, "{line}");
        }
        assert!(
            is_name("Ana Ruiz")
                && is_name("ANA")
                && is_name("Jan van der Berg")
                && is_name("Speaker 1")
        );
        for name in [
            "Ana Ruiz",
            "ANA",
            "Jan van der Berg",
            "Dr. Ruiz",
            "Ana Ruiz (Acme)",
            "李娜",
        ] {
            assert!(is_of_a_person(name), "{name}");
        }
        for none in [
            "Speaker 1",
            "SPEAKER_01",
            "Customer",
            "Guest User",
            "6432345678",
            "ana@acme.example",
            "ana",
        ] {
            assert!(!is_of_a_person(none), "{none}");
        }
        assert!(!is_name("Here's the thing") && !is_name("ana") && !is_name("Date"));
        assert_eq!(key(" Ana \u{a0} RUIZ "), "ana ruiz");
    }
}
