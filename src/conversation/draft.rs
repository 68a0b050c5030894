//! From turns to statements: the buyers' words, with the seller's words before each, and why the rest is none.
//!
//! A nod is no statement, since it says nothing about the deal, unless it answers a question: then it is kept with the
//! question as its context.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::conversation::At;
use crate::conversation::Conversation;
use crate::conversation::Format;
use crate::conversation::Turn;
use crate::conversation::divide;
use crate::conversation::divide::CONTEXT_BYTES_MAX;
use crate::conversation::divide::QUOTE_BYTES_MAX;
use crate::conversation::label;
use crate::conversation::speech;
use crate::domain::statement::Speaker;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::text::Id;
use crate::domain::text::Line;
use crate::domain::text::Name;
use crate::domain::text::Prose;
use crate::domain::time::Instant;
use crate::domain::topic::Channel;

/// The most bytes of a conversation's id: a statement's has the turn and the part behind it.
pub const ID_BYTES_MAX: usize = Id::BYTES_MAX - 16;

/// Who is who.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    pub buyers: Vec<Buyer>,
    /// Labels of our own side.
    pub sellers: Vec<String>,
}

/// A person on the buyer's side and how the file calls them.
#[derive(Clone, Debug)]
pub struct Buyer {
    pub label: String,
    pub speaker: Speaker,
}

/// What all statements of a conversation have in common.
#[derive(Clone, Debug)]
pub struct Setting {
    /// At most [`ID_BYTES_MAX`].
    pub id: Id,
    pub held_at: Instant,
    pub channel: Channel,
    pub source_uri: Line<2048>,
}

/// The statements of a conversation, and the turns that are none.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub statements: Vec<Drafted>,
    pub skipped: Vec<Skipped>,
}

#[derive(Clone, Debug)]
pub struct Drafted {
    pub statement: Statement,
    /// From 1.
    pub turn: usize,
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// From 1.
    pub turn: usize,
    pub line: usize,
    pub speaker: String,
    pub reason: SkipReason,
    /// The beginning of the words.
    pub excerpt: String,
}

/// Why a turn became no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    Seller,
    Backchannel,
    StageDirection,
    UnknownSpeaker,
}

/// Whose turn it is.
enum Role<'a> {
    Buyer(&'a Speaker),
    Seller,
    Unknown,
}

const EXCERPT_BYTES_MAX: usize = 120;

impl SkipReason {
    /// In the order of `proto/`.
    pub const ALL: [SkipReason; 4] = [
        SkipReason::Seller,
        SkipReason::Backchannel,
        SkipReason::StageDirection,
        SkipReason::UnknownSpeaker,
    ];

    pub fn name(self) -> &'static str {
        match self {
            SkipReason::Seller => "SELLER",
            SkipReason::Backchannel => "BACKCHANNEL",
            SkipReason::StageDirection => "STAGE_DIRECTION",
            SkipReason::UnknownSpeaker => "UNKNOWN_SPEAKER",
        }
    }
}

impl Cast {
    /// All labels, for the reader.
    pub fn labels(&self) -> Vec<&str> {
        let buyers = self.buyers.iter().map(|buyer| buyer.label.as_str());
        buyers
            .chain(self.sellers.iter().map(String::as_str))
            .collect()
    }

    fn roles(&self) -> HashMap<String, Role<'_>> {
        let sellers = self
            .sellers
            .iter()
            .map(|one| (label::key(one), Role::Seller));
        let buyers = self.buyers.iter();
        let buyers = buyers.map(|one| (label::key(&one.label), Role::Buyer(&one.speaker)));
        sellers.chain(buyers).collect()
    }

    /// The labels under which nobody speaks, as they were given.
    pub fn silent(&self, turns: &[Turn]) -> Vec<&str> {
        let speak: HashSet<String> = turns.iter().map(|turn| label::key(&turn.speaker)).collect();
        let mut labels = self.labels();
        labels.retain(|given| !speak.contains(&label::key(given)));
        labels
    }

    /// The speakers who are neither, with their turns and the line on which they first speak.
    pub fn unknown<'a>(&self, turns: &'a [Turn]) -> Vec<(&'a str, usize, usize)> {
        let roles = self.roles();
        let mut unknown: Vec<(&str, usize, usize)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for turn in turns {
            let key = label::key(&turn.speaker);
            if roles.contains_key(&key) {
                continue;
            }
            let place = *places.entry(key).or_insert_with(|| {
                unknown.push((&turn.speaker, 0, turn.line));
                unknown.len() - 1
            });
            unknown[place].1 += 1;
        }
        unknown
    }
}

impl Conversation {
    /// When it began, by itself: the date of an email, or the first instant in the file.
    pub fn began_at(&self) -> Option<Instant> {
        let sent_at = self.letter.as_ref().and_then(|letter| letter.sent_at);
        sent_at.or_else(|| {
            self.turns.iter().find_map(|turn| match turn.at {
                Some(At::Moment(moment)) => Some(moment),
                _ => None,
            })
        })
    }

