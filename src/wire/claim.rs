//! A claim and a speaker, in and out.

use crate::domain::statement::CLAIMS_MAX;
use crate::domain::statement::Claim;
use crate::domain::statement::Confidence;
use crate::domain::statement::Speaker;
use crate::domain::text::Prose;
use crate::domain::topic::ClaimSource;
use crate::domain::topic::Conviction;
use crate::domain::topic::Stance;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::value;

pub fn decode(reading: &mut Reading, path: &Path<'_>, claim: pb::Claim) -> Option<Claim> {
    let pb::Claim {
        topic,
        stance,
        conviction,
        confidence,
        issue_category,
        impact,
        target_date,
        compelling_event,
        buying_stage,
        source,
        basis,
    } = claim;
    let topic = listed::required(reading, &path.field("topic"), topic);
    let stance = listed::optional(reading, &path.field("stance"), stance);
    let conviction = listed::optional(reading, &path.field("conviction"), conviction);
    let confidence = match confidence {
        None => Some(Confidence::FULL),
        Some(given) => reading.note(&path.field("confidence"), Confidence::new(given)),
    };
    let issue_category = listed::optional(reading, &path.field("issue_category"), issue_category);
    let impact = value::money(reading, &path.field("impact"), impact);
    let target_date = value::date_or_empty(reading, &path.field("target_date"), &target_date);
    let compelling_event =
        listed::optional(reading, &path.field("compelling_event"), compelling_event);
    let buying_stage = listed::optional(reading, &path.field("buying_stage"), buying_stage);
    let (source, basis) = match reading.origin() {
        Origin::Caller { .. } => (Some(ClaimSource::Caller), Prose::new("").ok()),
        Origin::Store => (
            listed::required(reading, &path.field("source"), source),
            value::prose(reading, &path.field("basis"), &basis),
        ),
    };
    Some(Claim {
        topic: topic?,
        stance: stance.unwrap_or(Stance::Supports),
        conviction: conviction.unwrap_or(Conviction::Owned),
        confidence: confidence?,
        issue_category,
        impact,
        target_date,
        compelling_event,
        buying_stage,
        source: source?,
        basis: basis?,
    })
}

/// The claims of one statement.
pub fn decode_all(
    reading: &mut Reading,
    path: &Path<'_>,
    claims: Vec<pb::Claim>,
) -> Option<Vec<Claim>> {
    if CLAIMS_MAX < claims.len() {
        reading.refuse(
            path,
            format_args!("must be at most {CLAIMS_MAX}, got {}", claims.len()),
        );
        return None;
    }
    let mut decoded = Vec::with_capacity(claims.len());
    for (place, claim) in claims.into_iter().enumerate() {
        decoded.extend(decode(reading, &path.index(place), claim));
    }
    Some(decoded)
}

pub fn encode(claim: &Claim) -> pb::Claim {
    let Claim {
        topic,
        stance,
        conviction,
        confidence,
        issue_category,
        impact,
        target_date,
        compelling_event,
        buying_stage,
        source,
        basis,
    } = claim;
    pb::Claim {
        topic: listed::number(*topic),
        stance: listed::number(*stance),
        conviction: listed::number(*conviction),
        confidence: Some(confidence.get()),
        issue_category: listed::number_or_unset(*issue_category),
        impact: impact.map(value::encode_money),
        target_date: target_date.map_or_else(String::new, |date| date.to_string()),
        compelling_event: listed::number_or_unset(*compelling_event),
        buying_stage: listed::number_or_unset(*buying_stage),
        source: listed::number(*source),
        basis: basis.as_str().into(),
    }
}

pub fn decode_speaker(
    reading: &mut Reading,
    path: &Path<'_>,
    speaker: pb::Speaker,
) -> Option<Speaker> {
    let pb::Speaker {
        stakeholder_id,
        display_name,
        title,
        roles,
    } = speaker;
    let stakeholder = value::id(reading, &path.field("stakeholder_id"), &stakeholder_id);
    let display_name = value::name_or_empty(reading, &path.field("display_name"), &display_name);
    let title = value::name_or_empty(reading, &path.field("title"), &title);
    let roles = value::roles(reading, &path.field("roles"), &roles);
    Some(Speaker {
        stakeholder: stakeholder?,
        display_name,
        title,
        roles,
    })
}

/// A speaker's empty name, title and roles read as unset, since a statement cannot take them away.
pub fn encode_speaker(speaker: &Speaker) -> pb::Speaker {
    let Speaker {
        stakeholder,
        display_name,
        title,
        roles,
    } = speaker;
    let text = |name: &Option<crate::domain::text::Name>| {
        name.as_ref()
            .map_or_else(String::new, |name| name.as_str().into())
    };
    pb::Speaker {
        stakeholder_id: stakeholder.as_str().into(),
        display_name: text(display_name),
        title: text(title),
        roles: roles.map(value::encode_roles).unwrap_or_default(),
    }
}
