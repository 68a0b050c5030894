//! A deal as folded from its history: everything that a score needs, without the words.
//!
//! What always holds:
//!
//! 1. Applying the events of a history one by one gives the same deal as applying them all at once.
//! 2. Two histories of the same events in another order of arrival give the same score at every moment.
//! 3. A retracted statement has left nothing behind but its id.
//! 4. A statement with confirmed claims counts as if it had come with them.
//!
//! Nothing is forgotten that a past moment could ask for, so a deal answers for any day. The words of statements are
//! not here: evidence names the revision of the statement that holds them.

pub mod packed;

use std::collections::BTreeMap;

use crate::domain::event::Event;
use crate::domain::event::Fact;
use crate::domain::facts::Confirmation;
use crate::domain::facts::DealFacts;
use crate::domain::facts::MilestoneFacts;
use crate::domain::money::Money;
use crate::domain::person::Person;
use crate::domain::statement::Claim;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::timeline::Order;
use crate::domain::timeline::Timeline;
use crate::domain::timeline::insert_if_set;
use crate::domain::timeline::says_if_set;
use crate::domain::topic::Attribution;
use crate::domain::topic::Outcome;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// The most statements of one deal.
pub const STATEMENTS_MAX: usize = 100_000;
/// The most people of one deal.
pub const STAKEHOLDERS_MAX: usize = 1_000;
/// The most steps of one deal's buying plan.
pub const MILESTONES_MAX: usize = 1_000;
/// The most events of one deal.
pub const EVENTS_MAX: u64 = 1_000_000;

/// A deal's history, folded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deal {
    revision: u64,
    recorded_at: Option<Instant>,
    pub name: Timeline<Name>,
    pub account: Timeline<Name>,
    pub owner: Timeline<Name>,
    pub amount: Timeline<Money>,
    pub seller_stage: Timeline<Name>,
    pub close_date: Timeline<Date>,
    /// The moments for which the seller gave facts of the deal.
    facts: Timeline<()>,
    /// By id.
    people: Vec<Person>,
    /// By id.
    milestones: BTreeMap<Id, Milestone>,
    pub endings: Timeline<Outcome>,
    pub hypotheses: Timeline<Belief>,
    statements: BTreeMap<Id, Kept>,
    /// The last one of each statement that stands and has any.
    confirmations: BTreeMap<Id, Confirmation>,
}

/// One step of the buying plan over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Milestone {
    /// The moments for which somebody told of it.
    pub told: Timeline<()>,
    pub name: Timeline<Name>,
    pub owner: Timeline<Id>,
    pub due_date: Timeline<Date>,
    pub completed_at: Timeline<Instant>,
}

/// What the seller believes on one topic; a statement without claims believes nothing in particular.
#[derive(Clone, Debug, PartialEq)]
pub struct Belief {
    pub claim: Option<(Topic, Stance)>,
    pub about: Option<Id>,
}

/// Where a statement is kept, and what it takes to find what it has left in the fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub revision: u64,
    pub retracted: bool,
    said_at: Instant,
    attribution: Attribution,
}

