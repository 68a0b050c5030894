//! Two writes of the same facts for the same moment, as one.

use crate::wire::pb;
use crate::wire::pb::write::Write;

/// Whose facts a write sets: a deal's, or a person's in a deal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    deal: String,
    person: Option<String>,
}

/// Whose facts a write sets; none where it is no write of facts.
pub fn subject(write: &Write) -> Option<Subject> {
    match write {
        Write::UpsertDeal(request) => Some(Subject {
            deal: request.deal.as_ref()?.deal_id.clone(),
            person: None,
        }),
        Write::UpsertStakeholders(request) => Some(Subject {
            deal: request.deal_id.clone(),
            person: Some(request.stakeholders.first()?.stakeholder_id.clone()),
        }),
        Write::UpsertMilestones(_)
        | Write::RecordOutcome(_)
        | Write::RetractBuyerStatement(_)
        | Write::RecordBuyerStatement(_)
        | Write::ConfirmClaims(_) => None,
    }
}

/// Sets in `first` what `later` sets, of the same subject and moment; roles come together.
pub fn into(first: &mut Write, later: Write) {
    match (first, later) {
        (Write::UpsertDeal(first), Write::UpsertDeal(later)) => {
            if let (Some(first), Some(later)) = (&mut first.deal, later.deal) {
                deal(first, later);
            }
        }
        (Write::UpsertStakeholders(first), Write::UpsertStakeholders(later)) => {
            for (first, later) in first.stakeholders.iter_mut().zip(later.stakeholders) {
                person(first, later);
            }
        }
        // Writes of one subject are of one kind.
        (_, _) => {}
    }
}

fn deal(first: &mut pb::Deal, later: pb::Deal) {
    let pb::Deal {
        deal_id: _,
        name,
        account,
        owner,
        amount,
        seller_stage,
        close_date,
        effective_at: _,
    } = later;
    set(&mut first.name, name);
    set(&mut first.account, account);
    set(&mut first.owner, owner);
    set(&mut first.amount, amount);
    set(&mut first.seller_stage, seller_stage);
    set(&mut first.close_date, close_date);
}

fn person(first: &mut pb::Stakeholder, later: pb::Stakeholder) {
    let pb::Stakeholder {
        stakeholder_id: _,
        display_name,
        title,
        roles,
        presence,
        effective_at: _,
        no_roles: _,
    } = later;
    set(&mut first.display_name, display_name);
    set(&mut first.title, title);
    first.roles.extend(roles);
    first.roles.sort_unstable();
    first.roles.dedup();
    first.presence = presence;
}

fn set<T>(first: &mut Option<T>, later: Option<T>) {
    if later.is_some() {
        *first = later;
    }
}
