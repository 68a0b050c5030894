//! Requests about the claims that words make.

use crate::app::Spoken;
use crate::domain::facts::Confirmation;
use crate::domain::time::Instant;
use crate::grpc::request::Write;
use crate::grpc::request::end_write;
use crate::grpc::request::key;
use crate::wire::confirmation;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;
use crate::wire::value;

pub fn extract(request: pb::ExtractClaimsRequest, now: Instant) -> Result<Spoken, Violations> {
    let pb::ExtractClaimsRequest {
        quote,
        context,
        said_at,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let path = Path::ROOT;
    let quote = value::spoken(&mut reading, &path.field("quote"), &quote);
    let context = value::prose(&mut reading, &path.field("context"), &context);
    let said_at = value::moment_or_now(&mut reading, &path.field("said_at"), said_at);
    let spoken = match (quote, context, said_at) {
        (Some(quote), Some(context), Some(said_at)) => Some(Spoken {
            quote,
            context,
            said_at,
        }),
        _ => None,
    };
    reading.end(spoken)
}

pub fn confirm(
    request: pb::ConfirmClaimsRequest,
    now: Instant,
) -> Result<Write<Confirmation>, Violations> {
    let pb::ConfirmClaimsRequest {
        deal_id,
        statement_id,
        mut claims,
        confirmed_by,
        expected_revision,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let deal = key(&mut reading, &Path::ROOT.field("deal_id"), &deal_id);
    for claim in &mut claims {
        // A person is sure; how sure a reader was, in claims that are sent back, does not matter any more.
        claim.confidence = None;
    }
    let confirmation = pb::ClaimConfirmation {
        statement_id,
        claims,
        confirmed_by,
    };
    let confirmation = confirmation::decode(&mut reading, &Path::ROOT, confirmation);
    end_write(reading, deal, confirmation, expected_revision)
}
