//! An email: who sent it and when, and of its body what the sender wrote: history, signature and disclaimers cut.
//!
//! Where it is in doubt whether something is the sender's, it is kept and said so. The lines are those of the body as it
//! is read: the text part, or the HTML part as text.

use mail_parser::Address;
use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MimeHeaders;

use crate::conversation::At;
use crate::conversation::Conversation;
use crate::conversation::Format;
use crate::conversation::Letter;
use crate::conversation::Line;
use crate::conversation::Turn;
use crate::conversation::Written;
use crate::conversation::history;
use crate::conversation::label;
use crate::conversation::page;
use crate::conversation::signature;
use crate::domain::time::Instant;

const NO_MESSAGE: &str = "not a message of RFC 5322";
const NO_SENDER: &str = "the message does not say who sent it";
const NO_TEXT: &str = "the message has no text";
const NO_WORDS: &str = "nothing is left once quoted history and signature are cut";
const CUT: &str = "the message ends before its last part does: it is cut off here";
const BROKEN: &str = "holds bytes that are no text";

/// What becomes of a line of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The sender's words.
    Kept,
    /// The sender's words, though perhaps not.
    Doubted(&'static str),
    /// Not the sender's, or not words.
    Cut(&'static str),
}

impl Fate {
    pub fn is_cut(self) -> bool {
        matches!(self, Fate::Cut(_))
    }
}

/// Reads an email.
pub fn read(written: Written<'_>) -> Conversation {
    let mut conversation = Conversation {
        format: Some(Format::Email),
        ..Conversation::of("MIME")
    };
    let bytes = written.bytes;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Some(message) = MessageParser::default().parse(bytes) else {
        lose_all(&mut conversation, NO_MESSAGE, "");
        return conversation;
    };
    let (address, name) = sender(&message);
    conversation.letter = Some(letter(&message, &name));
    let body = body(&message);
    if body.trim().is_empty() {
        lose_all(&mut conversation, NO_TEXT, "");
        return conversation;
    }
    let is_known = |given: &str| {
        let mut known = written.labels.iter();
        known.any(|known| label::key(known) == label::key(given))
    };
    let speaker = match () {
        () if is_known(&address) => &address,
        () if is_known(&name) => &name,
        () if address.is_empty() => &name,
        () => &address,
    };
    if speaker.is_empty() || label::LABEL_BYTES_MAX < speaker.len() {
        lose_all(&mut conversation, NO_SENDER, &body);
        return conversation;
    }
    let (lines, fates) = judged(&body, &name);
    write(&mut conversation, speaker, &lines, &fates);
    if is_cut_off(&message) {
        let last = lines[lines.len() - 1];
        conversation.not_understood.add(last, CUT);
    }
    conversation
}

/// Of the body of an email the words of its sender alone; empty where none are.
pub fn own_words(body: &str, sender: &str) -> String {
    let body = page::printable(body);
    let (lines, fates) = judged(&body, sender);
    let kept = lines.iter().zip(&fates).filter(|(_, fate)| !fate.is_cut());
    let kept: Vec<&str> = kept.map(|(line, _)| line.text).collect();
    page::unwrapped(&kept)
}

/// The lines of a body, and what becomes of each.
fn judged<'a>(body: &'a str, sender: &str) -> (Vec<Line<'a>>, Vec<Fate>) {
    let lines: Vec<Line<'_>> = body
        .split('\n')
        .enumerate()
        .map(|(place, text)| Line {
            number: place + 1,
            text,
        })
        .collect();
    let mut fates = history::fates(&lines);
    signature::cut(&lines, &mut fates, sender);
    (lines, fates)
}

fn write(conversation: &mut Conversation, speaker: &str, lines: &[Line<'_>], fates: &[Fate]) {
    let mut kept: Vec<&str> = Vec::new();
    let mut first = None;
    for (line, fate) in lines.iter().zip(fates) {
        let blank = line.text.trim().is_empty();
        match fate {
            Fate::Cut(_) if blank => {}
            Fate::Cut(reason) => conversation.left_out.add(*line, reason),
            Fate::Kept | Fate::Doubted(_) if page::is_broken(line.text) => {
                conversation.not_understood.add(*line, BROKEN);
            }
            Fate::Kept | Fate::Doubted(_) => {
                if let Fate::Doubted(reason) = fate {
                    conversation.doubtful.add(*line, reason);
                }
                if !blank {
                    first = first.or(Some(line.number));
                }
                kept.push(line.text);
            }
        }
    }
    let text = page::unwrapped(&kept);
    let Some(line) = first.filter(|_| !text.is_empty()) else {
        if conversation.not_understood.is_empty() {
            let last = Line {
                number: 1,
                text: "",
            };
            conversation.left_out.add(last, NO_WORDS);
        }
        return;
    };
    let sent_at = conversation
        .letter
        .as_ref()
        .and_then(|letter| letter.sent_at);
    conversation.turns.push(Turn {
        speaker: speaker.to_owned(),
        at: sent_at.map(At::Moment),
        text,
        line,
    });
}

fn lose_all(conversation: &mut Conversation, reason: &'static str, body: &str) {
    let text = body.trim_start().lines().next().unwrap_or("");
    conversation
        .not_understood
        .add(Line { number: 1, text }, reason);
}

fn letter(message: &Message<'_>, sender: &str) -> Letter {
    let sent_at = message
        .date()
        .filter(|date| date.is_valid())
        .and_then(|date| Instant::from_unix(date.to_timestamp(), 0).ok());
    Letter {
        message_id: page::printable(message.message_id().unwrap_or(""))
            .trim()
            .to_owned(),
        subject: page::printable(message.subject().unwrap_or(""))
            .trim()
            .to_owned(),
        sent_at,
        sender: sender.to_owned(),
    }
}

/// The address and the name of who sent it.
fn sender(message: &Message<'_>) -> (String, String) {
    let first = message.from().and_then(Address::first);
    let address = first.and_then(|sender| sender.address()).unwrap_or("");
    let name = first.and_then(|sender| sender.name()).unwrap_or("");
    let plain = |text: &str| {
        let text = page::printable(text).replace(['\n', '\t'], " ");
        text.trim().trim_matches(['"', '\'']).trim().to_owned()
    };
    (plain(address).to_lowercase(), plain(name))
}

/// All parts that are text; of a part that comes as text and as HTML, the text.
fn body(message: &Message<'_>) -> String {
    let parts = (0..message.text_body_count()).filter_map(|part| message.body_text(part));
    let parts: Vec<String> = parts.map(|part| page::printable(&part)).collect();
    parts.join("\n").replace('\u{a0}', " ")
}

/// Whether the mark that ends the last part is missing.
fn is_cut_off(message: &Message<'_>) -> bool {
    let boundary = message
        .content_type()
        .and_then(|kind| kind.attribute("boundary"));
    let Some(boundary) = boundary else {
        return false;
    };
    let end = format!("--{boundary}--");
    let raw = message.raw_message();
    !raw.windows(end.len())
        .any(|window| window == end.as_bytes())
}
