//! What moved a score, in a sentence.

use crate::domain::deal::Deal;
use crate::domain::event::Fact;
use crate::domain::facts::Confirmation;
use crate::domain::facts::Retraction;
use crate::domain::ledger::Ledger;
use crate::domain::person::Person;
use crate::domain::phrase::listed;
use crate::domain::phrase::shortened;
use crate::domain::phrase::subject;
use crate::domain::stakeholder::Roles;
use crate::domain::text::Id;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::domain::topic::Topic;
use crate::domain::walk::ChangeKind;
use crate::domain::walk::Citation;
use crate::domain::walk::Standing;
use crate::domain::walk::standing;

/// A change in words.
pub struct Told {
    pub kind: ChangeKind,
    /// Whom it is about.
    pub person: Option<Id>,
    pub summary: String,
}

/// What an event is about, as it stood before.
pub enum Before {
    Person(Option<Standing>),
    Seller {
        stage: Option<Name>,
        close_date: Option<Date>,
    },
    Milestone {
        due_date: Option<Date>,
        is_done: bool,
    },
    Nothing,
}

/// How many lines of a ledger a sentence names.
const LINES_MAX: usize = 2;

impl Before {
    pub fn of(deal: &Deal, fact: &Fact, at: Instant) -> Before {
        match fact {
            Fact::Stakeholder(facts) => Before::Person(standing(deal, &facts.stakeholder, at)),
            Fact::Deal(_) => Before::Seller {
                stage: deal.seller_stage.value_at(at).cloned(),
                close_date: deal.close_date.value_at(at).copied(),
            },
            Fact::Milestone(facts) => {
                let milestone = deal.milestone(&facts.milestone);
                Before::Milestone {
                    due_date: milestone.and_then(|it| it.due_date.value_at(at).copied()),
                    is_done: is_done(deal, &facts.milestone, at),
                }
            }
            Fact::Statement(_) | Fact::Ending(_) | Fact::Confirmation(_) | Fact::Retraction(_) => {
                Before::Nothing
            }
        }
    }
}

/// Tells what an event changed; `deal` has taken it in. `None` for what never moves a score.
pub fn tell(before: &Before, deal: &Deal, fact: &Fact, at: Instant) -> Option<Told> {
    match fact {
        Fact::Statement(statement) => {
            let speaker = &statement.voice.speaker()?.stakeholder;
            let quote = shortened(statement.quote.as_str());
            Some(Told {
                kind: ChangeKind::Said,
                person: Some(speaker.clone()),
                summary: format!("{}: “{quote}”", name(deal, speaker, at)),
            })
        }
        Fact::Stakeholder(facts) => {
            let Before::Person(before) = before else {
                return None;
            };
            let after = standing(deal, &facts.stakeholder, at)?;
            let name = name(deal, &facts.stakeholder, at);
            let (kind, summary) = match before {
                None => (ChangeKind::Joined, joined(&name, after)),
                Some(before) if !before.departed && after.departed => {
                    (ChangeKind::Left, format!("{name} left."))
                }
                Some(before) if before.departed && !after.departed => {
                    (ChangeKind::Joined, format!("{name} is back."))
                }
                Some(_) => (
                    ChangeKind::RoleChanged,
                    format!("{name} is now {}.", roles(after.roles)),
                ),
            };
            Some(Told {
                kind,
                person: Some(facts.stakeholder.clone()),
                summary,
            })
        }
        Fact::Deal(_) => Some(Told {
            kind: ChangeKind::SellerChanged,
            person: None,
            summary: seller(before, deal, at),
        }),
        Fact::Milestone(facts) => Some(Told {
            kind: ChangeKind::PlanChanged,
            person: None,
            summary: plan(before, deal, &facts.milestone, at),
        }),
        Fact::Retraction(retraction) => Some(Told {
            kind: ChangeKind::TakenBack,
            person: None,
            summary: format!(
                "Statement {} was taken back: {}",
                retraction.statement.as_str(),
                shortened(retraction.reason.as_str())
            ),
        }),
        Fact::Confirmation(confirmation) => Some(Told {
            kind: ChangeKind::Corrected,
            person: None,
            summary: format!(
                "Statement {} {}",
                confirmation.statement.as_str(),
                judged(confirmation)
            ),
        }),
        Fact::Ending(_) => None,
    }
}

