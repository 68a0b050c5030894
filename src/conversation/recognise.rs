//! Which format a file is written in.
//!
//! A file says it itself (`WEBVTT`, JSON, the head of an email), or most of its lines do.

use crate::conversation::Format;
use crate::conversation::label;
use crate::conversation::label::Form;
use crate::conversation::label::Labels;
use crate::conversation::lines;
use crate::conversation::owners;
use crate::conversation::page::Page;

/// The head of an email is looked for in so many bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Whether this begins as a message of RFC 5322: lines of fields, among them From and one that only messages have.
pub fn is_email(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let head = &start[..start.len().min(HEAD_BYTES_MAX)];
    let (mut from, mut marks) = (false, 0);
    for (place, line) in head.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            break;
        }
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        // The line of a mailbox file.
        if continues || (place == 0 && line.starts_with(b"From ")) {
            continue;
        }
        let name = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => line[..colon].trim_ascii_end(),
            None => return false,
        };
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        from |= name == b"from";
        marks += usize::from(matches!(
            name.as_slice(),
            b"date"
                | b"message-id"
                | b"mime-version"
                | b"received"
                | b"return-path"
                | b"delivered-to"
        ));
    }
    from && 0 < marks
}

/// The format of any other file; `None` when no line of it is known.
pub fn format(page: &Page, known: &[&str]) -> Option<Format> {
    let text = page.text.trim_start();
    if text.starts_with("WEBVTT") {
        return Some(Format::WebVtt);
    }
    if is_json(text) {
        let is_gong = text.contains("\"sentences\"") && text.contains("\"speakerId\"");
        return Some(if is_gong { Format::Gong } else { Format::Json });
    }
    by_lines(page, known)
}

fn is_json(text: &str) -> bool {
    let mut characters = text.chars().filter(|c| !c.is_whitespace());
    match characters.next() {
        Some('{') => matches!(characters.next(), Some('"' | '}') | None),
        Some('[') => matches!(characters.next(), Some('{' | ']' | '[') | None),
        _ => false,
    }
}

/// The format that most lines are in; of two with as many, the one that says more.
fn by_lines(page: &Page, known: &[&str]) -> Option<Format> {
    let labels = Labels::of(page, known);
    let (mut cues, mut timed, mut bold, mut plain) = (0, 0, 0, 0);
    let mut subtitles = Format::WebVtt;
    for line in page.spoken_lines() {
        if lines::is_cue(line.text) {
            cues += 1;
            let start = line.text.split("-->").next().unwrap_or("");
            if start.contains(',') {
                subtitles = Format::Srt;
            }
            continue;
        }
        match label::head(line.text) {
            Some(head) if head.label.is_empty() => {}
            Some(head) if !labels.is_speaker(head.label) || head.text.is_empty() => {}
            Some(head) => match head.form {
                Form::Timed => timed += 1,
                Form::Bold => bold += 1,
                Form::Plain => plain += 1,
            },
            None => {}
        }
    }
    // The words of a cue are lines with a name, so that those say nothing against it. A WebVTT file without its first
    // line is a part of one.
    if 0 < cues && timed.max(bold) <= cues {
        return Some(subtitles);
    }
    let votes = [
        (timed, Format::TimedLines),
        (bold, Format::Markdown),
        (owners::count(page, known), Format::SpeakerLines),
        (plain, Format::NamedLines),
    ];
    // The first of several with as many.
    let best = votes.into_iter().rev().max_by_key(|(votes, _)| *votes)?;
    (0 < best.0).then_some(best.1)
}
