//! Writes down turns line by line, and decides whose a line is that names nobody.

use crate::conversation::At;
use crate::conversation::Conversation;
use crate::conversation::Line;
use crate::conversation::Turn;
use crate::conversation::field;
use crate::conversation::field::Shape;
use crate::conversation::page;
use crate::conversation::page::Page;
use crate::domain::time::Span;

const BEFORE: &str = "words before the first speaker";
const HEADING: &str = "a heading or a rule";
const FIELD: &str = "a field of the file, not words";
const NOTES: &str = "notes around the conversation";
const LOST: &str = "follows a line that was not understood";
const NOBODYS: &str = "words that no speaker is named for";
const TIME: &str = "a time on a line of its own";
const SILENT: &str = "a speaker without words";
const BROKEN: &str = "holds bytes that are no text";
const CUT: &str = "the file ends within a line: perhaps it is cut off here";

/// Collects the turns of one file.
pub struct Scribe<'a> {
    conversation: &'a mut Conversation,
    place: Place,
    turn: Option<Open<'a>>,
    /// A time on a line of its own, for whoever speaks next.
    time: Option<At>,
}

/// Where in the file the scribe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before anybody spoke.
    Before,
    Turn,
    /// Below a heading, a rule or a field: no turn goes on here.
    Between,
    /// In notes, up to the next speaker, heading or rule.
    Notes,
    /// Behind a line that was not understood: what follows may be anybody's.
    Lost,
}

struct Open<'a> {
    head: Line<'a>,
    speaker: &'a str,
    at: Option<At>,
    lines: Vec<&'a str>,
}

impl<'a> Scribe<'a> {
    pub fn new(conversation: &'a mut Conversation) -> Scribe<'a> {
        Scribe {
            conversation,
            place: Place::Before,
            turn: None,
            time: None,
        }
    }

    /// Somebody begins to speak.
    pub fn begin(&mut self, head: Line<'a>, speaker: &'a str, at: Option<At>, text: &'a str) {
        self.end_turn();
        self.place = Place::Turn;
        let lines = if text.is_empty() {
            Vec::new()
        } else {
            vec![text]
        };
        let above = self.time.take();
        self.turn = Some(Open {
            head,
            speaker,
            at: at.or(above),
            lines,
        });
    }

    /// A field such as `Date: 5 May`, or the head of a list of them.
    pub fn field(&mut self, line: Line<'a>, text: &str) {
        let before = self.place == Place::Before;
        self.end_turn();
        self.conversation.left_out.add(line, FIELD);
        self.place = match text.is_empty() {
            true => Place::Notes,
            false if before => Place::Before,
            false => Place::Between,
        };
    }

    /// A time on a line of its own: that of the next turn.
    pub fn time(&mut self, line: Line<'a>, at: Span) {
        self.conversation.left_out.add(line, TIME);
        self.time = Some(At::Offset(at));
    }

    /// A line that is not understood; nor is what follows it.
    pub fn lose(&mut self, line: Line<'a>, reason: &'static str) {
        self.end_turn();
        self.conversation.not_understood.add(line, reason);
        self.place = Place::Lost;
    }

    /// A line that names nobody.
    pub fn go_on(&mut self, line: Line<'a>) {
        if page::is_broken(line.text) {
            return self.lose(line, BROKEN);
        }
        let shape = field::shape(line.text);
        if matches!(shape, Shape::Rule | Shape::Heading) {
            let before = self.place == Place::Before;
            self.end_turn();
            self.conversation.left_out.add(line, HEADING);
            self.place = if before {
                Place::Before
            } else {
                Place::Between
            };
            return;
        }
        let remarks = &mut *self.conversation;
        match self.place {
            Place::Turn => {
                if let Some(turn) = &mut self.turn {
                    turn.lines.push(line.text);
                }
            }
            Place::Notes => remarks.left_out.add(line, NOTES),
            Place::Lost => remarks.not_understood.add(line, LOST),
            Place::Before if shape == Shape::Title => remarks.left_out.add(line, HEADING),
            Place::Before => remarks.not_understood.add(line, BEFORE),
            Place::Between if shape == Shape::Words => remarks.not_understood.add(line, NOBODYS),
            Place::Between => remarks.left_out.add(line, NOTES),
        }
    }

    pub fn is_before(&self) -> bool {
        matches!(self.place, Place::Before | Place::Notes)
    }

    /// Ends the file.
    pub fn end(mut self, page: &'a Page) {
        let cut = self.place == Place::Turn
            && page
                .text
                .ends_with(|c: char| c.is_alphanumeric() || matches!(c, ',' | '-'));
        self.end_turn();
        if let (true, Some(last)) = (cut, page.lines().last()) {
            self.conversation.doubtful.add(last, CUT);
        }
    }

    fn end_turn(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let broken = turn.lines.first().is_some_and(|text| page::is_broken(text));
        if broken || page::is_broken(turn.speaker) {
            // Only its first line can be: `go_on` has looked at the others.
            self.conversation.not_understood.add(turn.head, BROKEN);
            return;
        }
        let text = page::unwrapped(&turn.lines);
        if text.is_empty() {
            self.conversation.not_understood.add(turn.head, SILENT);
            return;
        }
        self.conversation.turns.push(Turn {
            speaker: turn.speaker.to_owned(),
            at: turn.at,
            text,
            line: turn.head.number,
        });
    }
}
