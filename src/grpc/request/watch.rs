//! What somebody wants to watch, and the tokens by which a stream is resumed.

use std::time::Duration;

use crate::app::watch::Filter;
use crate::app::watch::From;
use crate::app::watch::Place;
use crate::app::watch::Swept;
use crate::app::watch::Watching;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::time::Instant;
use crate::grpc::request::TENANT;
use crate::wire::pb;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;
use crate::wire::reading::Violations;
use crate::wire::value;

/// The most deals that a watcher may name.
const DEALS_MAX: usize = 1_000;

const HEARTBEAT_SECONDS_MAX: i32 = 300;
const HEARTBEAT_SECONDS_DEFAULT: u64 = 15;

/// The most points that a score can change by.
const POINTS_MAX: f64 = 100.0;

pub fn watch(request: pb::WatchDealsRequest, now: Instant) -> Result<Watching, Violations> {
    let pb::WatchDealsRequest {
        resume_token,
        from_beginning,
        deal_ids,
        owner,
        account,
        min_change,
        only_crossings,
        heartbeat_seconds,
    } = request;
    let mut reading = Reading::of(Origin::Caller { now });
    let from = match from_beginning {
        true if resume_token.is_empty() => Some(From::Beginning),
        true => {
            let path = Path::ROOT.field("resume_token");
            reading.refuse(&path, "must be empty with from_beginning");
            None
        }
        false => from(&mut reading, &resume_token),
    };
    let path = Path::ROOT.field("deal_ids");
    if DEALS_MAX < deal_ids.len() {
        let got = deal_ids.len();
        reading.refuse(
            &path,
            format_args!("must be at most {DEALS_MAX}, got {got}"),
        );
    } else {
        for (place, id) in deal_ids.iter().enumerate() {
            value::id(&mut reading, &path.index(place), id);
        }
    }
    let owner = name(&mut reading, "owner", &owner);
    let account = name(&mut reading, "account", &account);
    // Also refuses what is no number.
    if !(0.0..=POINTS_MAX).contains(&min_change) {
        reading.refuse(
            &Path::ROOT.field("min_change"),
            format_args!("must be from 0 to {POINTS_MAX}, got {min_change}"),
        );
    }
    let heartbeat = heartbeat(&mut reading, heartbeat_seconds);
    reading.end(from.map(|from| Watching {
        tenant: TENANT.into(),
        from,
        filter: Filter {
            deals: deal_ids.into_iter().map(String::into).collect(),
            owner,
            account,
            change_min: min_change,
            only_crossings,
        },
        heartbeat,
    }))
}

/// The token of a place. Its check holds it to the tenant, and a mistyped one apart from a good one.
pub fn token(place: &Place) -> String {
    let Place {
        sequence,
        day,
        swept,
    } = place;
    let swept = match swept {
        Swept::Whole => String::new(),
        Swept::UpTo(deal) => deal
            .bytes()
            .fold("~".to_owned(), |hex, byte| hex + &format!("{byte:02x}")),
    };
    let text = format!("{sequence:x}.{day}.{swept}");
    let check = check(&text);
    format!("{text}.{check:08x}")
}

/// The place of a token, `None` if it is not one of ours.
fn place(text: &str) -> Option<Place> {
    let mut pieces = text.split('.');
    let place = Place {
        sequence: u64::from_str_radix(pieces.next()?, 16).ok()?,
        day: Date::parse(pieces.next()?).ok()?,
        swept: match pieces.next()?.strip_prefix('~') {
            None => Swept::Whole,
            Some(hex) => Swept::UpTo(unhex(hex)?.into()),
        },
    };
    (token(&place) == text).then_some(place)
}

fn from(reading: &mut Reading, resume_token: &str) -> Option<From> {
    if resume_token.is_empty() {
        return Some(From::Now);
    }
    let place = place(resume_token);
    if place.is_none() {
        reading.refuse(
            &Path::ROOT.field("resume_token"),
            "must be empty or the token of an item of WatchDeals",
        );
    }
    place.map(From::Behind)
}

fn name(reading: &mut Reading, field: &'static str, text: &str) -> Option<Box<str>> {
    let name: Option<Name> = value::name_or_empty(reading, &Path::ROOT.field(field), text);
    name.map(|name| name.as_str().into())
}

fn heartbeat(reading: &mut Reading, seconds: i32) -> Duration {
    let seconds = match seconds {
        0 => HEARTBEAT_SECONDS_DEFAULT,
        1..=HEARTBEAT_SECONDS_MAX => u64::from(seconds.unsigned_abs()),
        _ => {
            reading.refuse(
                &Path::ROOT.field("heartbeat_seconds"),
                format_args!("must be from 0 to {HEARTBEAT_SECONDS_MAX}, got {seconds}"),
            );
            HEARTBEAT_SECONDS_DEFAULT
        }
    };
    Duration::from_secs(seconds)
}

fn unhex(hex: &str) -> Option<String> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    let bytes = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

fn check(text: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(TENANT.as_bytes());
    hasher.update(&[0]);
    hasher.update(text.as_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Instant {
        Instant::from_unix(1_772_366_400, 0).unwrap()
    }

    proptest! {
        #[test]
        fn a_token_tells_its_place_and_no_other_text_does(
            sequence in any::<u64>(),
            seconds in 0..7_000_000_000_i64,
            deal in proptest::option::of("[^/\0]{0,20}"),
            at in any::<proptest::sample::Index>(),
            other in any::<char>(),
        ) {
            let given = Place {
                sequence,
                day: Instant::from_unix(seconds, 0).unwrap().date(),
                swept: deal.map_or(Swept::Whole, |deal| Swept::UpTo(deal.into())),
            };
            let text = token(&given);
            prop_assert_eq!(place(&text), Some(given));
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            prop_assume!(characters[at] != other);
            characters[at] = other;
            prop_assert_eq!(place(&characters.into_iter().collect::<String>()), None);
        }
    }

    #[track_caller]
    fn check_refused(request: pb::WatchDealsRequest, field: &str) {
        let violations = watch(request, now()).unwrap_err();
        let fields: Vec<&str> = violations
            .all()
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, [field]);
    }

    #[test]
    fn each_field_is_held_to_what_it_may_be() {
        let plain = pb::WatchDealsRequest::default;
        assert_eq!(watch(plain(), now()).unwrap().from, From::Now);
        for token in [
            "x",
            "1.2026-03-01..00000000",
            "1",
            "....",
            "1.2026-03-01.~zz.0",
        ] {
            let resume_token = token.to_owned();
            check_refused(
                pb::WatchDealsRequest {
                    resume_token,
                    ..plain()
                },
                "resume_token",
            );
        }
        let both = pb::WatchDealsRequest {
            resume_token: token(&Place::beginning()),
            from_beginning: true,
            ..plain()
        };
        check_refused(both, "resume_token");
        for min_change in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            check_refused(
                pb::WatchDealsRequest {
                    min_change,
                    ..plain()
                },
                "min_change",
            );
        }
        for heartbeat_seconds in [-1, 301] {
            check_refused(
                pb::WatchDealsRequest {
                    heartbeat_seconds,
                    ..plain()
                },
                "heartbeat_seconds",
            );
        }
        let deal_ids = vec!["a/b".to_owned()];
        check_refused(
            pb::WatchDealsRequest {
                deal_ids,
                ..plain()
            },
            "deal_ids[0]",
        );
        let deal_ids = vec!["a".to_owned(); 1_001];
        check_refused(
            pb::WatchDealsRequest {
                deal_ids,
                ..plain()
            },
            "deal_ids",
        );
    }
}
