//! The import of a conversation, from the wire to what the app is asked.

use std::collections::HashSet;

use crate::app::Import;
use crate::conversation::Format;
use crate::conversation::draft::Buyer;
use crate::conversation::draft::Cast;
use crate::conversation::draft::ID_BYTES_MAX;
use crate::conversation::draft::SkipReason;
use crate::conversation::label_key;
use crate::domain::text::Id;
use crate::domain::time::Instant;
use crate::grpc::request::key;
use crate::wire::claim;
use crate::wire::listed;
use crate::wire::listed::Listed;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;
use crate::wire::value;

/// The most speakers of either side in one request.
const SPEAKERS_MAX: usize = 100;

const LABEL_BYTES_MAX: usize = 128;

pub fn import_transcript(
    request: pb::ImportTranscriptRequest,
    now: Instant,
) -> Result<Import, Violations> {
    let pb::ImportTranscriptRequest {
        deal_id,
        transcript_id,
        content,
        format,
        held_at,
        buyers,
        sellers,
        partial,
        validate_only,
        expected_revision,
        channel,
        source_uri,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let root = Path::ROOT;
    let deal = key(&mut reading, &root.field("deal_id"), &deal_id);
    let id = transcript_id_or_none(&mut reading, &root.field("transcript_id"), &transcript_id);
    if content.is_empty() {
        reading.refuse(&root.field("content"), "must not be empty");
    }
    let format = listed::optional(&mut reading, &root.field("format"), format);
    let held_at = value::moment(&mut reading, &root.field("held_at"), held_at);
    let mut labels = HashSet::new();
    let buyers = decode_buyers(&mut reading, &root.field("buyers"), buyers, &mut labels);
    let sellers = decode_sellers(&mut reading, &root.field("sellers"), sellers, &mut labels);
    let channel = listed::optional(&mut reading, &root.field("channel"), channel);
    let source_uri = value::line(&mut reading, &root.field("source_uri"), &source_uri);
    let import = deal.zip(source_uri).map(|(deal, source_uri)| Import {
        deal,
        id,
        content,
        format,
        held_at,
        cast: Cast { buyers, sellers },
        partial,
        validate_only,
        expected_revision,
        channel,
        source_uri,
    });
    reading.end(import)
}

fn transcript_id_or_none(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Id> {
    if text.is_empty() {
        return None;
    }
    if ID_BYTES_MAX < text.len() {
        let got = text.len();
        reading.refuse(
            path,
            format_args!("must be at most {ID_BYTES_MAX} bytes, got {got}"),
        );
        return None;
    }
    value::id(reading, path, text)
}

fn decode_buyers(
    reading: &mut Reading,
    path: &Path<'_>,
    buyers: Vec<pb::TranscriptBuyer>,
    labels: &mut HashSet<String>,
) -> Vec<Buyer> {
    if !are_few(reading, path, buyers.len()) {
        return Vec::new();
    }
    let mut decoded = Vec::with_capacity(buyers.len());
    for (place, buyer) in buyers.into_iter().enumerate() {
        let pb::TranscriptBuyer { label, speaker } = buyer;
        let path = path.index(place);
        decode_label(reading, &path.field("label"), &label, labels);
        let path = path.field("speaker");
        match speaker {
            None => reading.refuse(&path, "must be set"),
            Some(speaker) => {
                let speaker = claim::decode_speaker(reading, &path, speaker);
                decoded.extend(speaker.map(|speaker| Buyer { label, speaker }));
            }
        }
    }
    decoded
}

fn decode_sellers(
    reading: &mut Reading,
    path: &Path<'_>,
    sellers: Vec<String>,
    labels: &mut HashSet<String>,
) -> Vec<String> {
    if !are_few(reading, path, sellers.len()) {
        return Vec::new();
    }
    for (place, label) in sellers.iter().enumerate() {
        decode_label(reading, &path.index(place), label, labels);
    }
    sellers
}

fn are_few(reading: &mut Reading, path: &Path<'_>, count: usize) -> bool {
    if SPEAKERS_MAX < count {
        reading.refuse(
            path,
            format_args!("must be at most {SPEAKERS_MAX}, got {count}"),
        );
    }
    count <= SPEAKERS_MAX
}

/// A label names one speaker, on one side.
fn decode_label(reading: &mut Reading, path: &Path<'_>, label: &str, labels: &mut HashSet<String>) {
    let key = label_key(label);
    if key.is_empty() || LABEL_BYTES_MAX < label.len() {
        let got = label.len();
        reading.refuse(
            path,
            format_args!("must be 1 to {LABEL_BYTES_MAX} bytes and not blank, got {got}"),
        );
    } else if !labels.insert(key) {
        reading.refuse(path, "must not name a speaker twice, nor one of both sides");
    }
}

impl Listed for Format {
    const LIST: &'static [Format] = &Format::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for SkipReason {
    const LIST: &'static [SkipReason] = &SkipReason::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_those_of_proto_in_the_same_order() {
        for format in Format::ALL {
            let name = format!("TRANSCRIPT_FORMAT_{}", format.name());
            let number = pb::TranscriptFormat::from_str_name(&name).map(|number| number as i32);
            assert_eq!(number, Some(listed::number(format)), "{name}");
        }
        for reason in SkipReason::ALL {
            let name = format!("SKIP_REASON_{}", reason.name());
            let number = pb::SkipReason::from_str_name(&name).map(|number| number as i32);
            assert_eq!(number, Some(listed::number(reason)), "{name}");
        }
    }
}
