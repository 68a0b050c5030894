//! Transcripts of lines that say who speaks: `[00:01:02] Name: text`, `**Name:** text`, `Name: text`.

use crate::conversation::At;
use crate::conversation::Conversation;
use crate::conversation::Format;
use crate::conversation::Line;
use crate::conversation::Written;
use crate::conversation::field;
use crate::conversation::label;
use crate::conversation::label::Form;
use crate::conversation::label::Head;
use crate::conversation::label::Labels;
use crate::conversation::page::Page;
use crate::conversation::scribe::Scribe;
use crate::conversation::timecode;

const OTHER_FORM: &str = "names a speaker in another way than the rest of the file";
const NO_SPEAKER: &str = "has a time and names no speaker";
const CUE: &str = "a cue of subtitles among lines";

/// What a head is in a file.
enum Part {
    Speaker,
    Field,
    Nobody(&'static str),
    /// No head at all: words.
    Words,
}

pub fn read<'a>(page: &'a Page, written: &Written<'_>, conversation: &'a mut Conversation) {
    let form = match conversation.format {
        Some(Format::TimedLines) => Form::Timed,
        Some(Format::Markdown) => Form::Bold,
        _ => Form::Plain,
    };
    let labels = Labels::of(page, written.labels);
    let mut scribe = Scribe::new(conversation);
    for line in page.spoken_lines() {
        take(&mut scribe, line, form, &labels);
    }
    scribe.end(page);
}

fn take<'a>(scribe: &mut Scribe<'a>, line: Line<'a>, form: Form, labels: &Labels) {
    if is_cue(line.text) {
        return scribe.lose(line, CUE);
    }
    if let Some(at) = timecode::alone(line.text) {
        return scribe.time(line, at);
    }
    let Some(head) = label::head(line.text) else {
        return scribe.go_on(line);
    };
    match part(&head, form, labels, scribe.is_before()) {
        Part::Speaker => scribe.begin(line, head.label, head.at.map(At::Offset), head.text),
        Part::Field => scribe.field(line, head.text),
        Part::Nobody(reason) => scribe.lose(line, reason),
        Part::Words => scribe.go_on(line),
    }
}

fn part(head: &Head<'_>, form: Form, labels: &Labels, before: bool) -> Part {
    let known = labels.is_known(head.label);
    let is_field = field::is_field(head.label) && !known && !labels.comes_again(head.label);
    if head.form == form {
        if head.label.is_empty() {
            return Part::Nobody(NO_SPEAKER);
        }
        if is_field {
            return Part::Field;
        }
        // In the plain form a colon alone makes no speaker.
        let is_speaker = form != Form::Plain || labels.is_speaker(head.label);
        return if is_speaker {
            Part::Speaker
        } else {
            Part::Words
        };
    }
    match head.form {
        _ if is_field && (before || head.form == Form::Bold) => Part::Field,
        Form::Timed | Form::Bold if !head.label.is_empty() => Part::Nobody(OTHER_FORM),
        Form::Plain if known || labels.comes_again(head.label) => Part::Nobody(OTHER_FORM),
        Form::Plain if before && label::is_name(head.label) => Part::Field,
        Form::Timed | Form::Bold | Form::Plain => Part::Words,
    }
}

/// `00:01:02.000 --> 00:01:05.000`.
pub fn is_cue(text: &str) -> bool {
    text.contains("-->") && text.trim_start().starts_with(|c: char| c.is_ascii_digit())
}
