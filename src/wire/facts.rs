//! The facts around the words, in and out: deals, people, milestones, outcomes, retractions.

use crate::domain::facts::DealFacts;
use crate::domain::facts::Ending;
use crate::domain::facts::MilestoneFacts;
use crate::domain::facts::Retraction;
use crate::domain::stakeholder::Roles;
use crate::domain::stakeholder::StakeholderFacts;
use crate::domain::text::Name;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::value;

/// Reads the facts of a deal; its `deal_id` is for the caller to read, as it is not kept with them.
pub fn decode_deal(reading: &mut Reading, path: &Path<'_>, deal: pb::Deal) -> Option<DealFacts> {
    let pb::Deal {
        deal_id: _,
        name,
        account,
        owner,
        amount,
        seller_stage,
        close_date,
        effective_at,
    } = deal;
    let effective_at = value::moment_or_now(reading, &path.field("effective_at"), effective_at);
    Some(DealFacts {
        name: decode_name(reading, &path.field("name"), name),
        account: decode_name(reading, &path.field("account"), account),
        owner: decode_name(reading, &path.field("owner"), owner),
        amount: value::money(reading, &path.field("amount"), amount),
        seller_stage: decode_name(reading, &path.field("seller_stage"), seller_stage),
        close_date: close_date
            .and_then(|date| value::date(reading, &path.field("close_date"), &date)),
        effective_at: effective_at?,
    })
}

pub fn encode_deal(facts: &DealFacts, deal_id: &str) -> pb::Deal {
    let DealFacts {
        name,
        account,
        owner,
        amount,
        seller_stage,
        close_date,
        effective_at,
    } = facts;
    pb::Deal {
        deal_id: deal_id.into(),
        name: encode_name(name),
        account: encode_name(account),
        owner: encode_name(owner),
        amount: amount.map(value::encode_money),
        seller_stage: encode_name(seller_stage),
        close_date: close_date.map(|date| date.to_string()),
        effective_at: Some(value::encode_moment(*effective_at)),
    }
}

pub fn decode_stakeholder(
    reading: &mut Reading,
    path: &Path<'_>,
    stakeholder: pb::Stakeholder,
) -> Option<StakeholderFacts> {
    let pb::Stakeholder {
        stakeholder_id,
        display_name,
        title,
        roles,
        presence,
        effective_at,
        no_roles,
    } = stakeholder;
    let stakeholder = value::id(reading, &path.field("stakeholder_id"), &stakeholder_id);
    let display_name = decode_name(reading, &path.field("display_name"), display_name);
    let title = decode_name(reading, &path.field("title"), title);
    let roles = match (
        value::roles(reading, &path.field("roles"), &roles),
        no_roles,
    ) {
        (Some(_), true) => {
            reading.refuse(
                &path.field("no_roles"),
                "must not be set together with roles",
            );
            None
        }
        (None, true) => Some(Roles::NONE),
        (roles, false) => roles,
    };
    let presence = listed::optional(reading, &path.field("presence"), presence);
    let effective_at = value::moment_or_now(reading, &path.field("effective_at"), effective_at);
    Some(StakeholderFacts {
        stakeholder: stakeholder?,
        display_name,
        title,
        roles,
        presence,
        effective_at: effective_at?,
    })
}

pub fn encode_stakeholder(facts: &StakeholderFacts) -> pb::Stakeholder {
    let StakeholderFacts {
        stakeholder,
        display_name,
        title,
        roles,
        presence,
        effective_at,
    } = facts;
    pb::Stakeholder {
        stakeholder_id: stakeholder.as_str().into(),
        display_name: encode_name(display_name),
        title: encode_name(title),
        roles: roles.map(value::encode_roles).unwrap_or_default(),
        presence: listed::number_or_unset(*presence),
        effective_at: Some(value::encode_moment(*effective_at)),
        no_roles: *roles == Some(Roles::NONE),
    }
}

pub fn decode_milestone(
    reading: &mut Reading,
    path: &Path<'_>,
    milestone: pb::Milestone,
) -> Option<MilestoneFacts> {
    let pb::Milestone {
        milestone_id,
        name,
        owner_stakeholder_id,
        due_date,
        completed_at,
        effective_at,
    } = milestone;
    let milestone = value::id(reading, &path.field("milestone_id"), &milestone_id);
    let name = decode_name(reading, &path.field("name"), name);
    let owner = owner_stakeholder_id
        .and_then(|id| value::id(reading, &path.field("owner_stakeholder_id"), &id));
    let due_date = due_date.and_then(|date| value::date(reading, &path.field("due_date"), &date));
    let completed_at = value::moment(reading, &path.field("completed_at"), completed_at);
    let effective_at = value::moment_or_now(reading, &path.field("effective_at"), effective_at);
    Some(MilestoneFacts {
        milestone: milestone?,
        name,
        owner,
        due_date,
        completed_at,
        effective_at: effective_at?,
    })
}

pub fn encode_milestone(facts: &MilestoneFacts) -> pb::Milestone {
    let MilestoneFacts {
        milestone,
        name,
        owner,
        due_date,
        completed_at,
        effective_at,
    } = facts;
    pb::Milestone {
        milestone_id: milestone.as_str().into(),
        name: encode_name(name),
        owner_stakeholder_id: owner.as_ref().map(|id| id.as_str().into()),
        due_date: due_date.map(|date| date.to_string()),
        completed_at: completed_at.map(value::encode_moment),
        effective_at: Some(value::encode_moment(*effective_at)),
    }
}

pub fn decode_ending(
    reading: &mut Reading,
    path: &Path<'_>,
    outcome: pb::DealOutcome,
) -> Option<Ending> {
    let pb::DealOutcome {
        outcome,
        effective_at,
        reason,
    } = outcome;
    let outcome = listed::required(reading, &path.field("outcome"), outcome);
    let effective_at = value::moment_or_now(reading, &path.field("effective_at"), effective_at);
    let reason = value::prose(reading, &path.field("reason"), &reason);
    Some(Ending {
        outcome: outcome?,
        reason: reason?,
        effective_at: effective_at?,
    })
}

pub fn encode_ending(ending: &Ending) -> pb::DealOutcome {
    let Ending {
        outcome,
        reason,
        effective_at,
    } = ending;
    pb::DealOutcome {
        outcome: listed::number(*outcome),
        effective_at: Some(value::encode_moment(*effective_at)),
        reason: reason.as_str().into(),
    }
}

pub fn decode_retraction(
    reading: &mut Reading,
    path: &Path<'_>,
    retraction: pb::Retraction,
) -> Option<Retraction> {
    let pb::Retraction {
        statement_id,
        reason,
    } = retraction;
    let statement = value::id(reading, &path.field("statement_id"), &statement_id);
    let reason = value::spoken(reading, &path.field("reason"), &reason);
    Some(Retraction {
        statement: statement?,
        reason: reason?,
    })
}

pub fn encode_retraction(retraction: &Retraction) -> pb::Retraction {
    let Retraction { statement, reason } = retraction;
    pb::Retraction {
        statement_id: statement.as_str().into(),
        reason: reason.as_str().into(),
    }
}

/// A name that is given takes the place of what was, an empty one too.
fn decode_name(reading: &mut Reading, path: &Path<'_>, text: Option<String>) -> Option<Name> {
    text.and_then(|text| value::name(reading, path, &text))
}

fn encode_name(name: &Option<Name>) -> Option<String> {
    name.as_ref().map(|name| name.as_str().into())
}
