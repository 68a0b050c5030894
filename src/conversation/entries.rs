//! Transcripts in JSON: what Gong answers, and objects with a speaker and a text, in whatever they are wrapped.
//!
//! The file is walked entry by entry, so that one that is cut off gives the entries before the cut.

use serde_json::Value;

use crate::conversation::Conversation;
use crate::conversation::Line;
use crate::conversation::Turn;
use crate::conversation::entry;
use crate::conversation::entry::Said;
use crate::conversation::label;
use crate::conversation::page;
use crate::conversation::page::Page;
use crate::conversation::timecode;
use crate::conversation::timecode::Told;

/// Lists within lists are walked so deep.
const DEPTH_MAX: usize = 8;

const CUT: &str = "is not JSON: broken, or cut off here";
const NO_TURN: &str = "an entry without a speaker and a text";
const OTHER_CALL: &str = "another call: import each call by itself";
const BROKEN: &str = "holds bytes that are no text";

/// Walks one file.
struct Walk<'a> {
    text: &'a str,
    /// Where each line begins.
    starts: Vec<usize>,
    conversation: &'a mut Conversation,
    times: Vec<Option<Told>>,
    /// Entries of the outermost list of calls that were walked.
    calls: usize,
    /// How far the walk came where it did not understand.
    reached: usize,
}

pub fn read(page: &Page, conversation: &mut Conversation) {
    let starts = page.text.match_indices('\n').map(|(at, _)| at + 1);
    let mut walk = Walk {
        starts: std::iter::once(0).chain(starts).collect(),
        text: &page.text,
        conversation,
        times: Vec::new(),
        calls: 0,
        reached: 0,
    };
    walk.all();
    let times = timecode::settle(&walk.times);
    for (turn, at) in conversation.turns.iter_mut().zip(times) {
        turn.at = at;
    }
    join(&mut conversation.turns);
}

/// Joins entries of one speaker in a row: recognisers of speech give a sentence or less in each.
fn join(turns: &mut Vec<Turn>) {
    turns.dedup_by(|next, turn| {
        let same = label::key(&next.speaker) == label::key(&turn.speaker);
        if same {
            turn.text.push(' ');
            turn.text.push_str(&next.text);
        }
        same
    });
}

