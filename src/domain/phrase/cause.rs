//! What a cause is, in a sentence or two, what is missing, and what to do about it.

use crate::domain::evidence::Evidence;
use crate::domain::loss::CellOf;
use crate::domain::loss::Impairment;
use crate::domain::loss::StallCause;
use crate::domain::phrase;
use crate::domain::phrase::CauseTold;
use crate::domain::phrase::Teller;
use crate::domain::phrase::ask;
use crate::domain::phrase::reason;
use crate::domain::phrase::remedy;
use crate::domain::scale::Modifier;
use crate::domain::stage::StageSource;
use crate::domain::stall::Cause;
use crate::domain::topic::Attribution;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::domain::topic::Topic;

/// Tells one cause.
pub fn tell(teller: &Teller, cause: &Cause) -> CauseTold {
    CauseTold {
        summary: summary(teller, cause),
        missing: missing(teller, cause),
        who_should_say_it: ask::who(teller, cause),
        questions: ask::questions(teller, cause),
        remedy: remedy::remedy(cause.cause).into(),
    }
}

fn summary(teller: &Teller, cause: &Cause) -> String {
    let mut summary = match cause.cause {
        StallCause::ProblemNotVoiced
        | StallCause::ConsequenceUnknown
        | StallCause::NoGoLiveTarget
        | StallCause::BuyingProcessUnknown
        | StallCause::ManagementNotSold
        | StallCause::ValueNotOwned
        | StallCause::ChangeFeelsRiskier => criterion(teller, cause),
        StallCause::NoCommitmentToChange => commitment(teller, cause),
        StallCause::BuyingGroupNotAligned => alignment(teller, cause),
        StallCause::GoLivePassed => with_quote(
            teller,
            cause,
            "The date by which they wanted results has gone by",
        ),
        StallCause::RiskAccepted => {
            with_quote(teller, cause, "They can live with things as they are")
        }
        StallCause::Deprioritized => with_quote(teller, cause, "It is not a priority for them"),
        StallCause::PoliteDeferral => with_quote(teller, cause, "They like it, later"),
        StallCause::AttentionDrift => with_quote(
            teller,
            cause,
            "What they said fades unless it is said again",
        ),
        StallCause::DecisionMakerChanged => departed(
            teller,
            &teller.deciders_departed(),
            "decided and has left; whoever follows has promised nothing",
        ),
        StallCause::SponsorLeft => departed(
            teller,
            &teller.others_departed(),
            "spoke for it and has left",
        ),
        StallCause::DecisionMakerUnheard => unheard(teller),
        StallCause::StageMisaligned => reason::of_modifier(teller, Modifier::StageMisalignment),
        StallCause::CloseDateSlipping => reason::of_modifier(teller, Modifier::CloseDateSlips),
        StallCause::BuyingPlanSlipping => reason::of_modifier(teller, Modifier::PlanSlippage),
        StallCause::AlternativePreferred => with_quote(teller, cause, "They lean to somebody else"),
        StallCause::BuyerDisengaged => {
            with_quote(teller, cause, "They decline time, people or introductions")
        }
    };
    if let Some(cap) = held_at(teller, cause) {
        summary.push_str(&format!(" Until that changes the score is held at {cap}."));
    }
    summary
}

/// `gist. Hanna Vogel, 12 days ago: “…”`.
fn with_quote(teller: &Teller, cause: &Cause, gist: &str) -> String {
    match cause.evidence.first() {
        Some(evidence) => format!("{gist}. {}", teller.cite(evidence)),
        None => format!("{gist}."),
    }
}

/// The cap that the cause's gate binds the score to.
fn held_at(teller: &Teller, cause: &Cause) -> Option<f64> {
    let binding = teller.tally.binding(teller.moment.model)?;
    cause
        .cells
        .iter()
        .any(|cell| cell.of == CellOf::Gate(binding))
        .then(|| teller.moment.model.cap(binding))
}

