//! What was read from a quote.

use crate::app::Extraction;
use crate::app::QuoteReader;
use crate::app::Read;
use crate::wire::claim;
use crate::wire::pb;

pub fn encode(extraction: &Extraction) -> pb::ExtractClaimsResponse {
    let Extraction { claims, read } = extraction;
    let (reader, language) = encode_read(Some(read));
    pb::ExtractClaimsResponse {
        claims: claims.iter().map(claim::encode).collect(),
        language,
        reader,
    }
}

/// The number of the reader, and the language; both unset when nobody read.
pub fn encode_read(read: Option<&Read>) -> (i32, String) {
    let Some(Read { by, language }) = read else {
        return (pb::QuoteReader::Unspecified as i32, String::new());
    };
    let reader = match by {
        QuoteReader::Local => pb::QuoteReader::Local,
        QuoteReader::External => pb::QuoteReader::External,
    };
    (reader as i32, language.as_str().into())
}
