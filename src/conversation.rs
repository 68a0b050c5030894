//! From the bytes of a transcript or an email to who said what: turns, each with its speaker, its time and its line.
//!
//! What always holds:
//!
//! 1. Any bytes have an answer, and nothing is invented: the words of a turn stand in the text, in that order.
//! 2. Nothing is lost in silence. A line is in a turn, or it is among [`Conversation::not_understood`], or it is no
//!    speech and among [`Conversation::left_out`].
//! 3. Words whose speaker is in doubt are nobody's: to give a seller's words to a buyer is the worst mistake here.
//!
//! One file has one format; a line that is written in another one is not understood. Pure: no I/O, clock or network.

pub mod divide;
pub mod draft;
pub mod email;
pub mod page;
pub mod speech;

mod cues;
mod entries;
mod entry;
mod field;
mod history;
mod label;
mod lines;
mod owners;
mod recognise;
mod scribe;
mod signature;
mod timecode;

use std::collections::HashMap;

use crate::conversation::page::Page;
use crate::domain::time::Instant;
use crate::domain::time::Span;

/// The most lines that are listed as not understood, or as left out; the others are counted.
pub const REMARKS_MAX: usize = 1_000;

/// The most bytes of a line that a remark tells.
const EXCERPT_BYTES_MAX: usize = 120;

/// How a conversation is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// WebVTT, as Zoom and Teams write it: cues with `<v Name>` or `Name:`.
    WebVtt,
    /// SubRip: numbered cues with `Name:`.
    Srt,
    /// What Gong's call `/v2/calls/transcript` answers.
    Gong,
    /// `[00:01:02] Name: text`, or the time behind the name.
    TimedLines,
    /// `**Name:** text`.
    Markdown,
    /// `Name: text`.
    NamedLines,
    /// The name on a line of its own, with or without a time; the words below it.
    SpeakerLines,
    /// Objects with a speaker and a text: an array, within an object, or one a line.
    Json,
    /// A message of RFC 5322: `.eml`.
    Email,
}

/// What is read, and what the reader knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    pub bytes: &'a [u8],
    /// `None`: recognised.
    pub format: Option<Format>,
    /// Labels that are known to be speakers.
    pub labels: &'a [&'a str],
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// `None`: not one that is known here; then nothing was understood.
    pub format: Option<Format>,
    /// The name of the encoding, such as `UTF-8`.
    pub encoding: &'static str,
    pub turns: Vec<Turn>,
    /// Lines that may be words and are nobody's.
    pub not_understood: Remarks,
    /// Lines that are no speech of this conversation: headings, notes, quoted history, signatures.
    pub left_out: Remarks,
    /// Lines that are in a turn and perhaps should not be.
    pub doubtful: Remarks,
    /// What only an email has.
    pub letter: Option<Letter>,
}

/// What one speaker said without another between.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// As written, without blanks at its ends.
    pub speaker: String,
    /// `None` where the file does not say.
    pub at: Option<At>,
    /// Not empty; line ends and tabs are its only control characters.
    pub text: String,
    /// Where it begins, from 1. Of an email: the line of its body.
    pub line: usize,
}

/// When a turn began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Since the conversation began.
    Offset(Span),
    Moment(Instant),
}

/// The head of an email.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// Without angle brackets; empty where there is none.
    pub message_id: String,
    pub subject: String,
    pub sent_at: Option<Instant>,
    /// Who sent it, by name; empty where there is none.
    pub sender: String,
}

/// One line, or several in a row, and what is said of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// From 1.
    pub line: usize,
    /// Not before `line`.
    pub last_line: usize,
    pub reason: &'static str,
    /// The beginning of the first line.
    pub excerpt: String,
}

/// Remarks in the order of lines, as many as are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    listed: Vec<Remark>,
    /// Lines beyond those listed.
    pub more: usize,
}

/// Reads a conversation.
pub fn read(written: Written<'_>) -> Conversation {
    let format = written
        .format
        .or_else(|| recognise::is_email(written.bytes).then_some(Format::Email));
    if format == Some(Format::Email) {
        return email::read(written);
    }
    let page = Page::decode(written.bytes);
    let format = format.or_else(|| recognise::format(&page, written.labels));
    let mut conversation = Conversation {
        format,
        ..Conversation::of(page.encoding)
    };
    match format {
        None => {
            for line in page.spoken_lines() {
                let reason = "not written in a format that is known here";
                conversation.not_understood.add(line, reason);
            }
        }
        Some(Format::WebVtt | Format::Srt) => cues::read(&page, &written, &mut conversation),
        Some(Format::Gong | Format::Json) => entries::read(&page, &mut conversation),
        Some(Format::SpeakerLines) => owners::read(&page, &written, &mut conversation),
        Some(Format::TimedLines | Format::Markdown | Format::NamedLines | Format::Email) => {
            lines::read(&page, &written, &mut conversation);
        }
    }
    conversation.not_understood.sort();
    timecode::count_from_the_first(&mut conversation.turns);
    conversation
}

impl Format {
    /// In the order of `proto/`.
    pub const ALL: [Format; 9] = [
        Format::WebVtt,
        Format::Srt,
        Format::Gong,
        Format::TimedLines,
        Format::Markdown,
        Format::NamedLines,
        Format::SpeakerLines,
        Format::Json,
        Format::Email,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Format::WebVtt => "WEB_VTT",
            Format::Srt => "SRT",
            Format::Gong => "GONG",
            Format::TimedLines => "TIMED_LINES",
            Format::Markdown => "MARKDOWN",
            Format::NamedLines => "NAMED_LINES",
            Format::SpeakerLines => "SPEAKER_LINES",
            Format::Json => "JSON",
            Format::Email => "EMAIL",
        }
    }
}

impl Conversation {
    fn of(encoding: &'static str) -> Conversation {
        Conversation {
            format: None,
            encoding,
            turns: Vec::new(),
            not_understood: Remarks::default(),
            left_out: Remarks::default(),
            doubtful: Remarks::default(),
            letter: None,
        }
    }

    /// The speakers with the number of their turns, in the order in which they first speak.
    pub fn speakers(&self) -> Vec<(&str, usize)> {
        let mut found: Vec<(&str, usize)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for turn in &self.turns {
            let place = places.entry(label::key(&turn.speaker)).or_insert_with(|| {
                found.push((turn.speaker.as_str(), 0));
                found.len() - 1
            });
            found[*place].1 += 1;
        }
        found
    }
}

impl Remarks {
    pub fn listed(&self) -> &[Remark] {
        &self.listed
    }

    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Lines remarked on, listed or not.
    pub fn lines(&self) -> usize {
        let listed = self.listed.iter();
        let lines: usize = listed.map(|one| one.last_line - one.line + 1).sum();
        lines + self.more
    }

    /// Adds a line; one that follows on the last for the same reason lengthens that.
    fn add(&mut self, line: Line<'_>, reason: &'static str) {
        if let Some(last) = self.listed.last_mut()
            && last.reason == reason
            && (last.last_line..=last.last_line + 1).contains(&line.number)
        {
            last.last_line = line.number;
            return;
        }
        if REMARKS_MAX <= self.listed.len() {
            self.more += 1;
            return;
        }
        self.listed.push(Remark {
            line: line.number,
            last_line: line.number,
            reason,
            excerpt: divide::beginning(line.text.trim(), EXCERPT_BYTES_MAX).to_owned(),
        });
    }

    fn sort(&mut self) {
        self.listed.sort_by_key(|remark| remark.line);
    }
}

/// A line with its number, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

/// A label as it is compared: case and blanks do not count.
pub fn label_key(label: &str) -> String {
    label::key(label)
}
