//! What a user's reader of quotes is asked and answers.
//!
//! Its answer is held to the same checks as a caller's claims, and to the words: a basis that nobody said is refused.

use crate::domain::statement::Claim;
use crate::domain::text::Language;
use crate::domain::text::UNSUPPORTED;
use crate::domain::topic::ClaimSource;
use crate::wire::claim;
use crate::wire::listed;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;

/// The claims of an answer, each of source EXTRACTED, and the language.
///
/// # Errors
///
/// Everything that the answer may not be.
pub fn decode(
    answer: pb::ExtractResponse,
    quote: &str,
) -> Result<(Vec<Claim>, Language), Violations> {
    let pb::ExtractResponse {
        mut claims,
        language,
    } = answer;
    // As the store's, since a caller's basis would not be read.
    let mut reading = Reading::of(Origin::Store);
    let path = Path::ROOT.field("claims");
    for (place, claim) in claims.iter_mut().enumerate() {
        claim.source = listed::number(ClaimSource::Extracted);
        if !quote.contains(&claim.basis) {
            let path = path.index(place);
            reading.refuse(&path.field("basis"), "must be words of the quote, or empty");
        }
    }
    if language == UNSUPPORTED && !claims.is_empty() {
        reading.refuse(&path, "must be none when the language is unsupported");
    }
    let claims = claim::decode_all(&mut reading, &path, claims);
    let language = tag(&mut reading, &Path::ROOT.field("language"), &language);
    reading.end(claims.zip(language))
}

fn tag(reading: &mut Reading, path: &Path<'_>, text: &str) -> Option<Language> {
    let is_tag = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_tag {
        reading.refuse(path, "must be letters, digits and hyphens, or empty");
        return None;
    }
    reading.note(path, Language::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTE: &str = "We lose a day a week to this.";

    fn claim() -> pb::Claim {
        pb::Claim {
            topic: pb::Topic::Problem as i32,
            confidence: Some(0.5),
            basis: "lose a day".into(),
            ..pb::Claim::default()
        }
    }

    #[track_caller]
    fn check(change: fn(&mut pb::ExtractResponse), refused: &str) {
        let mut answer = pb::ExtractResponse {
            claims: vec![claim()],
            language: "en".into(),
        };
        change(&mut answer);
        match decode(answer, QUOTE) {
            Ok(_) => assert_eq!(refused, "", "was taken"),
            Err(violations) => assert_eq!(violations.to_string(), refused),
        }
    }

    #[test]
    fn an_answer_is_held_to_what_may_be_kept_and_to_what_was_said() {
        check(|_| {}, "");
        check(|answer| answer.claims.clear(), "");
        check(|answer| answer.claims[0].basis.clear(), "");
        check(|answer| answer.claims[0].confidence = None, "");
        check(|answer| answer.claims = vec![claim(); 16], "");
        check(|answer| answer.language.clear(), "");
        check(|answer| answer.language = "zh-Hant-TW".into(), "");
        check(
            |answer| answer.claims = vec![claim(); 17],
            "claims must be at most 16, got 17",
        );
        check(
            |answer| answer.claims[0].basis = "lose two days".into(),
            "claims[0].basis must be words of the quote, or empty",
        );
        check(
            |answer| answer.claims[0].confidence = Some(0.0),
            "claims[0].confidence must be above 0 and at most 1, got 0",
        );
        check(
            |answer| answer.language = "l\u{e9}".into(),
            "language must be letters, digits and hyphens, or empty",
        );
        check(
            |answer| answer.language = "x".repeat(36),
            "language must be at most 35 bytes, got 36",
        );
        check(
            |answer| answer.language = UNSUPPORTED.into(),
            "claims must be none when the language is unsupported",
        );
    }

    #[test]
    fn what_a_reader_says_of_the_source_is_not_heard() {
        let answer = pb::ExtractResponse {
            claims: vec![pb::Claim {
                source: pb::ClaimSource::Confirmed as i32,
                ..claim()
            }],
            language: String::new(),
        };
        let (claims, _) = decode(answer, QUOTE).unwrap();
        assert_eq!(claims[0].source, ClaimSource::Extracted);
        assert_eq!(claims[0].basis.as_str(), "lose a day");
    }
}
