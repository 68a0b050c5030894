//! Whom to ask, and what: the people whose word would weigh most, and questions that let them say it themselves.
//!
//! A question never contains its answer. It asks for the buyer's reason to change, not for the order.

use crate::domain::evidence::Evidence;
use crate::domain::loss::StallCause;
use crate::domain::moment::Lift;
use crate::domain::phrase::Teller;
use crate::domain::stall::Cause;
use crate::domain::topic::Topic;

/// The most people named: more is nobody.
const PEOPLE_MAX: usize = 3;

/// The criterion that a cause is mostly about, if it is about one.
pub fn topic_of(cause: StallCause) -> Option<Topic> {
    match cause {
        StallCause::ProblemNotVoiced => Some(Topic::Problem),
        StallCause::ConsequenceUnknown => Some(Topic::Consequence),
        StallCause::NoCommitmentToChange => Some(Topic::StatusQuo),
        StallCause::NoGoLiveTarget | StallCause::GoLivePassed => Some(Topic::GoLive),
        StallCause::BuyingProcessUnknown => Some(Topic::BuyingProcess),
        StallCause::BuyingGroupNotAligned => Some(Topic::Consensus),
        StallCause::ManagementNotSold => Some(Topic::Management),
        StallCause::ValueNotOwned => Some(Topic::Value),
        StallCause::ChangeFeelsRiskier => Some(Topic::ChangeRisk),
        _ => None,
    }
}

/// The people whose word would bring most back.
pub fn who(teller: &Teller, cause: &Cause) -> Vec<usize> {
    let mut who = match cause.cause {
        StallCause::BuyingGroupNotAligned => unheard(teller),
        StallCause::RiskAccepted
        | StallCause::PoliteDeferral
        | StallCause::AttentionDrift
        | StallCause::Deprioritized
        | StallCause::AlternativePreferred
        | StallCause::BuyerDisengaged => speakers(teller, &cause.evidence),
        StallCause::DecisionMakerChanged | StallCause::DecisionMakerUnheard => teller.deciders(),
        StallCause::SponsorLeft => by_weight(teller, |_| 0.0),
        cause => match topic_of(cause) {
            Some(topic) => weightiest(teller, topic),
            None => teller.deciders(),
        },
    };
    if who.is_empty() {
        who = by_weight(teller, |_| 0.0);
    }
    who.truncate(PEOPLE_MAX);
    who
}

/// The active people who have not said why they must change, the weightiest first.
pub fn unheard(teller: &Teller) -> Vec<usize> {
    let support = |person: usize| {
        [Topic::StatusQuo, Topic::Consequence]
            .into_iter()
            .map(|topic| support_of(teller, topic, person))
            .fold(0.0, f64::max)
    };
    let unvoiced = teller.moment.model.level_unvoiced;
    by_weight(teller, |_| 0.0)
        .into_iter()
        .filter(|person| support(*person) < unvoiced)
        .collect()
}

/// The active people by what their full word on the topic would add to what they said.
fn weightiest(teller: &Teller, topic: Topic) -> Vec<usize> {
    by_weight(teller, |person| support_of(teller, topic, person))
}

fn by_weight(teller: &Teller, said: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut people: Vec<(f64, usize)> = teller
        .moment
        .active()
        .map(|(place, _)| {
            let standing = teller.moment.standing(place, Lift::Nothing);
            (standing - said(place), place)
        })
        .collect();
    people.sort_by(|one, other| other.0.total_cmp(&one.0));
    people.into_iter().map(|(_, place)| place).collect()
}

fn support_of(teller: &Teller, topic: Topic, person: usize) -> f64 {
    teller
        .moment
        .positions(topic)
        .iter()
        .find(|position| position.person == person)
        .map_or(0.0, |position| {
            teller.moment.support(position, Lift::Nothing)
        })
}

/// Those cited who are still there.
fn speakers(teller: &Teller, evidence: &[Evidence]) -> Vec<usize> {
    let mut speakers: Vec<usize> = Vec::new();
    for evidence in evidence {
        let departed = teller.moment.people[evidence.person].departed;
        if !departed && !speakers.contains(&evidence.person) {
            speakers.push(evidence.person);
        }
    }
    speakers
}

