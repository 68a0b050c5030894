//! The token of a page of deals: the moment of the first page and the last place, held to the request by a check.

use crate::domain::portfolio::AsOf;
use crate::domain::portfolio::order::Place;
use crate::domain::text::Id;
use crate::domain::time::Instant;

const VERSION: u8 = 1;

/// Bytes before the deal's id: version, kind of moment, seconds, nanoseconds, whether the value is missing, currency,
/// value.
const HEAD_BYTES: usize = 1 + 1 + 8 + 4 + 1 + 3 + 16;

const CHECK_BYTES: usize = 4;

/// The token of the page behind `place`, of a request that encodes as `query`.
pub fn write(query: &[u8], asked: AsOf, place: &Place) -> String {
    let Place {
        missing,
        currency,
        value,
        deal,
    } = place;
    let is_now = matches!(asked, AsOf::Now(_));
    let at = asked.at();
    let mut bytes = vec![VERSION, u8::from(is_now)];
    bytes.extend(at.unix_seconds().to_be_bytes());
    bytes.extend(at.subsecond_nanos().to_be_bytes());
    bytes.push(u8::from(*missing));
    bytes.extend(currency);
    bytes.extend(value.to_be_bytes());
    bytes.extend(deal.as_bytes());
    bytes.extend(check(query, &bytes).to_be_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The moment and the place of a token; `None` for one that is not of this request.
pub fn read(query: &[u8], token: &str) -> Option<(AsOf, Place)> {
    let bytes = from_hex(token)?;
    let (body, checked) = bytes.split_last_chunk::<CHECK_BYTES>()?;
    if check(query, body) != u32::from_be_bytes(*checked) {
        return None;
    }
    let (head, deal) = body.split_at_checked(HEAD_BYTES)?;
    let (version, head) = head.split_first()?;
    let (kind, head) = head.split_first()?;
    let (seconds, head) = head.split_first_chunk::<8>()?;
    let (nanos, head) = head.split_first_chunk::<4>()?;
    let (missing, head) = head.split_first()?;
    let (currency, value) = head.split_first_chunk::<3>()?;
    let at = Instant::from_unix(i64::from_be_bytes(*seconds), i32::from_be_bytes(*nanos)).ok()?;
    let deal = str::from_utf8(deal).ok()?;
    Id::new(deal).ok()?;
    let place = Place {
        missing: *missing != 0,
        currency: *currency,
        value: i128::from_be_bytes(value.try_into().ok()?),
        deal: deal.into(),
    };
    let asked = match kind {
        0 => AsOf::At(at),
        _ => AsOf::Now(at),
    };
    (*version == VERSION).then_some((asked, place))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let is_ours = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if !digits.len().is_multiple_of(2) || !digits.iter().all(is_ours) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

fn check(query: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(query.len() as u64).to_be_bytes());
    hasher.update(query);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_request_only() {
        let at = Instant::from_unix(1_800_000_000, 5).unwrap();
        let place = Place {
            missing: false,
            currency: *b"EUR",
            value: -12_345,
            deal: "opp-1é".into(),
        };
        for asked in [AsOf::Now(at), AsOf::At(at)] {
            let token = write(b"query", asked, &place);
            assert_eq!(read(b"query", &token), Some((asked, place.clone())));
            assert_eq!(read(b"other", &token), None);
            assert_eq!(read(b"query", &token.to_uppercase()), None);
            for cut in 0..token.len() {
                assert_eq!(read(b"query", &token[..cut]), None, "{cut}");
                let flipped = match token.as_bytes()[cut] {
                    b'0' => "1",
                    _ => "0",
                };
                let mut wrong = token.clone();
                wrong.replace_range(cut..=cut, flipped);
                assert_eq!(read(b"query", &wrong), None, "{wrong}");
            }
        }
        assert_eq!(read(b"", "é"), None);
    }
}
