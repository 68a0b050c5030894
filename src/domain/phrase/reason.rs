//! Why a modifier takes what it takes, and the headline of an explanation.

use crate::domain::loss::StallCause;
use crate::domain::phrase;
use crate::domain::phrase::Teller;
use crate::domain::phrase::ask;
use crate::domain::scale::Modifier;
use crate::domain::stage;
use crate::domain::stage::StageSource;
use crate::domain::stall::Stall;
use crate::domain::state::DealState;
use crate::domain::state::StateSince;
use crate::domain::state::Why;
use crate::domain::time::Instant;
use crate::domain::topic::BuyingStage;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// Why the modifier takes something; empty when it takes nothing.
pub fn of_modifier(teller: &Teller, modifier: Modifier) -> String {
    if teller.tally.factors[modifier as usize] == 1.0 {
        return String::new();
    }
    match modifier {
        Modifier::StageMisalignment => misalignment(teller),
        Modifier::CloseDateSlips => slips(teller),
        Modifier::PlanSlippage => overdue(teller),
        Modifier::Priority => against(teller, Topic::Priority, "this has to wait"),
        Modifier::Alternative => against(teller, Topic::Alternative, "they lean elsewhere"),
        Modifier::Engagement => against(teller, Topic::Engagement, "they will not give it time"),
    }
}

/// One sentence for the top of a side panel: the state and what weighs most.
pub fn headline(teller: &Teller, stall: &Stall) -> String {
    let state = state(teller, stall.state);
    match stall.causes.first() {
        Some(cause) => format!("{state}; {}.", gist(teller, cause.cause)),
        None => format!("{state}; nothing is lost."),
    }
}

/// A step in words that go into a sentence.
pub fn step(stage: BuyingStage) -> &'static str {
    match stage {
        BuyingStage::StatusQuo => "content with things as they are",
        BuyingStage::ProblemIdentification => "finding out what the problem is",
        BuyingStage::SolutionExploration => "exploring solutions",
        BuyingStage::RequirementsBuilding => "building requirements",
        BuyingStage::SupplierSelection => "selecting a supplier",
        BuyingStage::ConsensusCreation => "finding consensus",
        BuyingStage::Approval => "getting approval",
        BuyingStage::Implementation => "implementing",
    }
}

fn misalignment(teller: &Teller) -> String {
    let moment = teller.moment;
    let step_now = teller.tally.step;
    let seller_stage = moment
        .deal
        .seller_stage
        .value_at(moment.as_of)
        .map_or("", |stage| stage.as_str());
    let presumed = moment
        .model
        .presumes(seller_stage)
        .map_or("further on", step);
    let source = match step_now.source {
        StageSource::Stated => "by their own words",
        StageSource::Derived => "by what they have said so far",
    };
    format!(
        "“{seller_stage}” presumes a buyer who is {presumed}; {source} they are {}.",
        step(step_now.stage)
    )
}

fn slips(teller: &Teller) -> String {
    let slips = stage::slips(teller.moment);
    let (Some(first), Some(last)) = (slips.first(), slips.last()) else {
        return String::new();
    };
    let times = match slips.len() {
        1 => "once".into(),
        2 => "twice".into(),
        times => format!("{times} times"),
    };
    format!(
        "The close date slipped {times}, from {} to {}.",
        first.from.spoken(),
        last.to.spoken()
    )
}

fn overdue(teller: &Teller) -> String {
    let overdue = stage::overdue(teller.moment);
    let Some(first) = overdue.iter().min_by_key(|overdue| overdue.due_date) else {
        return String::new();
    };
    let names: Vec<&str> = overdue
        .iter()
        .map(|overdue| milestone_name(teller, overdue))
        .collect();
    let verb = if overdue.len() == 1 { "is" } else { "are" };
    format!(
        "{} {verb} overdue, the first since {}.",
        phrase::listed(&names),
        first.due_date.spoken()
    )
}

fn milestone_name<'a>(teller: &'a Teller, overdue: &'a stage::Overdue) -> &'a str {
    teller
        .moment
        .deal
        .milestone(overdue.milestone)
        .and_then(|milestone| milestone.name.value_at(teller.moment.as_of))
        .map(|name| name.as_str())
        .filter(|name| !name.is_empty())
        .unwrap_or(overdue.milestone.as_str())
}

/// Who stands against it, the latest first.
fn against(teller: &Teller, topic: Topic, gist: &str) -> String {
    let moment = teller.moment;
    let mut against: Vec<(Instant, usize)> = moment
        .positions(topic)
        .iter()
        .filter_map(|position| {
            let opposed = position.opposition.map(|claim| claim.entry.at);
            let deferred = position
                .deferral
                .filter(|_| topic == Topic::Priority)
                .filter(|_| moment.latest_stance(position) == Some(Stance::Defers))
                .map(|entry| entry.at);
            Some((opposed.max(deferred)?, position.person))
        })
        .collect();
    against.sort_unstable();
    let Some((latest, _)) = against.last() else {
        return String::new();
    };
    let people: Vec<usize> = against.iter().rev().map(|(_, person)| *person).collect();
    let verb = if people.len() == 1 { "says" } else { "say" };
    format!(
        "{} {verb} that {gist}, last {}.",
        teller.names(&people),
        teller.ago(*latest)
    )
}

/// What costs most, in a few words.
fn gist(teller: &Teller, cause: StallCause) -> String {
    let unsaid = ask::topic_of(cause).filter(|topic| {
        let weight = teller.tally.weights[topic.index()];
        weight.support == 0.0 && weight.opposition == 0.0 && cause != StallCause::GoLivePassed
    });
    match unsaid {
        Some(topic) => format!("no buyer has said {}", phrase::saying(topic)),
        None => phrase::in_short(cause).into(),
    }
}

fn state(teller: &Teller, state: StateSince) -> String {
    let days = |since: Instant| {
        let days = teller.moment.as_of.since(since).as_days() as i64;
        match days {
            1 => "1 day".into(),
            days => format!("{days} days"),
        }
    };
    match state.why {
        Why::Outcome => "Closed".into(),
        Why::Silence(since) => format!("Dark: no buyer has been heard for {}", days(since)),
        Why::NeverHeard(since) => {
            format!(
                "Dark: no buyer has been heard in {} of this deal",
                days(since)
            )
        }
        Why::NoProgress(since) if state.state == DealState::Stalled => {
            format!("Stalled: no progress for {}", days(since))
        }
        Why::NoProgress(since) => format!("Slowing: no progress for {}", days(since)),
        Why::Slips(slips, _) => {
            format!("Stalled: {slips} slips of the close date and no progress since")
        }
        Why::Priority(since) => {
            format!("Stalled: a decision maker put it off {}", teller.ago(since))
        }
        Why::Momentum => "Slowing: the score falls".into(),
        Why::Overdue(since) => format!(
            "Slowing: the buying plan is overdue since {}",
            since.date().spoken()
        ),
        Why::Progress => "Moving".into(),
    }
}
