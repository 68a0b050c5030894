//! The sentences that people read: short enough for a side panel, with names, dates and the buyer's own words in them.
//!
//! No number is decided here. Points are never told in a sentence: they stand beside it.

pub mod ask;
pub mod cause;
pub mod change;
pub mod reason;
pub mod remedy;

use crate::domain::contradiction::Contradiction;
use crate::domain::contradiction::Kind;
use crate::domain::evidence::Evidence;
use crate::domain::loss::StallCause;
use crate::domain::moment::Moment;
use crate::domain::scale::Gate;
use crate::domain::score::Tally;
use crate::domain::stall::Reminder;
use crate::domain::stall::Stall;
use crate::domain::time::Instant;
use crate::domain::topic::Topic;
use crate::domain::words::Words;

/// An explanation in sentences, in the order of what it explains.
#[derive(Clone, Debug)]
pub struct Told {
    pub headline: String,
    /// As [`Stall::causes`].
    pub causes: Vec<CauseTold>,
    /// As [`Stall::contradictions`].
    pub contradictions: Vec<String>,
    /// Empty unless one should walk away.
    pub walk_away: String,
    /// As [`Stall::reminders`].
    pub reminders: Vec<String>,
}

/// One cause in sentences.
#[derive(Clone, Debug)]
pub struct CauseTold {
    pub summary: String,
    pub missing: Vec<String>,
    /// Places among the people of the moment.
    pub who_should_say_it: Vec<usize>,
    /// One to three.
    pub questions: Vec<String>,
    pub remedy: String,
}

/// What a sentence may draw on.
pub struct Teller<'a> {
    pub moment: &'a Moment<'a>,
    pub tally: &'a Tally,
    pub words: &'a Words,
}

/// The longest quote within a sentence, in characters; the whole quote stands in the evidence.
const QUOTE_CHARS_MAX: usize = 110;

/// Tells a stall. `words` holds at least the statements of [`Stall::citations`].
pub fn tell(moment: &Moment, tally: &Tally, stall: &Stall, words: &Words) -> Told {
    let teller = Teller {
        moment,
        tally,
        words,
    };
    Told {
        headline: reason::headline(&teller, stall),
        causes: stall
            .causes
            .iter()
            .map(|cause| cause::tell(&teller, cause))
            .collect(),
        contradictions: stall
            .contradictions
            .iter()
            .map(|pair| teller.contradiction(pair))
            .collect(),
        walk_away: stall
            .walk_away
            .as_ref()
            .map_or_else(String::new, |(gate, evidence)| {
                teller.walk_away(*gate, evidence)
            }),
        reminders: stall
            .reminders
            .iter()
            .map(|(reminder, evidence)| teller.reminder(*reminder, evidence))
            .collect(),
    }
}