/// Tells that a person judged what a statement means, by its words.
pub fn meant(confirmation: &Confirmation, cited: &Citation) -> Told {
    Told {
        kind: ChangeKind::Corrected,
        person: Some(cited.speaker.clone()),
        summary: format!(
            "{}: “{}” {}",
            speaker_of(cited),
            shortened(cited.quote.as_str()),
            judged(confirmation)
        ),
    }
}

/// How a person judged a statement, to follow its words.
fn judged(confirmation: &Confirmation) -> String {
    let by = confirmation.confirmed_by.as_ref();
    let by = by.map_or(String::new(), |name| format!(" by {}", name.as_str()));
    let topics: Vec<&str> = confirmation
        .claims()
        .iter()
        .map(|claim| subject(claim.topic))
        .collect();
    match topics.is_empty() {
        true => format!("was judged{by} to claim nothing."),
        false => format!("was judged{by} to be about {}.", listed(&topics)),
    }
}

/// The name of who said it; the id where there is none.
fn speaker_of(cited: &Citation) -> &str {
    let name = cited.display_name.as_ref().map(|name| name.as_str());
    name.filter(|name| !name.is_empty())
        .unwrap_or(cited.speaker.as_str())
}

/// Tells that a statement was taken back, by its words.
pub fn unsaid(retraction: &Retraction, gone: &Citation) -> Told {
    Told {
        kind: ChangeKind::TakenBack,
        person: Some(gone.speaker.clone()),
        summary: format!(
            "{}: “{}” was taken back: {}",
            speaker_of(gone),
            shortened(gone.quote.as_str()),
            shortened(retraction.reason.as_str())
        ),
    }
}

/// Tells which dates go by at exactly that moment; `None` when none does that is in force.
pub fn passing(deal: &Deal, at: Instant) -> Option<String> {
    let just_before = at.just_before();
    let mut passing = Vec::new();
    for (id, milestone) in deal.milestones() {
        let due_date = milestone.due_date.value_at(just_before);
        let was_done = is_done(deal, id, just_before);
        if !was_done && is_done(deal, id, at) {
            passing.push(format!("{} is done", milestone_name(deal, id, at)));
        } else if !was_done && due_date.is_some_and(|due_date| due_date.end() == at) {
            passing.push(format!("{} is overdue", milestone_name(deal, id, at)));
        }
    }
    let wanted_until = |person: &&Person| {
        let strands = person.said.as_slice().iter();
        strands
            .filter(|strand| strand.topic == Topic::GoLive)
            .filter_map(|strand| strand.said.value_at(just_before)?.target_date)
            .any(|date| date.end() == at)
    };
    let people = deal.people().iter().filter(wanted_until);
    let names: Vec<String> = people.map(|person| name(deal, &person.id, at)).collect();
    if !names.is_empty() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let date = just_before.date().spoken();
        passing.push(format!(
            "the go-live date that {} named, {date}, has gone by",
            listed(&names)
        ));
    }
    (!passing.is_empty()).then(|| sentence(&passing))
}

/// Tells what time alone did.
pub fn ageing(aged: &Ledger) -> String {
    let mut lost: Vec<(f64, Topic)> = aged
        .criteria
        .iter()
        .zip(Topic::CRITERIA)
        .filter(|(points, _)| **points < 0.0)
        .map(|(points, topic)| (*points, topic))
        .collect();
    // A stable sort: of equal losses the first criterion comes first.
    lost.sort_by(|one, other| one.0.total_cmp(&other.0));
    let subjects: Vec<&str> = lost
        .iter()
        .take(LINES_MAX)
        .map(|(_, topic)| subject(*topic))
        .collect();
    match subjects.as_slice() {
        [] => "What was said against it fades.".into(),
        subjects => format!(
            "What was said and not said again fades, most on {}.",
            listed(subjects)
        ),
    }
}