fn criterion(teller: &Teller, cause: &Cause) -> String {
    let Some(topic) = ask::topic_of(cause.cause) else {
        return String::new();
    };
    let saying = phrase::saying(topic);
    if let Some(opposed) = about(cause, topic, Stance::Opposes) {
        return format!(
            "{} says the opposite: {}",
            teller.name(opposed.person),
            teller.quote(opposed)
        );
    }
    let Some(support) = about(cause, topic, Stance::Supports) else {
        return match guesses(teller, topic) {
            0 => format!("No buyer has said {saying}."),
            1 => format!("No buyer has said {saying}; there is only a guess of the seller's."),
            guesses => format!(
                "No buyer has said {saying}; there are only {guesses} guesses of the seller's."
            ),
        };
    };
    format!(
        "{} has said {saying}, {}. That is not enough: {}.",
        teller.name(support.person),
        teller.ago(support.said_at),
        shortfall(teller, support)
    )
}

/// Why the strongest support there is does not carry the criterion.
fn shortfall(teller: &Teller, support: &Evidence) -> &'static str {
    let present = &teller.moment.people[support.person];
    if support.conviction == Conviction::Acknowledged {
        "it was a nod, not a reason of their own"
    } else if support.attribution == Attribution::Paraphrased {
        "it is known from notes, not in their words"
    } else if present.departed {
        "they have left"
    } else if !present.roles.decides() {
        "nobody who decides has said it as firmly"
    } else if support.conviction == Conviction::Owned {
        "it concerns them, but they have not said that they must act"
    } else {
        "nobody stands beside them"
    }
}

fn commitment(teller: &Teller, cause: &Cause) -> String {
    let taken = teller.moment.model.value_taken <= teller.level(Topic::Value);
    if !taken {
        return criterion(teller, cause);
    }
    match about(cause, Topic::Value, Stance::Supports) {
        Some(value) => format!(
            "Taken with the future, at ease with the present: {} But nobody says firmly that things cannot stay as they are.",
            ended(&teller.cite(value))
        ),
        None => "Taken with the future, at ease with the present: nobody says firmly that things cannot stay as they are.".into(),
    }
}

fn alignment(teller: &Teller, cause: &Cause) -> String {
    if let Some(opposed) = about(cause, Topic::Consensus, Stance::Opposes) {
        return format!(
            "They do not agree among themselves. {}",
            teller.cite(opposed)
        );
    }
    let unheard = ask::unheard(teller);
    let active = teller.moment.active().count();
    match (unheard.len(), active) {
        (_, 0) => "Nobody of the buying group is known.".into(),
        (0, 1) => "Only one person is known, and one person is no buying group.".into(),
        (0, _) => "Everybody has been heard on why they must change, but nobody says firmly that the group agrees.".into(),
        (1, _) => format!("{} has not been heard on why they must change.", teller.names(&unheard)),
        (unheard_count, active) => format!(
            "{unheard_count} of {active} have not been heard on why they must change: {}.",
            teller.names(&unheard)
        ),
    }
}

fn departed(teller: &Teller, people: &[usize], gist: &str) -> String {
    match people {
        [] => "People who counted have left.".into(),
        [_] => format!("{} {gist}.", teller.names(people)),
        _ => format!(
            "{} {}.",
            teller.names(people),
            gist.replacen(" has ", " have ", 1)
        ),
    }
}

fn unheard(teller: &Teller) -> String {
    match teller.deciders().as_slice() {
        [] => "No economic buyer or decision maker is known, let alone heard.".into(),
        [_] => format!(
            "{} decides and has not been heard.",
            teller.names(&teller.deciders())
        ),
        deciders => format!("{} decide and have not been heard.", teller.names(deciders)),
    }
}

/// The most lines of what is missing: what costs most goes first.
const MISSING_MAX: usize = 3;