impl Teller<'_> {
    /// How the person is called: by name, or by id while no name is known.
    pub fn name(&self, person: usize) -> &str {
        let person = self.moment.people[person].person;
        person
            .display_name
            .value_at(self.moment.as_of)
            .map(|name| name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or(person.id.as_str())
    }

    /// The quoted words, in typographic quotes and shortened at a word.
    pub fn quote(&self, evidence: &Evidence) -> String {
        let quote = self
            .words
            .get(evidence.statement)
            .map_or("", |quoted| quoted.quote.as_str());
        format!("“{}”", shortened(quote))
    }

    /// `Hanna Vogel, 12 days ago: “…”`.
    pub fn cite(&self, evidence: &Evidence) -> String {
        format!(
            "{}, {}: {}",
            self.name(evidence.person),
            self.ago(evidence.said_at),
            self.quote(evidence)
        )
    }

    /// How long before the moment.
    pub fn ago(&self, at: Instant) -> String {
        match self.moment.as_of.since(at).as_days() as i64 {
            ..=0 => "today".into(),
            1 => "yesterday".into(),
            days @ 2..=20 => format!("{days} days ago"),
            days @ 21..=60 => format!("{} weeks ago", days / 7),
            days => format!("{} months ago", days / 30),
        }
    }

    /// `A`, `A and B`, `A, B and C`, `A, B and 3 more`.
    pub fn names(&self, people: &[usize]) -> String {
        let names: Vec<&str> = people.iter().map(|person| self.name(*person)).collect();
        listed(&names)
    }

    /// The active people who decide.
    pub fn deciders(&self) -> Vec<usize> {
        self.moment
            .active()
            .filter(|(_, present)| present.roles.decides())
            .map(|(place, _)| place)
            .collect()
    }

    /// Those who decided and departed.
    pub fn deciders_departed(&self) -> Vec<usize> {
        self.departed(|decides| decides)
    }

    /// Those others who departed and had said something.
    pub fn others_departed(&self) -> Vec<usize> {
        self.departed(|decides| !decides)
    }

    fn departed(&self, fits: fn(bool) -> bool) -> Vec<usize> {
        let departed = |present: &crate::domain::moment::Present| {
            present.departed && fits(present.roles.decides())
        };
        let people = self.moment.people.iter().enumerate();
        people
            .filter(|(_, present)| departed(present))
            .map(|(place, _)| place)
            .collect()
    }

    /// The level of a criterion.
    pub fn level(&self, topic: Topic) -> f64 {
        self.tally.weights[topic.index()].level
    }

    fn contradiction(&self, pair: &Contradiction) -> String {
        let earlier = self.name(pair.earlier.person);
        let later = self.name(pair.later.person);
        let about = subject(pair.topic);
        match pair.kind {
            Kind::ChangeOfMind => format!(
                "{later} changed their mind about {about}: {} {}, then {} {}. Ask what happened in between.",
                self.quote(&pair.earlier),
                self.ago(pair.earlier.said_at),
                self.quote(&pair.later),
                self.ago(pair.later.said_at),
            ),
            Kind::Disagreement => format!(
                "{earlier} and {later} disagree about {about}. Bring them together before you go on with either.",
            ),
        }
    }

    fn walk_away(&self, gate: Gate, evidence: &Evidence) -> String {
        let verdict = match gate {
            Gate::AlternativeChosen => {
                "They have decided for somebody else. Ask what would have to fail for them to come back, and leave."
            }
            _ => {
                "Whoever decides has accepted the risk of staying. Say so, agree when to look at it again, and leave."
            }
        };
        format!("{}. {verdict}", self.cite(evidence))
    }

    fn reminder(&self, reminder: Reminder, evidence: &Evidence) -> String {
        let why = match reminder {
            Reminder::MustChange => "why they must change",
            Reminder::Waiting => "what they miss by waiting",
            Reminder::Worth => "what it is worth to them",
        };
        format!("{} said {why}.", self.name(evidence.person))
    }
}

/// `A`, `A and B`, `A, B and C`, `A, B and 3 more`.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).into(),
        [one, other] => format!("{one} and {other}"),
        [one, other, third] => format!("{one}, {other} and {third}"),
        [one, other, rest @ ..] => format!("{one}, {other} and {} more", rest.len()),
    }
}

/// What a topic is about, to go into a sentence.
pub fn subject(topic: Topic) -> &'static str {
    match topic {
        Topic::Problem => "the problem",
        Topic::Consequence => "the cost of doing nothing",
        Topic::StatusQuo => "whether things can stay as they are",
        Topic::GoLive => "the date of going live",
        Topic::BuyingProcess => "how they will buy",
        Topic::Consensus => "whether the group agrees",
        Topic::Management => "management's backing",
        Topic::Value => "what this is worth",
        Topic::ChangeRisk => "the risk of changing",
        Topic::Priority => "how urgent this is",
        Topic::Alternative => "the alternatives",
        Topic::Engagement => "how much time to give this",
    }
}

