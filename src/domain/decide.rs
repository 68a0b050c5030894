//! What a deal answers to a write: the facts to record, nothing because it was there before, or a refusal.

use crate::domain::deal::Deal;
use crate::domain::deal::EVENTS_MAX;
use crate::domain::deal::MILESTONES_MAX;
use crate::domain::deal::STAKEHOLDERS_MAX;
use crate::domain::deal::STATEMENTS_MAX;
use crate::domain::event::Fact;
use crate::domain::facts::Confirmation;
use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::statement::Claim;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::domain::topic::ClaimSource;

/// Why a deal refuses a write. In order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such statement.
    StatementUnknown(Id),
    /// The statement was taken back: nothing of it is left to confirm.
    Retracted(Id),
    /// The statement was said after the deal closed.
    Closed { closed_at: Instant },
    /// The deal holds as much as it may.
    Full { what: &'static str, limit: usize },
}

/// Hears a statement whose id is new to the deal.
pub fn hear(deal: &Deal, statement: Statement) -> Result<Vec<Fact>, Refusal> {
    if let Some(closed_at) = deal.closed_at()
        && closed_at < statement.said_at
    {
        return Err(Refusal::Closed { closed_at });
    }
    if STATEMENTS_MAX <= deal.statements_recorded() {
        return Err(full("statements", STATEMENTS_MAX));
    }
    if let Voice::Buyer { speaker, .. } = &statement.voice {
        room_for(deal, [&speaker.stakeholder])?;
    }
    recorded(deal, vec![Fact::Statement(statement)])
}

/// Hears statements whose ids are new to the deal, each once: all of them or none.
pub fn hear_all(deal: &Deal, statements: Vec<Statement>) -> Result<Vec<Fact>, Refusal> {
    let mut speakers: Vec<&Id> = Vec::new();
    for statement in &statements {
        if let Some(closed_at) = deal.closed_at()
            && closed_at < statement.said_at
        {
            return Err(Refusal::Closed { closed_at });
        }
        if let Voice::Buyer { speaker, .. } = &statement.voice
            && !speakers.contains(&&speaker.stakeholder)
        {
            speakers.push(&speaker.stakeholder);
        }
    }
    if STATEMENTS_MAX < deal.statements_recorded() + statements.len() {
        return Err(full("statements", STATEMENTS_MAX));
    }
    room_for(deal, speakers)?;
    recorded(deal, statements.into_iter().map(Fact::Statement).collect())
}

/// The fields in which a statement sent again differs from the one that was kept.
///
/// With `said_at_defaulted` the moment of the one sent is only that of its arrival. One sent without claims is the same as
/// one whose claims were read from the quote, whatever would be read from it today.
pub fn differs(kept: &Statement, sent: &Statement, said_at_defaulted: bool) -> Vec<&'static str> {
    let mut differs = Vec::new();
    let mut compare = |field: &'static str, same: bool| {
        if !same {
            differs.push(field);
        }
    };
    compare("speaker", kept.voice.speaker() == sent.voice.speaker());
    compare("said_at", said_at_defaulted || kept.said_at == sent.said_at);
    compare("quote", kept.quote == sent.quote);
    compare(
        "attribution",
        kept.voice.attribution() == sent.voice.attribution(),
    );
    compare("channel", kept.channel == sent.channel);
    compare("source_uri", kept.source_uri == sent.source_uri);
    compare("context", kept.context == sent.context);
    // Claims that were read are not the caller's: what a reader makes of a quote may change.
    let none_given = |claims: &[Claim]| {
        let mut sources = claims.iter().map(|claim| claim.source);
        sources.all(|source| source == ClaimSource::Extracted)
    };
    let same_claims = match none_given(&sent.claims) {
        true => none_given(&kept.claims),
        false => kept.claims == sent.claims,
    };
    compare("claims", same_claims);
    differs
}