/// What nobody has said, or not so that it counts.
fn missing(teller: &Teller, cause: &Cause) -> Vec<String> {
    let mut cells: Vec<(f64, Topic, Impairment)> = cause
        .cells
        .iter()
        .filter_map(|cell| match cell.of {
            CellOf::Criterion(topic, impairment) => Some((cell.points, topic, impairment)),
            CellOf::Modifier(_) | CellOf::Gate(_) => None,
        })
        .collect();
    cells.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut missing: Vec<String> = cells
        .into_iter()
        .take(MISSING_MAX)
        .map(|(_, topic, impairment)| missing_of(teller, cause, topic, impairment))
        .collect();
    match cause.cause {
        StallCause::StageMisaligned if teller.tally.step.source == StageSource::Derived => {
            missing.push("A buyer to say where they are in buying.".into());
        }
        StallCause::DecisionMakerChanged | StallCause::DecisionMakerUnheard
            if teller.deciders().is_empty() =>
        {
            missing.push("To know who decides.".into());
        }
        StallCause::CloseDateSlipping => {
            missing.push("A date that the buyer has a reason to keep.".into());
        }
        _ => {}
    }
    missing.dedup();
    missing
}

fn missing_of(teller: &Teller, cause: &Cause, topic: Topic, impairment: Impairment) -> String {
    let saying = phrase::saying(topic);
    let speaker = cause
        .evidence
        .iter()
        .find(|evidence| {
            let gone = teller.moment.people[evidence.person].departed;
            evidence.topic == topic && !gone
        })
        .map(|evidence| teller.name(evidence.person));
    match (impairment, speaker) {
        (Impairment::Drifted, Some(speaker)) => format!("{speaker} to say again {saying}."),
        (Impairment::Drifted, None) => format!("Somebody to say again {saying}."),
        (Impairment::Deferred, Some(speaker)) => format!(
            "What {speaker} waits for before deciding about {}.",
            phrase::subject(topic)
        ),
        (Impairment::Opposed, Some(speaker)) => format!(
            "A reason of their own for {speaker} to think otherwise about {}.",
            phrase::subject(topic)
        ),
        (Impairment::Departed, _) => format!("Somebody who is still there to say {saying}."),
        (Impairment::Missing | Impairment::Opposed | Impairment::Deferred, _) => {
            match gap(teller, topic) {
                Gap::Unsaid => format!("Anybody to say {saying}."),
                Gap::UndecidedBy(person) => format!("{} to say {saying}.", teller.name(person)),
                Gap::NoDecider => format!("Somebody who decides to say {saying}."),
                Gap::Weak => format!("Somebody to say {saying}, again and firmly."),
            }
        }
    }
}

enum Gap {
    /// Nobody supports it.
    Unsaid,
    /// This decider has not said it.
    UndecidedBy(usize),
    /// Nobody who decides is there to say it.
    NoDecider,
    /// It was said by whom it should be, but not firmly or freshly enough.
    Weak,
}

fn gap(teller: &Teller, topic: Topic) -> Gap {
    let positions = teller.moment.positions(topic);
    let supported = |person: usize| {
        positions
            .iter()
            .any(|position| position.person == person && teller.moment.is_supported(position))
    };
    if !positions
        .iter()
        .any(|position| teller.moment.is_supported(position))
    {
        return Gap::Unsaid;
    }
    let deciders = teller.deciders();
    if deciders.is_empty() {
        return Gap::NoDecider;
    }
    match deciders.iter().find(|person| !supported(**person)) {
        Some(person) => Gap::UndecidedBy(*person),
        None => Gap::Weak,
    }
}

fn about(cause: &Cause, topic: Topic, stance: Stance) -> Option<&Evidence> {
    cause
        .evidence
        .iter()
        .find(|evidence| evidence.topic == topic && evidence.stance == stance)
}

fn guesses(teller: &Teller, topic: Topic) -> usize {
    teller
        .moment
        .deal
        .hypotheses
        .until(teller.moment.as_of)
        .iter()
        .filter(|entry| {
            entry
                .value
                .claim
                .is_some_and(|(guessed, _)| guessed == topic)
        })
        .count()
}

/// With a full stop, unless the quote at its end has one of its own.
fn ended(sentence: &str) -> String {
    match sentence
        .trim_end_matches('”')
        .ends_with(['.', '!', '?', '…'])
    {
        true => sentence.into(),
        false => format!("{sentence}."),
    }
}