/// What a buyer who supports the criterion says, to follow "nobody has said".
pub fn saying(topic: Topic) -> &'static str {
    match topic {
        Topic::Problem => "what is wrong, as a problem of their own",
        Topic::Consequence => "what doing nothing costs or risks",
        Topic::StatusQuo => "that things cannot stay as they are",
        Topic::GoLive => "by when they want results",
        Topic::BuyingProcess => "how they will buy: which steps, who, by when",
        Topic::Consensus => "that the group which must agree does agree",
        Topic::Management => "that management approves it or pays for it",
        Topic::Value => "what this is worth to them",
        Topic::ChangeRisk => "that changing is safer than staying",
        Topic::Priority => "that this comes first",
        Topic::Alternative => "that the alternatives are out",
        Topic::Engagement => "that they will give it time and people",
    }
}

/// A cause in a few words, to go into a headline.
pub fn in_short(cause: StallCause) -> &'static str {
    match cause {
        StallCause::ProblemNotVoiced => "no buyer has named a problem with enough weight",
        StallCause::ConsequenceUnknown => {
            "what doing nothing costs has not been said with enough weight"
        }
        StallCause::NoCommitmentToChange => "nobody of weight says that things must change",
        StallCause::NoGoLiveTarget => "no date by which they want results",
        StallCause::GoLivePassed => "the date they wanted has gone by",
        StallCause::BuyingProcessUnknown => "how they will buy is not known",
        StallCause::BuyingGroupNotAligned => "the buying group is not aligned",
        StallCause::ManagementNotSold => "management has not backed it",
        StallCause::ValueNotOwned => "they do not say what it is worth to them",
        StallCause::ChangeFeelsRiskier => "changing feels riskier than staying",
        StallCause::RiskAccepted => "they say they can live with things as they are",
        StallCause::Deprioritized => "it is not a priority for them",
        StallCause::PoliteDeferral => "they said later, politely",
        StallCause::AttentionDrift => "what they said was too long ago",
        StallCause::DecisionMakerChanged => "the one who decided is gone",
        StallCause::SponsorLeft => "people who spoke for it are gone",
        StallCause::DecisionMakerUnheard => "nobody who decides has been heard",
        StallCause::StageMisaligned => "the CRM stage is ahead of the buyer",
        StallCause::CloseDateSlipping => "the close date keeps slipping",
        StallCause::BuyingPlanSlipping => "the agreed plan is overdue",
        StallCause::AlternativePreferred => "they lean to somebody else",
        StallCause::BuyerDisengaged => "they decline to give it time",
    }
}

fn shortened(quote: &str) -> String {
    let mut whole = String::with_capacity(quote.len());
    for word in quote.split_whitespace() {
        if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(word);
    }
    // As many bytes are at most as many characters, and need not be counted.
    if whole.len() <= QUOTE_CHARS_MAX || whole.chars().count() <= QUOTE_CHARS_MAX {
        return whole;
    }
    let mut short = String::new();
    for word in whole.split(' ') {
        if QUOTE_CHARS_MAX < short.chars().count() + word.chars().count() + 2 {
            break;
        }
        short.push_str(word);
        short.push(' ');
    }
    if short.is_empty() {
        // One word longer than a line, as in languages that are written without blanks.
        short = whole.chars().take(QUOTE_CHARS_MAX - 1).collect();
    }
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_quote_is_cut_at_a_word_and_a_short_one_is_left() {
        assert_eq!(shortened("as  it\nis"), "as it is");
        let long = "word ".repeat(60);
        let short = shortened(&long);
        assert!(short.ends_with("word…") && short.chars().count() <= QUOTE_CHARS_MAX);
        assert_eq!(
            shortened(&"字".repeat(500)).chars().count(),
            QUOTE_CHARS_MAX
        );
    }

    #[test]
    fn names_are_listed_as_people_list_them() {
        assert_eq!(listed(&["A"]), "A");
        assert_eq!(listed(&["A", "B"]), "A and B");
        assert_eq!(listed(&["A", "B", "C"]), "A, B and C");
        assert_eq!(listed(&["A", "B", "C", "D"]), "A, B and 2 more");
    }
}
