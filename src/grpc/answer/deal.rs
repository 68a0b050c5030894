//! The facts of a deal as they are now.

use crate::app::DealView;
use crate::app::MilestoneView;
use crate::app::Stakeholder;
use crate::wire::facts;
use crate::wire::listed::number;
use crate::wire::pb;
use crate::wire::value::encode_moment;
use crate::wire::value::encode_money;

pub fn encode(view: &DealView) -> pb::GetDealResponse {
    let DealView {
        deal_id,
        revision,
        name,
        account,
        owner,
        amount,
        seller_stage,
        close_date,
        people,
        milestones,
        ending,
        statements,
    } = view;
    pb::GetDealResponse {
        deal: Some(pb::Deal {
            deal_id: deal_id.to_string(),
            name: name.as_ref().map(|name| name.as_str().into()),
            account: account.as_ref().map(|account| account.as_str().into()),
            owner: owner.as_ref().map(|owner| owner.as_str().into()),
            amount: amount.map(encode_money),
            seller_stage: seller_stage.as_ref().map(|stage| stage.as_str().into()),
            close_date: close_date.map(|date| date.to_string()),
            // Each field has a moment of its own; the history has them.
            effective_at: None,
        }),
        stakeholders: people.iter().map(encode_person).collect(),
        milestones: milestones.iter().map(encode_milestone).collect(),
        outcome: ending.as_ref().map(facts::encode_ending),
        statements: *statements as u32,
        revision: *revision,
    }
}

fn encode_person(person: &Stakeholder) -> pb::Stakeholder {
    let Stakeholder {
        id,
        display_name,
        title,
        roles,
        presence,
    } = person;
    pb::Stakeholder {
        stakeholder_id: id.as_str().into(),
        display_name: display_name.as_ref().map(|name| name.as_str().into()),
        title: title.as_ref().map(|title| title.as_str().into()),
        roles: roles.iter().map(number).collect(),
        presence: number(*presence),
        effective_at: None,
        no_roles: false,
    }
}

fn encode_milestone(milestone: &MilestoneView) -> pb::Milestone {
    let MilestoneView {
        id,
        name,
        owner,
        due_date,
        completed_at,
    } = milestone;
    pb::Milestone {
        milestone_id: id.as_str().into(),
        name: name.as_ref().map(|name| name.as_str().into()),
        owner_stakeholder_id: owner.as_ref().map(|owner| owner.as_str().into()),
        due_date: due_date.map(|date| date.to_string()),
        completed_at: completed_at.map(encode_moment),
        effective_at: None,
    }
}
