//! Subtitles: WebVTT and SubRip. A cue says when, and in its words who: `<v Name>` or `Name:`.
//!
//! Cues of one speaker in a row are one turn. A cue that names nobody is nobody's, whoever spoke before.

use crate::conversation::At;
use crate::conversation::Conversation;
use crate::conversation::Line;
use crate::conversation::Turn;
use crate::conversation::Written;
use crate::conversation::label;
use crate::conversation::label::Labels;
use crate::conversation::page;
use crate::conversation::page::Page;
use crate::conversation::timecode;
use crate::domain::time::Span;

const HEADER: &str = "the header of the file";
const STYLE: &str = "a note or style of the file";
const NO_TIME: &str = "words outside of a cue";
const BAD_TIME: &str = "a cue whose time cannot be read";
const NOBODY: &str = "a cue that names no speaker";
const BROKEN: &str = "holds bytes that are no text";
const EMPTY: &str = "the file ends with a cue without words: perhaps it is cut off here";
const CUT: &str = "the file ends within a line: perhaps it is cut off here";

pub fn read(page: &Page, written: &Written<'_>, conversation: &mut Conversation) {
    let lines: Vec<Line<'_>> = page.lines().collect();
    let mut labels = Labels::known(written.labels);
    for line in &lines {
        if let Some(head) = label::head(&plain(line.text)) {
            labels.count(head.label);
        }
    }
    let blocks = lines.split(|line| line.text.trim().is_empty());
    let blocks: Vec<&[Line<'_>]> = blocks.filter(|block| !block.is_empty()).collect();
    for (place, block) in blocks.iter().enumerate() {
        let is_last = place + 1 == blocks.len();
        if !take(block, &labels, conversation) && is_last {
            conversation
                .not_understood
                .add(block[block.len() - 1], EMPTY);
        }
    }
    let cut = page
        .text
        .ends_with(|c: char| c.is_alphanumeric() || c == ',');
    if let (true, Some(last)) = (cut, lines.last()) {
        conversation.doubtful.add(*last, CUT);
    }
}

/// Takes one block; answers whether it has what it should have.
fn take(block: &[Line<'_>], labels: &Labels, conversation: &mut Conversation) -> bool {
    let first = block[0].text.trim();
    let aside = match first {
        _ if first.starts_with("WEBVTT") && block[0].number == 1 => Some(HEADER),
        _ if first.starts_with("NOTE") || first == "STYLE" || first == "REGION" => Some(STYLE),
        _ => None,
    };
    // Teams writes the first cue without a blank line before it.
    let time = block.iter().position(|line| line.text.contains("-->"));
    let Some(time) = time else {
        for line in block {
            match aside {
                Some(reason) => conversation.left_out.add(*line, reason),
                None => conversation.not_understood.add(*line, NO_TIME),
            }
        }
        return true;
    };
    for line in &block[..time] {
        match aside {
            Some(reason) => conversation.left_out.add(*line, reason),
            // The name or number of the cue.
            None if line.number + 1 == block[time].number => {}
            None => conversation.not_understood.add(*line, NO_TIME),
        }
    }
    let Some(at) = start(block[time].text) else {
        for line in &block[time..] {
            conversation.not_understood.add(*line, BAD_TIME);
        }
        return true;
    };
    words(&block[time + 1..], at, labels, conversation);
    time + 1 < block.len()
}

/// The words of a cue, each line with its own speaker or that of the line above.
fn words(lines: &[Line<'_>], at: Span, labels: &Labels, conversation: &mut Conversation) {
    let mut speaker: Option<String> = None;
    for line in lines {
        if page::is_broken(line.text) {
            conversation.not_understood.add(*line, BROKEN);
            continue;
        }
        for (voice, text) in voices(line.text) {
            let text = plain(text);
            let text = text
                .trim()
                .trim_start_matches("- ")
                .trim_start_matches(">> ");
            match voice {
                Some(voice) => {
                    speaker = Some(plain(voice).trim().to_owned());
                    say(&speaker, at, text, *line, conversation);
                }
                None => match label::head(text) {
                    Some(head) if !head.label.is_empty() && labels.is_speaker(head.label) => {
                        speaker = Some(head.label.to_owned());
                        say(&speaker, at, head.text, *line, conversation);
                    }
                    _ => say(&speaker, at, text, *line, conversation),
                },
            }
        }
    }
}

fn say(
    speaker: &Option<String>,
    at: Span,
    text: &str,
    line: Line<'_>,
    conversation: &mut Conversation,
) {
    if text.is_empty() {
        return;
    }
    let Some(speaker) = speaker.as_ref().filter(|name| label::is_label(name)) else {
        return conversation.not_understood.add(line, NOBODY);
    };
    // What was not understood between may have been another's.
    let lost = conversation
        .not_understood
        .listed()
        .last()
        .map(|remark| remark.last_line);
    if let Some(last) = conversation.turns.last_mut()
        && label::key(&last.speaker) == label::key(speaker)
        && lost.is_none_or(|lost| lost < last.line)
    {
        last.text.push(' ');
        last.text.push_str(text);
        return;
    }
    conversation.turns.push(Turn {
        speaker: speaker.clone(),
        at: Some(At::Offset(at)),
        text: text.to_owned(),
        line: line.number,
    });
}

fn start(time: &str) -> Option<Span> {
    let (start, end) = time.split_once("-->")?;
    timecode::parse(end.split_whitespace().next()?)?;
    timecode::parse(start.trim())
}

/// The parts of a line by their voices: `<v Ana>Hello</v> <v.loud Ben>Hi`.
fn voices(line: &str) -> Vec<(Option<&str>, &str)> {
    let mut parts = Vec::new();
    let mut voice = None;
    let mut rest = line;
    while let Some(at) = next_voice(rest) {
        let (before, tag) = rest.split_at(at);
        if !before.trim().is_empty() {
            parts.push((voice, before));
        }
        let Some((tag, behind)) = tag.split_once('>') else {
            // A tag that is cut off.
            return parts;
        };
        voice = tag.split_once(char::is_whitespace).map(|(_, name)| name);
        rest = behind;
    }
    if !rest.trim().is_empty() || (voice.is_none() && parts.is_empty()) {
        parts.push((voice, rest));
    }
    parts
}

fn next_voice(text: &str) -> Option<usize> {
    let starts = text.match_indices("<v");
    starts.map(|(at, _)| at).find(|at| {
        let behind = text[at + 2..].chars().next();
        behind.is_some_and(|c| c == '.' || c.is_whitespace())
    })
}

/// Without tags, and with the characters that entities stand for.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = [
            ("&amp;", "&"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&nbsp;", " "),
            ("&quot;", "\""),
            ("&#39;", "'"),
            ("&apos;", "'"),
            ("&lrm;", ""),
            ("&rlm;", ""),
        ];
        if let Some((name, character)) = entity.iter().find(|(name, _)| rest.starts_with(name)) {
            plain.push_str(character);
            rest = &rest[name.len()..];
            continue;
        }
        let is_tag = rest.starts_with('<')
            && rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
        match rest.find('>') {
            Some(end) if is_tag => rest = &rest[end + 1..],
            _ => {
                plain.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}