/// Takes in facts of the deal, unless exactly these were given for that moment.
pub fn learn_deal(deal: &Deal, facts: DealFacts) -> Result<Vec<Fact>, Refusal> {
    if deal.says(&facts) {
        return Ok(Vec::new());
    }
    recorded(deal, vec![Fact::Deal(facts)])
}

/// Takes in facts of people, unless exactly these were given for those moments.
pub fn learn_people(deal: &Deal, facts: Vec<StakeholderFacts>) -> Result<Vec<Fact>, Refusal> {
    room_for(deal, facts.iter().map(|facts| &facts.stakeholder))?;
    let known = facts.iter().all(|facts| {
        deal.person(&facts.stakeholder)
            .is_some_and(|person| person.says(facts))
    });
    if known {
        return Ok(Vec::new());
    }
    recorded(deal, facts.into_iter().map(Fact::Stakeholder).collect())
}

/// Takes in steps of the buying plan, unless exactly these were given for those moments.
pub fn learn_plan(deal: &Deal, facts: Vec<MilestoneFacts>) -> Result<Vec<Fact>, Refusal> {
    let unknown = facts
        .iter()
        .filter(|facts| deal.milestone(&facts.milestone).is_none())
        .count();
    if MILESTONES_MAX < deal.milestones().len() + unknown {
        return Err(full("milestones", MILESTONES_MAX));
    }
    let known = facts.iter().all(|facts| {
        deal.milestone(&facts.milestone)
            .is_some_and(|milestone| milestone.says(facts))
    });
    if known {
        return Ok(Vec::new());
    }
    recorded(deal, facts.into_iter().map(Fact::Milestone).collect())
}

/// Closes the deal, unless exactly this was recorded for that moment.
pub fn close(deal: &Deal, ending: Ending) -> Result<Vec<Fact>, Refusal> {
    if deal.endings.says(ending.effective_at, &ending.outcome) {
        return Ok(Vec::new());
    }
    recorded(deal, vec![Fact::Ending(ending)])
}

/// Takes a statement back, unless it was.
pub fn take_back(deal: &Deal, retraction: Retraction) -> Result<Vec<Fact>, Refusal> {
    match deal.statement(&retraction.statement) {
        None => Err(Refusal::StatementUnknown(retraction.statement)),
        Some(kept) if kept.retracted => Ok(Vec::new()),
        Some(_) => recorded(deal, vec![Fact::Retraction(retraction)]),
    }
}

/// Takes in a person's judgement of a statement's claims, unless exactly this was the last one.
pub fn confirm(deal: &Deal, confirmation: Confirmation) -> Result<Vec<Fact>, Refusal> {
    match deal.statement(&confirmation.statement) {
        None => Err(Refusal::StatementUnknown(confirmation.statement)),
        Some(kept) if kept.retracted => Err(Refusal::Retracted(confirmation.statement)),
        Some(_) if deal.confirmation(&confirmation.statement) == Some(&confirmation) => {
            Ok(Vec::new())
        }
        Some(_) => recorded(deal, vec![Fact::Confirmation(confirmation)]),
    }
}

fn room_for<'a>(deal: &Deal, ids: impl IntoIterator<Item = &'a Id>) -> Result<(), Refusal> {
    let unknown = ids
        .into_iter()
        .filter(|id| deal.person(id).is_none())
        .count();
    if STAKEHOLDERS_MAX < deal.people().len() + unknown {
        return Err(full("stakeholders", STAKEHOLDERS_MAX));
    }
    Ok(())
}

fn recorded(deal: &Deal, facts: Vec<Fact>) -> Result<Vec<Fact>, Refusal> {
    if EVENTS_MAX < deal.revision() + facts.len() as u64 {
        return Err(full("events", EVENTS_MAX as usize));
    }
    Ok(facts)
}

fn full(what: &'static str, limit: usize) -> Refusal {
    Refusal::Full { what, limit }
}