    /// What it calls who speaks in a turn, counted from 1, where that is a name.
    pub fn name_in(&self, turn: usize) -> Option<Name> {
        let label = match &self.letter {
            Some(letter) => &letter.sender,
            None => &self.turns.get(turn.checked_sub(1)?)?.speaker,
        };
        // A company or a title in brackets is no part of it.
        let name = label.split('(').next().unwrap_or(label).trim();
        label::is_of_a_person(name).then(|| Name::new(name).ok())?
    }

    pub fn channel(&self) -> Channel {
        match self.format {
            Some(Format::Email) => Channel::Email,
            _ => Channel::Call,
        }
    }
}

/// Makes statements of the buyers' turns.
pub fn draft(conversation: &Conversation, cast: &Cast, setting: &Setting) -> Draft {
    let roles = cast.roles();
    let mut draft = Draft::default();
    let mut introduced: Vec<&Id> = Vec::new();
    let mut said_at = setting.held_at;
    // The seller's turn that a buyer answers: the last that said something, and no buyer has since.
    let mut context = "";
    for (place, turn) in conversation.turns.iter().enumerate() {
        let role = roles
            .get(&label::key(&turn.speaker))
            .unwrap_or(&Role::Unknown);
        said_at = moment(conversation, turn, setting, said_at);
        let skipped = why_not(role, &turn.text, context);
        if let Some(reason) = skipped {
            draft.skipped.push(Skipped {
                turn: place + 1,
                line: turn.line,
                speaker: turn.speaker.clone(),
                reason,
                excerpt: divide::beginning(&turn.text, EXCERPT_BYTES_MAX).to_owned(),
            });
        }
        match role {
            Role::Seller if !speech::is_backchannel(&turn.text) => context = &turn.text,
            Role::Seller => {}
            Role::Unknown => context = "",
            Role::Buyer(_) if skipped.is_some() => {}
            Role::Buyer(speaker) => {
                let introduces = !introduced.contains(&&speaker.stakeholder);
                let speaker = if introduces {
                    introduced.push(&speaker.stakeholder);
                    (*speaker).clone()
                } else {
                    plain(speaker)
                };
                say(
                    &mut draft,
                    setting,
                    place + 1,
                    turn,
                    said_at,
                    &speaker,
                    context,
                );
                context = "";
            }
        }
    }
    draft
}

fn why_not(role: &Role<'_>, text: &str, context: &str) -> Option<SkipReason> {
    match role {
        Role::Seller => Some(SkipReason::Seller),
        Role::Unknown => Some(SkipReason::UnknownSpeaker),
        Role::Buyer(_) if speech::is_stage_direction(text) => Some(SkipReason::StageDirection),
        Role::Buyer(_) if speech::is_backchannel(text) && !speech::asks(context) => {
            Some(SkipReason::Backchannel)
        }
        Role::Buyer(_) => None,
    }
}

fn say(
    draft: &mut Draft,
    setting: &Setting,
    number: usize,
    turn: &Turn,
    said_at: Instant,
    speaker: &Speaker,
    context: &str,
) {
    let parts = divide::parts(&turn.text, QUOTE_BYTES_MAX);
    let count = parts.len();
    for (place, part) in parts.into_iter().enumerate() {
        let id = match count {
            1 => format!("{}:{number}", setting.id),
            _ => format!("{}:{number}.{}", setting.id, place + 1),
        };
        // The first part alone follows on the seller; the name is given once.
        let (context, speaker) = match place {
            0 => (divide::ending(context, CONTEXT_BYTES_MAX), speaker.clone()),
            _ => ("", plain(speaker)),
        };
        draft.statements.push(Drafted {
            statement: Statement {
                id: Id::new(&id)
                    .expect("a conversation's id leaves room for the turn and the part"),
                said_at,
                quote: Prose::not_empty(part)
                    .expect("a part has words, is short, and a page has no control characters"),
                channel: Some(setting.channel),
                source_uri: setting.source_uri.clone(),
                context: Prose::new(context)
                    .expect("a context is short, and a page has no control characters"),
                voice: Voice::Buyer {
                    speaker,
                    paraphrased: false,
                },
                claims: Vec::new(),
            },
            turn: number,
            line: turn.line,
        });
    }
}

/// When a turn was said; where the file does not say, when the one before it was.
fn moment(conversation: &Conversation, turn: &Turn, setting: &Setting, before: Instant) -> Instant {
    match turn.at {
        // Its date is the default of `held_at`, which is what holds.
        _ if conversation.format == Some(Format::Email) => setting.held_at,
        Some(At::Offset(offset)) => setting.held_at.plus(offset),
        Some(At::Moment(moment)) => moment,
        None => before,
    }
}

/// Without what updates the stakeholder.
fn plain(speaker: &Speaker) -> Speaker {
    Speaker {
        stakeholder: speaker.stakeholder.clone(),
        display_name: None,
        title: None,
        roles: None,
    }
}