fn joined(name: &str, standing: Standing) -> String {
    match standing.roles.is_empty() {
        true => format!("{name} joined."),
        false => format!("{name} joined as {}.", roles(standing.roles)),
    }
}

fn roles(roles: Roles) -> String {
    let names: Vec<String> = roles
        .iter()
        .map(|role| role.name().to_lowercase().replace('_', " "))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        [] => "without a role".into(),
        names => listed(names),
    }
}

fn seller(before: &Before, deal: &Deal, at: Instant) -> String {
    let Before::Seller { stage, close_date } = before else {
        return String::new();
    };
    let mut moved = Vec::new();
    let stage_now = deal.seller_stage.value_at(at);
    if stage_now != stage.as_ref() {
        let told = |stage: Option<&Name>| match stage {
            Some(stage) if !stage.as_str().is_empty() => format!("“{}”", stage.as_str()),
            _ => "none".into(),
        };
        let from = told(stage.as_ref());
        moved.push(format!("the stage from {from} to {}", told(stage_now)));
    }
    let close_date_now = deal.close_date.value_at(at).copied();
    if close_date_now != *close_date {
        let told = |date: Option<Date>| match date {
            Some(date) => date.spoken().to_string(),
            None => "none".into(),
        };
        let from = told(*close_date);
        moved.push(format!(
            "the close date from {from} to {}",
            told(close_date_now)
        ));
    }
    match moved.as_slice() {
        // What was learned later may come before what holds, and only count as one more slip.
        [] => "The seller told of an earlier stage or close date.".into(),
        moved => format!("The seller moved {}.", moved.join(" and ")),
    }
}

fn plan(before: &Before, deal: &Deal, milestone: &Id, at: Instant) -> String {
    let Before::Milestone {
        due_date,
        is_done: was_done,
    } = before
    else {
        return String::new();
    };
    let name = milestone_name(deal, milestone, at);
    let due_now = deal
        .milestone(milestone)
        .and_then(|it| it.due_date.value_at(at).copied());
    match (is_done(deal, milestone, at), due_now) {
        (true, _) if !was_done => format!("{name} is done."),
        (false, _) if *was_done => format!("{name} is open again."),
        (_, Some(now)) => match due_date {
            Some(before) if *before != now => {
                format!("{name} moved from {} to {}.", before.spoken(), now.spoken())
            }
            _ => format!("{name} is due on {}.", now.spoken()),
        },
        (_, None) => format!("{name} has no date."),
    }
}

fn is_done(deal: &Deal, milestone: &Id, at: Instant) -> bool {
    deal.milestone(milestone)
        .and_then(|it| it.completed_at.value_at(at))
        .is_some_and(|completed_at| *completed_at <= at)
}

fn milestone_name(deal: &Deal, milestone: &Id, at: Instant) -> String {
    let name = deal
        .milestone(milestone)
        .and_then(|it| it.name.value_at(at))
        .map(|name| name.as_str())
        .filter(|name| !name.is_empty());
    format!("“{}”", name.unwrap_or(milestone.as_str()))
}

/// How the person is called: by name, or by id while no name is known.
fn name(deal: &Deal, person: &Id, at: Instant) -> String {
    deal.person(person)
        .and_then(|person| person.display_name.value_at(at))
        .map(|name| name.as_str())
        .filter(|name| !name.is_empty())
        .unwrap_or(person.as_str())
        .to_owned()
}

/// Parts joined to a sentence, with a capital.
fn sentence(parts: &[String]) -> String {
    let text = format!("{}.", parts.join("; "));
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => text,
    }
}