impl Deal {
    /// Folds a history from its first event on.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Deal {
        let mut deal = Deal::default();
        for event in events {
            deal.apply(event);
        }
        deal
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        let order = Order::new(event.revision, 0);
        match &event.fact {
            Fact::Deal(facts) => self.apply_facts(facts, order),
            Fact::Stakeholder(facts) => self.person_mut(&facts.stakeholder).told(facts, order),
            Fact::Statement(statement) => self.apply_statement(statement, event.revision),
            Fact::Milestone(facts) => self.apply_milestone(facts, order),
            Fact::Ending(ending) => {
                self.endings
                    .insert(ending.effective_at, order, ending.outcome);
            }
            Fact::Retraction(retraction) => self.retract(&retraction.statement),
            Fact::Confirmation(confirmation) => self.confirm(confirmation),
        }
        self.revision = event.revision;
        self.recorded_at = Some(event.recorded_at);
    }

    /// The number of events taken in.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When the last event was recorded.
    pub fn recorded_at(&self) -> Option<Instant> {
        self.recorded_at
    }

    /// Everybody there ever was, by id.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    pub fn person(&self, id: &Id) -> Option<&Person> {
        self.people
            .binary_search_by(|person| person.id.cmp(id))
            .ok()
            .map(|place| &self.people[place])
    }

    /// The buying plan, by id.
    pub fn milestones(&self) -> impl ExactSizeIterator<Item = (&Id, &Milestone)> {
        self.milestones.iter()
    }

    pub fn milestone(&self, id: &Id) -> Option<&Milestone> {
        self.milestones.get(id)
    }

    /// Where the statement of that id is kept.
    pub fn statement(&self, id: &Id) -> Option<Kept> {
        self.statements.get(id).copied()
    }

    /// What a person last judged the statement to claim, if anybody did.
    pub fn confirmation(&self, statement: &Id) -> Option<&Confirmation> {
        self.confirmations.get(statement)
    }

    /// Statements ever recorded.
    pub fn statements_recorded(&self) -> usize {
        self.statements.len()
    }

    /// Statements kept and not retracted.
    pub fn statements_standing(&self) -> usize {
        self.statements
            .values()
            .filter(|kept| !kept.retracted)
            .count()
    }

    /// When the deal closed, as far as is known: the latest ending's moment.
    pub fn closed_at(&self) -> Option<Instant> {
        self.endings
            .until(Instant::MAX)
            .last()
            .map(|entry| entry.at)
    }

    /// The earliest effective moment of anything that still counts.
    pub fn first_at(&self) -> Option<Instant> {
        let people = self.people.iter().filter_map(Person::first_at);
        let milestones = self
            .milestones
            .values()
            .filter_map(|milestone| milestone.told.first_at());
        let rest = [
            self.facts.first_at(),
            self.endings.first_at(),
            self.hypotheses.first_at(),
        ];
        people
            .chain(milestones)
            .chain(rest.into_iter().flatten())
            .min()
    }

    /// Whether exactly these facts were given for exactly that moment.
    pub fn says(&self, facts: &DealFacts) -> bool {
        let at = facts.effective_at;
        self.facts.says(at, &())
            && says_if_set(&self.name, &facts.name, at)
            && says_if_set(&self.account, &facts.account, at)
            && says_if_set(&self.owner, &facts.owner, at)
            && says_if_set(&self.amount, &facts.amount, at)
            && says_if_set(&self.seller_stage, &facts.seller_stage, at)
            && says_if_set(&self.close_date, &facts.close_date, at)
    }

    fn person_mut(&mut self, id: &Id) -> &mut Person {
        let place = match self.people.binary_search_by(|person| person.id.cmp(id)) {
            Ok(place) => place,
            Err(place) => {
                self.people.insert(place, Person::new(id.clone()));
                place
            }
        };
        &mut self.people[place]
    }

    fn apply_facts(&mut self, facts: &DealFacts, order: Order) {
        let at = facts.effective_at;
        self.facts.insert(at, order, ());
        insert_if_set(&mut self.name, &facts.name, at, order);
        insert_if_set(&mut self.account, &facts.account, at, order);
        insert_if_set(&mut self.owner, &facts.owner, at, order);
        insert_if_set(&mut self.amount, &facts.amount, at, order);
        insert_if_set(&mut self.seller_stage, &facts.seller_stage, at, order);
        insert_if_set(&mut self.close_date, &facts.close_date, at, order);
    }

    fn apply_milestone(&mut self, facts: &MilestoneFacts, order: Order) {
        let at = facts.effective_at;
        let milestone = self.milestones.entry(facts.milestone.clone()).or_default();
        milestone.told.insert(at, order, ());
        insert_if_set(&mut milestone.name, &facts.name, at, order);
        insert_if_set(&mut milestone.owner, &facts.owner, at, order);
        insert_if_set(&mut milestone.due_date, &facts.due_date, at, order);
        insert_if_set(&mut milestone.completed_at, &facts.completed_at, at, order);
    }

    fn apply_statement(&mut self, statement: &Statement, revision: u64) {
        let kept = Kept {
            revision,
            retracted: false,
            said_at: statement.said_at,
            attribution: statement.voice.attribution(),
        };
        self.statements.insert(statement.id.clone(), kept);
        match &statement.voice {
            Voice::Buyer {
                speaker,
                paraphrased,
            } => self.person_mut(&speaker.stakeholder).speaks(
                statement,
                speaker,
                *paraphrased,
                revision,
            ),
            Voice::Seller { about } => {
                let about = about.as_ref().map(|speaker| &speaker.stakeholder);
                self.believe(&statement.claims, about, statement.said_at, revision);
            }
        }
    }

    fn believe(&mut self, claims: &[Claim], about: Option<&Id>, at: Instant, revision: u64) {
        let mut claims: Vec<_> = claims
            .iter()
            .map(|claim| Some((claim.topic, claim.stance)))
            .collect();
        if claims.is_empty() {
            claims.push(None);
        }
        for (place, claim) in claims.into_iter().enumerate() {
            let belief = Belief {
                claim,
                about: about.cloned(),
            };
            self.hypotheses
                .insert(at, Order::new(revision, place), belief);
        }
    }

    fn retract(&mut self, statement: &Id) {
        let Some(kept) = self.statements.get_mut(statement) else {
            return;
        };
        kept.retracted = true;
        let (at, revision) = (kept.said_at, kept.revision);
        self.confirmations.remove(statement);
        for person in &mut self.people {
            person.unsaid(at, revision);
        }
        self.people.retain(|person| !person.is_unknown());
        self.hypotheses.remove(at, revision);
    }

    /// Puts the confirmed claims where those of the statement were: under its moment and its revision.
    fn confirm(&mut self, confirmation: &Confirmation) {
        let Some(kept) = self.statements.get(&confirmation.statement).copied() else {
            return;
        };
        if kept.retracted {
            return;
        }
        self.confirmations
            .insert(confirmation.statement.clone(), confirmation.clone());
        let claims = confirmation.claims();
        let (at, revision) = (kept.said_at, kept.revision);
        let paraphrased = match kept.attribution {
            Attribution::Verbatim => false,
            Attribution::Paraphrased => true,
            Attribution::Inferred => {
                let beliefs = self.hypotheses.of(at, revision);
                let about = beliefs
                    .first()
                    .and_then(|belief| belief.value.about.clone());
                self.hypotheses.remove(at, revision);
                self.believe(claims, about.as_ref(), at, revision);
                return;
            }
        };
        let speaker = self
            .people
            .iter_mut()
            .find(|person| !person.spoke.of(at, revision).is_empty());
        if let Some(speaker) = speaker {
            speaker.unclaimed(at, revision);
            speaker.claims(claims, paraphrased, at, revision);
        }
    }
}

impl Milestone {
    /// Whether exactly these facts were given for exactly that moment.
    pub fn says(&self, facts: &MilestoneFacts) -> bool {
        let at = facts.effective_at;
        self.told.says(at, &())
            && says_if_set(&self.name, &facts.name, at)
            && says_if_set(&self.owner, &facts.owner, at)
            && says_if_set(&self.due_date, &facts.due_date, at)
            && says_if_set(&self.completed_at, &facts.completed_at, at)
    }
}
