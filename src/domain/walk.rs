//! A walk through a deal's history: everything that moved the score on the way, each with the points by which it did.
//!
//! The deal is lived through again in the order in which things came to hold. Between two of them only time passes, and
//! what the score does meanwhile is ageing; at each of them the score jumps, and the jump is its change. So
//!
//! 1. the changes and the ageing add up to the difference of the scores at both ends, line by line;
//! 2. a walk from A to C is the walk from A to B and then from B to C: the changes of four weeks are those of the month;
//! 3. nothing depends on the order of arrival, and a change is the same whatever came after it.
//!
//! No sharing out (such as Shapley's values) has the second: it would blame March for what was said in April. What came
//! to hold at the very same moment is taken in by revision, as it was recorded.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::domain::amendment::amended;
use crate::domain::deal::Deal;
use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::ledger::Ledger;
use crate::domain::model::Model;
use crate::domain::moment::Moment;
use crate::domain::phrase::change;
use crate::domain::score;
use crate::domain::stakeholder::Presence;
use crate::domain::stakeholder::Roles;
use crate::domain::statement::Quote;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::topic::Attribution;
use crate::domain::topic::Topic;

/// What kind of thing moved a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ChangeKind {
    Said,
    Aged,
    DatePassed,
    Joined,
    Left,
    RoleChanged,
    SellerChanged,
    PlanChanged,
    TakenBack,
    Corrected,
}

impl ChangeKind {
    /// All of them, in order.
    pub const ALL: [ChangeKind; 10] = [
        ChangeKind::Said,
        ChangeKind::Aged,
        ChangeKind::DatePassed,
        ChangeKind::Joined,
        ChangeKind::Left,
        ChangeKind::RoleChanged,
        ChangeKind::SellerChanged,
        ChangeKind::PlanChanged,
        ChangeKind::TakenBack,
        ChangeKind::Corrected,
    ];

    /// Its name in proto, without the type's prefix.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Said => "SAID",
            ChangeKind::Aged => "AGED",
            ChangeKind::DatePassed => "DATE_PASSED",
            ChangeKind::Joined => "JOINED",
            ChangeKind::Left => "LEFT",
            ChangeKind::RoleChanged => "ROLE_CHANGED",
            ChangeKind::SellerChanged => "SELLER_CHANGED",
            ChangeKind::PlanChanged => "PLAN_CHANGED",
            ChangeKind::TakenBack => "TAKEN_BACK",
            ChangeKind::Corrected => "CORRECTED",
        }
    }
}

/// One thing that moved the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub kind: ChangeKind,
    /// When it was said or came true; of ageing the end of the walk.
    pub at: Instant,
    /// What it moved.
    pub ledger: Ledger,
    /// The entry of the history; `None` when only time passed.
    pub entry: Option<Entry>,
    /// Who said it, joined, left or changed roles.
    pub person: Option<Id>,
    /// The statement that was said, taken back or corrected, with its words.
    pub citation: Option<Citation>,
    /// What happened, in a sentence.
    pub summary: String,
}

/// Which entry of the history a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub revision: u64,
    pub recorded_at: Instant,
    /// It came to hold before the walk and was recorded after what was known at its beginning.
    pub learned_later: bool,
}

/// A statement, cited in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    pub statement: Id,
    pub speaker: Id,
    pub display_name: Option<Name>,
    pub said_at: Instant,
    pub quote: Quote,
    pub attribution: Attribution,
}

/// Where somebody stood in the purchase at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub roles: Roles,
    pub departed: bool,
}

/// A deal on its way through its history, and its ledger at the moment it has come to.
pub struct Walk<'a> {
    pub deal: Deal,
    pub at: Instant,
    pub ledger: Ledger,
    /// What time alone did so far, and what is too little to have a name.
    pub aged: Ledger,
    model: &'a Model,
    quotes: &'a Quotes,
}

/// Statements that are amended on the way, to be cited; without one the change tells its id alone.
pub type Quotes = BTreeMap<Id, Statement>;

