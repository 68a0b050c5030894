//! Transcripts and emails: what is read of them, what is not, and what the service makes of it.

mod any;
mod command;
mod emails;
mod formats;
mod service;

use verbatim::conversation;
use verbatim::conversation::At;
use verbatim::conversation::Conversation;
use verbatim::conversation::Format;
use verbatim::conversation::Remarks;
use verbatim::conversation::Written;
use verbatim::domain::time::Span;

/// Reads a file of which nothing is known.
pub fn read(bytes: &[u8]) -> Conversation {
    read_with(bytes, &[])
}

pub fn read_with(bytes: &[u8], labels: &[&str]) -> Conversation {
    conversation::read(Written {
        bytes,
        format: None,
        labels,
    })
}

pub fn seconds(seconds: i64) -> Option<At> {
    Some(At::Offset(Span::milliseconds(seconds * 1_000)))
}

/// Reads a text and compares who says what, each as `line speaker: words`.
#[track_caller]
pub fn says(text: &str, format: Format, expected: &[&str]) -> Conversation {
    let conversation = read(text.as_bytes());
    assert_eq!(conversation.format, Some(format), "{text}");
    assert_eq!(spoken(&conversation), expected, "{conversation:#?}");
    conversation
}

/// Reads a text that is understood whole.
#[track_caller]
pub fn understood(text: &str, format: Format, expected: &[&str]) -> Conversation {
    let conversation = says(text, format, expected);
    assert_eq!(lines(&conversation.not_understood), [""; 0]);
    conversation
}

pub fn spoken(conversation: &Conversation) -> Vec<String> {
    let turns = conversation.turns.iter();
    turns
        .map(|turn| format!("{} {}: {}", turn.line, turn.speaker, turn.text))
        .collect()
}

/// Remarks, each as `first-last reason`.
pub fn lines(remarks: &Remarks) -> Vec<String> {
    let listed = remarks.listed().iter();
    listed
        .map(|remark| format!("{}-{} {}", remark.line, remark.last_line, remark.reason))
        .collect()
}
