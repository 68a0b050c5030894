//! A person's judgement of a statement's claims, in and out.

use crate::domain::facts::Confirmation;
use crate::domain::text::Name;
use crate::wire::claim;
use crate::wire::pb;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::value;

pub fn decode(
    reading: &mut Reading,
    path: &Path<'_>,
    confirmation: pb::ClaimConfirmation,
) -> Option<Confirmation> {
    let pb::ClaimConfirmation {
        statement_id,
        claims,
        confirmed_by,
    } = confirmation;
    let statement = value::id(reading, &path.field("statement_id"), &statement_id);
    let claims = claim::decode_all(reading, &path.field("claims"), claims);
    let confirmed_by = value::name_or_empty(reading, &path.field("confirmed_by"), &confirmed_by);
    Some(Confirmation::new(statement?, claims?, confirmed_by))
}

pub fn encode(confirmation: &Confirmation) -> pb::ClaimConfirmation {
    let confirmed_by = confirmation.confirmed_by.as_ref().map(Name::as_str);
    pb::ClaimConfirmation {
        statement_id: confirmation.statement.as_str().into(),
        claims: confirmation.claims().iter().map(claim::encode).collect(),
        confirmed_by: confirmed_by.unwrap_or_default().into(),
    }
}