impl<'a> Walk<'a> {
    /// Begins at a moment, with a deal of which nothing came to hold after it.
    pub fn new(deal: Deal, model: &'a Model, at: Instant, quotes: &'a Quotes) -> Walk<'a> {
        Walk {
            ledger: ledger(&deal, model, at),
            aged: Ledger::NOTHING,
            deal,
            at,
            model,
            quotes,
        }
    }

    /// Goes on to `until`, taking in the events at their moments and reporting each moment at which something changed.
    ///
    /// Events come in order of moment and revision, none at or before where the walk is and none after `until`.
    pub fn go(
        &mut self,
        events: &[(Instant, Event)],
        until: Instant,
        mut visit: impl FnMut(&Deal, Instant, Vec<Change>),
    ) {
        let mut dates = self.dates(events, until).into_iter().peekable();
        let mut events = events.iter().peekable();
        loop {
            let next_event = events.peek().map(|(at, _)| *at);
            let Some(next) = next_event.into_iter().chain(dates.peek().copied()).min() else {
                break;
            };
            let mut changes = Vec::new();
            if dates.next_if_eq(&next).is_some() {
                self.age(next.just_before());
                changes.extend(self.pass(next));
            } else {
                self.age(next);
            }
            while let Some((_, event)) = events.next_if(|(at, _)| *at == next) {
                changes.extend(self.take(event, LearnedLater::No));
            }
            if !changes.is_empty() {
                visit(&self.deal, next, changes);
            }
        }
        self.age(until);
    }

    /// Takes in an event where the walk is; answers what it changed.
    pub fn take(&mut self, event: &Event, learned: LearnedLater) -> Option<Change> {
        let before = change::Before::of(&self.deal, &event.fact, self.at);
        let amended = amended(&event.fact)
            .and_then(|statement| self.quotes.get(statement))
            .and_then(|statement| citation(&self.deal, statement, self.at));
        self.deal.apply(event);
        let ledger = self.step_to(self.at);
        let told = match (&event.fact, &amended) {
            (Fact::Retraction(retraction), Some(gone)) => Some(change::unsaid(retraction, gone)),
            (Fact::Confirmation(confirmation), Some(meant)) => {
                Some(change::meant(confirmation, meant))
            }
            (fact, _) => change::tell(&before, &self.deal, fact, self.at),
        };
        let Some(told) = told.filter(|_| !ledger.is_rounding()) else {
            self.aged = self.aged + ledger;
            return None;
        };
        Some(Change {
            kind: told.kind,
            at: event.effective_at(),
            ledger,
            entry: Some(Entry {
                revision: event.revision,
                recorded_at: event.recorded_at,
                learned_later: learned == LearnedLater::Yes,
            }),
            person: told.person,
            citation: match &event.fact {
                Fact::Statement(statement) => citation(&self.deal, statement, self.at),
                _ => amended,
            },
            summary: told.summary,
        })
    }

    /// What time alone did, as a change.
    pub fn ageing(&self) -> Option<Change> {
        (self.aged != Ledger::NOTHING).then(|| Change {
            kind: ChangeKind::Aged,
            at: self.at,
            ledger: self.aged,
            entry: None,
            person: None,
            citation: None,
            summary: change::ageing(&self.aged),
        })
    }

    /// Lets time pass, and nothing else.
    fn age(&mut self, at: Instant) {
        let step = self.step_to(at);
        self.aged = self.aged + step;
    }

    /// Lets a date go by.
    fn pass(&mut self, at: Instant) -> Option<Change> {
        let ledger = self.step_to(at);
        let told = change::passing(&self.deal, at);
        let Some(summary) = told.filter(|_| !ledger.is_rounding()) else {
            // The date is no longer in force, or does not matter: words aged for a nanosecond.
            self.aged = self.aged + ledger;
            return None;
        };
        Some(Change {
            kind: ChangeKind::DatePassed,
            at,
            ledger,
            entry: None,
            person: None,
            citation: None,
            summary,
        })
    }

    fn step_to(&mut self, at: Instant) -> Ledger {
        let ledger = ledger(&self.deal, self.model, at);
        let step = ledger - self.ledger;
        self.ledger = ledger;
        self.at = at;
        step
    }

    /// The moments after this one and up to `until` at which a date goes by: a milestone is due or done, a go-live ends.
    fn dates(&self, events: &[(Instant, Event)], until: Instant) -> BTreeSet<Instant> {
        let mut dates = BTreeSet::new();
        let mut note = |at: Instant| {
            if self.at < at && at <= until {
                dates.insert(at);
            }
        };
        for (_, milestone) in self.deal.milestones() {
            let due = milestone.due_date.until(Instant::MAX);
            due.iter().for_each(|entry| note(entry.value.end()));
            let done = milestone.completed_at.until(Instant::MAX);
            done.iter().for_each(|entry| note(entry.value));
        }
        for person in self.deal.people() {
            let strands = person.said.as_slice().iter();
            strands
                .filter(|strand| strand.topic == Topic::GoLive)
                .flat_map(|strand| strand.said.until(Instant::MAX))
                .filter_map(|entry| entry.value.target_date)
                .for_each(|date| note(date.end()));
        }
        for (_, event) in events {
            match &event.fact {
                Fact::Milestone(facts) => {
                    facts
                        .due_date
                        .map(Date::end)
                        .into_iter()
                        .for_each(&mut note);
                    facts.completed_at.into_iter().for_each(&mut note);
                }
                Fact::Statement(statement) => statement
                    .claims
                    .iter()
                    .filter(|claim| claim.topic == Topic::GoLive)
                    .filter_map(|claim| claim.target_date)
                    .for_each(|date| note(date.end())),
                Fact::Confirmation(confirmation) => confirmation
                    .claims()
                    .iter()
                    .filter(|claim| claim.topic == Topic::GoLive)
                    .filter_map(|claim| claim.target_date)
                    .for_each(|date| note(date.end())),
                Fact::Deal(_) | Fact::Stakeholder(_) | Fact::Ending(_) | Fact::Retraction(_) => {}
            }
        }
        dates
    }
}

/// Whether an event is taken in only because more was known later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnedLater {
    No,
    Yes,
}

/// The ledger of a deal at a moment.
pub fn ledger(deal: &Deal, model: &Model, at: Instant) -> Ledger {
    let moment = Moment::of(deal, model, at);
    Ledger::of(&score::tally(&moment), model)
}

/// Where somebody stood at a moment; `None` while they were not known.
pub fn standing(deal: &Deal, person: &Id, at: Instant) -> Option<Standing> {
    let person = deal
        .person(person)
        .filter(|person| person.is_known_at(at))?;
    Some(Standing {
        roles: person.roles.value_at(at).copied().unwrap_or(Roles::NONE),
        departed: person.presence.value_at(at) == Some(&Presence::Departed),
    })
}

fn citation(deal: &Deal, statement: &Statement, at: Instant) -> Option<Citation> {
    let Voice::Buyer { speaker, .. } = &statement.voice else {
        return None;
    };
    let person = deal.person(&speaker.stakeholder)?;
    Some(Citation {
        statement: statement.id.clone(),
        speaker: speaker.stakeholder.clone(),
        display_name: person.display_name.value_at(at).cloned(),
        said_at: statement.said_at,
        quote: statement.quote.clone(),
        attribution: statement.voice.attribution(),
    })
}