impl Walk<'_> {
    /// One value after the other: a document, or one a line.
    fn all(&mut self) {
        let mut at = self.blank(0);
        while at < self.text.len() {
            // What is left of a list in which an entry is broken.
            if 0 < self.reached && self.text[at..].starts_with([',', ']', '}']) {
                at = self.blank(at + 1);
                continue;
            }
            match self.entry(at, 0) {
                Some(end) => at = self.blank(end),
                // The next line may be whole again.
                None => at = self.blank(self.next_line(at.max(self.reached))),
            }
        }
    }

    /// One value that may be a turn or hold some; answers where it ends, `None` where it does not.
    fn entry(&mut self, at: usize, depth: usize) -> Option<usize> {
        if self.text[at..].starts_with('[') {
            return self.list(at, depth);
        }
        let Some((value, end)) = self.value(at) else {
            let is_object = self.text[at..].starts_with('{') && depth < DEPTH_MAX;
            if is_object {
                return self.object(at, depth);
            }
            self.lose(at, CUT);
            return None;
        };
        let Value::Object(object) = value else {
            self.lose(at, NO_TURN);
            return Some(end);
        };
        if let Some(said) = entry::said(&object) {
            self.turn(at, said);
            return Some(end);
        }
        if depth < DEPTH_MAX && entry::holds_others(&object) {
            return self.object(at, depth);
        }
        self.lose(at, NO_TURN);
        Some(end)
    }

    fn list(&mut self, at: usize, depth: usize) -> Option<usize> {
        if DEPTH_MAX <= depth {
            self.lose(at, NO_TURN);
            return self.value(at).map(|(_, end)| end);
        }
        let mut at = self.blank(at + 1);
        loop {
            match self.text.as_bytes().get(at) {
                Some(b']') => return Some(at + 1),
                Some(b',') => at = self.blank(at + 1),
                Some(_) => {
                    let end = self.entry(at, depth + 1)?;
                    at = self.blank(end);
                }
                None => {
                    self.lose(at, CUT);
                    return None;
                }
            }
        }
    }

    /// Walks the lists of an object, and steps over its other members.
    fn object(&mut self, at: usize, depth: usize) -> Option<usize> {
        let first = at;
        let mut at = self.blank(at + 1);
        loop {
            match self.text.as_bytes().get(at) {
                Some(b'}') => return Some(at + 1),
                Some(b',') => {
                    at = self.blank(at + 1);
                    continue;
                }
                _ => {}
            }
            let Some((Value::String(key), end)) = self.value(at) else {
                self.lose(if at < self.text.len() { at } else { first }, CUT);
                return None;
            };
            at = self.blank(end);
            if !self.text[at..].starts_with(':') {
                self.lose(first, CUT);
                return None;
            }
            at = self.blank(at + 1);
            let is_list = entry::is_list(&key) && self.text[at..].starts_with(['[', '{']);
            at = match is_list {
                true if key == "callTranscripts" => self.first_call(at, depth + 1)?,
                true => self.entry_or_list(at, depth + 1)?,
                false => match self.value(at) {
                    Some((_, end)) => end,
                    None => {
                        self.lose(at.min(self.text.len()), CUT);
                        return None;
                    }
                },
            };
            at = self.blank(at);
        }
    }

    fn entry_or_list(&mut self, at: usize, depth: usize) -> Option<usize> {
        match self.text[at..].starts_with('[') {
            true => self.list(at, depth),
            false => self.entry(at, depth),
        }
    }

    /// Gong answers several calls at once; their times each begin anew, so that only the first is taken.
    fn first_call(&mut self, at: usize, depth: usize) -> Option<usize> {
        let mut at = self.blank(at + 1);
        loop {
            match self.text.as_bytes().get(at) {
                Some(b']') => return Some(at + 1),
                Some(b',') => at = self.blank(at + 1),
                Some(_) if self.calls == 0 => {
                    self.calls += 1;
                    let end = self.entry(at, depth + 1)?;
                    at = self.blank(end);
                }
                Some(_) => {
                    self.lose(at, OTHER_CALL);
                    at = self.blank(self.value(at)?.1);
                }
                None => {
                    self.lose(at, CUT);
                    return None;
                }
            }
        }
    }

    fn turn(&mut self, at: usize, said: Said) {
        let text = page::printable(&said.text);
        let speaker = page::printable(&said.speaker);
        let (text, speaker) = (text.trim(), speaker.trim());
        if text.is_empty() {
            return;
        }
        if page::is_broken(text) || page::is_broken(speaker) {
            return self.lose(at, BROKEN);
        }
        if speaker.is_empty()
            || label::LABEL_BYTES_MAX < speaker.len()
            || speaker.contains(['\n', '\t'])
        {
            return self.lose(at, NO_TURN);
        }
        self.conversation.turns.push(Turn {
            speaker: speaker.to_owned(),
            at: None,
            text: text.to_owned(),
            line: self.line(at).number,
        });
        self.times.push(said.time);
    }

    fn lose(&mut self, at: usize, reason: &'static str) {
        self.reached = self.reached.max(at);
        let line = self.line(at);
        let last = self.text[line_start(&self.starts, at)..]
            .lines()
            .next()
            .unwrap_or("");
        let line = Line { text: last, ..line };
        self.conversation.not_understood.add(line, reason);
    }

    /// Reads the value that begins here.
    fn value(&self, at: usize) -> Option<(Value, usize)> {
        let mut values = serde_json::Deserializer::from_str(self.text.get(at..)?).into_iter();
        let value = values.next()?.ok()?;
        Some((value, at + values.byte_offset()))
    }

    /// The first place from here that is not blank.
    fn blank(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or("");
        at + (rest.len() - rest.trim_start().len())
    }

    fn next_line(&self, at: usize) -> usize {
        let next = self.starts.partition_point(|start| *start <= at);
        self.starts.get(next).copied().unwrap_or(self.text.len())
    }

    fn line(&self, at: usize) -> Line<'static> {
        let number = self.starts.partition_point(|start| *start <= at);
        Line { number, text: "" }
    }
}

fn line_start(starts: &[usize], at: usize) -> usize {
    let next = starts.partition_point(|start| *start <= at);
    starts.get(next.saturating_sub(1)).copied().unwrap_or(0)
}