/// One to three questions to put to the buyer.
pub fn questions(teller: &Teller, cause: &Cause) -> Vec<String> {
    let quote = reminded(teller, &cause.evidence);
    match cause.cause {
        StallCause::ProblemNotVoiced => vec![
            "What made you take this conversation, of all the things on your desk?".into(),
            "Where does it hurt today, and whom?".into(),
        ],
        StallCause::ConsequenceUnknown => vec![
            match quote {
                Some(quote) => {
                    format!("{quote}. What does that cost you in a quarter, and who notices?")
                }
                None => "What does this cost you in a quarter, and who notices?".into(),
            },
            "If nothing changes in the next twelve months, what happens?".into(),
        ],
        StallCause::NoCommitmentToChange => vec![
            "Why not simply go on as you are for another year?".into(),
            "What would have to happen for you to say: this cannot go on?".into(),
        ],
        StallCause::NoGoLiveTarget => vec![
            "By when must it work for you, and what happens on that day?".into(),
            "Which of your own dates does this have to be ready for?".into(),
        ],
        StallCause::GoLivePassed => vec![
            match quote {
                Some(quote) => {
                    format!("{quote}. That day has gone by: what did it cost you?")
                }
                None => "The date you had named has gone by: what did it cost you?".into(),
            },
            "Is there a new date, and what fixes it?".into(),
        ],
        StallCause::BuyingProcessUnknown => vec![
            "When you last bought something like this, who had to say yes, in which order?".into(),
            "What has to be signed by whom, and how long does each step take?".into(),
        ],
        StallCause::BuyingGroupNotAligned => aligned(teller),
        StallCause::ManagementNotSold => vec![
            "What does your management want to achieve this year, and where does this stand in it?"
                .into(),
            "Who would have to give up budget for this, and what would convince them?".into(),
        ],
        StallCause::ValueNotOwned => vec![
            "If it worked as we showed you, what would you do differently on Monday?".into(),
            "How would you explain to your board what you get for the money?".into(),
        ],
        StallCause::ChangeFeelsRiskier => vec![
            "What is the worst that could happen if you change, and what if you do not?".into(),
            "What went wrong with the last project of this kind?".into(),
        ],
        StallCause::RiskAccepted => vec![
            match quote {
                Some(quote) => {
                    format!("{quote}. What would have to change for that to be no longer true?")
                }
                None => {
                    "What would have to change for staying as you are to be no longer acceptable?"
                        .into()
                }
            },
            "Who else carries that risk, and do they see it the same way?".into(),
        ],
        StallCause::Deprioritized => vec![
            "What comes first, and what makes it more urgent than this?".into(),
            "What does it cost you to look at this again only afterwards?".into(),
        ],
        _ => later_questions(teller, cause, quote),
    }
}

/// `Hanna Vogel, you said “…”`: the first cited who is still there to be asked.
fn reminded(teller: &Teller, evidence: &[Evidence]) -> Option<String> {
    let evidence = evidence
        .iter()
        .find(|evidence| !teller.moment.people[evidence.person].departed)?;
    let name = teller.name(evidence.person);
    Some(format!("{name}, you said {}", teller.quote(evidence)))
}

/// The questions of the causes that come from time, people and the seller's own doing.
fn later_questions(teller: &Teller, cause: &Cause, quote: Option<String>) -> Vec<String> {
    match cause.cause {
        StallCause::PoliteDeferral => vec![
            match quote {
                Some(quote) => format!("{quote}. What will be different then?"),
                None => "What will be different later?".into(),
            },
            "What happens in the meantime if you leave it as it is?".into(),
        ],
        StallCause::AttentionDrift => vec![match quote {
            Some(quote) => format!("{quote}. Is that still so?"),
            None => "Is what you told us then still so?".into(),
        }],
        StallCause::DecisionMakerChanged => vec![
            format!(
                "{} is gone: who decides now, and what does that person want to achieve first?",
                names_or(teller, &teller.deciders_departed(), "The one who decided")
            ),
            "What did your predecessor promise, and what of it is yours?".into(),
        ],
        StallCause::SponsorLeft => vec![
            format!(
                "{} is gone: who feels the problem now?",
                names_or(teller, &teller.others_departed(), "Your colleague")
            ),
            "Who will speak for it when we are not in the room?".into(),
        ],
        StallCause::DecisionMakerUnheard => vec![
            "Who can say yes when everybody else says no, and what do they say about this?".into(),
            "May I hear it from them for twenty minutes before we go on?".into(),
        ],
        StallCause::StageMisaligned => {
            vec!["What have you decided so far, and what is still open on your side?".into()]
        }
        StallCause::CloseDateSlipping => vec![
            "What moved this time, and what would have to be true for it to stay?".into(),
            "What happens on your side if it moves again?".into(),
        ],
        StallCause::BuyingPlanSlipping => vec![
            "Which of the steps we agreed still matter to you, and what is in their way?".into(),
        ],
        StallCause::AlternativePreferred => vec![
            match quote {
                Some(quote) => format!("{quote}. What does it solve that must be solved?"),
                None => "What does the other way solve that must be solved?".into(),
            },
            "What would have to go wrong there for you to regret it?".into(),
        ],
        _ => vec![
            "Is this still worth your time, and what would make it so?".into(),
            "Who is the right person to go on with?".into(),
        ],
    }
}

fn aligned(teller: &Teller) -> Vec<String> {
    let mut unheard = unheard(teller);
    unheard.truncate(PEOPLE_MAX);
    let mut questions = Vec::new();
    if !unheard.is_empty() {
        questions.push(format!(
            "What would {} say must change, and have they said it to each other?",
            teller.names(&unheard)
        ));
    }
    questions.push("Who could stop this, and what are they afraid of?".into());
    questions
}

fn names_or(teller: &Teller, people: &[usize], otherwise: &str) -> String {
    match people {
        [] => otherwise.into(),
        people => teller.names(people),
    }
}
