//! A buyer's statement, in and out.

use crate::domain::statement::Speaker;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::topic::Attribution;
use crate::wire::claim;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::value;

/// Reads a statement; its `deal_id` is for the caller to read, as it is not kept with it.
pub fn decode(
    reading: &mut Reading,
    path: &Path<'_>,
    statement: pb::BuyerStatement,
) -> Option<Statement> {
    let pb::BuyerStatement {
        statement_id,
        deal_id: _,
        speaker,
        said_at,
        quote,
        attribution,
        channel,
        source_uri,
        context,
        claims,
    } = statement;
    let id = value::id(reading, &path.field("statement_id"), &statement_id);
    let said_at = value::moment_or_now(reading, &path.field("said_at"), said_at);
    let quote = value::spoken(reading, &path.field("quote"), &quote);
    let channel = listed::optional(reading, &path.field("channel"), channel);
    let source_uri = value::line(reading, &path.field("source_uri"), &source_uri);
    let context = value::prose(reading, &path.field("context"), &context);
    let voice = voice(reading, path, attribution, speaker);
    let claims = claim::decode_all(reading, &path.field("claims"), claims);
    Some(Statement {
        id: id?,
        said_at: said_at?,
        quote: quote?,
        channel,
        source_uri: source_uri?,
        context: context?,
        voice: voice?,
        claims: claims?,
    })
}

/// Only an INFERRED statement may be of nobody in particular.
fn voice(
    reading: &mut Reading,
    path: &Path<'_>,
    attribution: i32,
    speaker: Option<pb::Speaker>,
) -> Option<Voice> {
    let given = speaker.is_some();
    let attribution = listed::required(reading, &path.field("attribution"), attribution);
    let path = path.field("speaker");
    let speaker: Option<Speaker> =
        speaker.and_then(|speaker| claim::decode_speaker(reading, &path, speaker));
    let paraphrased = match attribution? {
        Attribution::Verbatim => false,
        Attribution::Paraphrased => true,
        Attribution::Inferred => return Some(Voice::Seller { about: speaker }),
    };
    if !given {
        reading.refuse(&path, "must be set unless attribution is INFERRED");
    }
    Some(Voice::Buyer {
        speaker: speaker?,
        paraphrased,
    })
}

/// Writes a statement of a deal.
pub fn encode(statement: &Statement, deal_id: &str) -> pb::BuyerStatement {
    let Statement {
        id,
        said_at,
        quote,
        channel,
        source_uri,
        context,
        voice,
        claims,
    } = statement;
    pb::BuyerStatement {
        statement_id: id.as_str().into(),
        deal_id: deal_id.into(),
        speaker: voice.speaker().map(claim::encode_speaker),
        said_at: Some(value::encode_moment(*said_at)),
        quote: quote.as_str().into(),
        attribution: listed::number(voice.attribution()),
        channel: listed::number_or_unset(*channel),
        source_uri: source_uri.as_str().into(),
        context: context.as_str().into(),
        claims: claims.iter().map(claim::encode).collect(),
    }
}
