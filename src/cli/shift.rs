//! Moves a recorded story in time by whole days, so that it ends today.
//!
//! Every instant and every date of a write moves, found by its type: an instant is a `google.protobuf.Timestamp`, a date
//! is a string field whose name ends in `_date`. Times of day and parts of seconds stay as they are.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use prost_reflect::DynamicMessage;
use prost_reflect::FieldDescriptor;
use prost_reflect::ReflectMessage;
use prost_reflect::Value;

use crate::cli::moment;

const INSTANT: &str = "google.protobuf.Timestamp";

const DAY_S: i64 = 86_400;

/// The latest instant that a message holds. Dates do not count: they may lie ahead.
pub fn newest(message: &DynamicMessage) -> Option<Timestamp> {
    if is_instant(message) {
        return instant(message);
    }
    let in_value = |value: &Value| match value {
        Value::Message(inner) => newest(inner),
        Value::List(items) => items
            .iter()
            .filter_map(Value::as_message)
            .filter_map(newest)
            .max(),
        _ => None,
    };
    message
        .fields()
        .filter_map(|(_, value)| in_value(value))
        .max()
}

/// The whole days by which to move a story so that its `newest` instant falls within the 24 hours before `now`.
pub fn days(newest: Timestamp, now: Timestamp) -> i64 {
    let nanos_of_day = i128::from(DAY_S) * 1_000_000_000;
    let days = (now.as_nanosecond() - newest.as_nanosecond()).div_euclid(nanos_of_day);
    i64::try_from(days).expect("jiff's range in days fits")
}

/// Moves every instant and date of a message by `days`.
///
/// # Errors
///
/// A sentence naming the field that would leave the calendar, or that holds no date.
pub fn shift(message: &mut DynamicMessage, days: i64) -> Result<(), String> {
    if is_instant(message) {
        let moment = instant(message).ok_or("an instant is out of range")?;
        let moved = moment
            .checked_add(SignedDuration::from_secs(days.saturating_mul(DAY_S)))
            .map_err(|_| format!("{moment} moved by {days} days is out of range"))?;
        let moved = moment::to_proto(moved);
        message.set_field_by_name("seconds", Value::I64(moved.seconds));
        message.set_field_by_name("nanos", Value::I32(moved.nanos));
        return Ok(());
    }
    for (field, value) in message.fields_mut() {
        shift_value(&field, value, days).map_err(|why| format!("{}: {why}", field.json_name()))?;
    }
    Ok(())
}

fn shift_value(field: &FieldDescriptor, value: &mut Value, days: i64) -> Result<(), String> {
    match value {
        Value::Message(inner) => shift(inner, days)?,
        Value::List(items) => {
            for item in items {
                shift_value(field, item, days)?;
            }
        }
        Value::String(text) if is_date(field) && !text.is_empty() => {
            let date: Date = moment::parse_date(text)?;
            let moved = date
                .checked_add(SignedDuration::from_secs(days.saturating_mul(DAY_S)))
                .map_err(|_| format!("{date} moved by {days} days is out of range"))?;
            *text = moved.to_string();
        }
        _ => {}
    }
    Ok(())
}

/// Whether a string field holds a date.
pub fn is_date(field: &FieldDescriptor) -> bool {
    field.name().ends_with("_date")
}

fn is_instant(message: &DynamicMessage) -> bool {
    message.descriptor().full_name() == INSTANT
}

fn instant(message: &DynamicMessage) -> Option<Timestamp> {
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    Timestamp::new(seconds, nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ndjson;
    use crate::cli::schema;

    fn write(json: &str) -> DynamicMessage {
        let mut source = serde_json::Deserializer::from_str(json);
        DynamicMessage::deserialize(schema::message("Write"), &mut source).unwrap()
    }

    #[track_caller]
    fn check(json: &str, days: i64, expected: &str) {
        let mut message = write(json);
        shift(&mut message, days).unwrap();
        assert_eq!(ndjson::write(&message), ndjson::write(&write(expected)));
    }

    #[test]
    fn every_instant_and_date_moves_by_whole_days() {
        check(
            r#"{"upsertDeal":{"deal":{"dealId":"a","closeDate":"2026-01-31","effectiveAt":"2026-03-02T09:00:00.123456789Z"}}}"#,
            30,
            r#"{"upsertDeal":{"deal":{"dealId":"a","closeDate":"2026-03-02","effectiveAt":"2026-04-01T09:00:00.123456789Z"}}}"#,
        );
        check(
            r#"{"recordBuyerStatement":{"statement":{"quote":"by 2026-01-01","saidAt":"2026-01-01T23:59:59.999999999Z","claims":[{"targetDate":"2026-12-31"},{}]}}}"#,
            -1,
            r#"{"recordBuyerStatement":{"statement":{"quote":"by 2026-01-01","saidAt":"2025-12-31T23:59:59.999999999Z","claims":[{"targetDate":"2026-12-30"},{}]}}}"#,
        );
        check(
            r#"{"upsertMilestones":{"milestones":[{"dueDate":"2026-02-28","completedAt":"1970-01-01T00:00:00.5Z","effectiveAt":"2026-02-28T00:00:00Z"}]}}"#,
            1,
            r#"{"upsertMilestones":{"milestones":[{"dueDate":"2026-03-01","completedAt":"1970-01-02T00:00:00.5Z","effectiveAt":"2026-03-01T00:00:00Z"}]}}"#,
        );
    }

    #[test]
    fn leap_days_are_days() {
        let deal = |date: &str| format!(r#"{{"upsertDeal":{{"deal":{{"closeDate":"{date}"}}}}}}"#);
        for (from, days, to) in [
            ("2024-02-28", 1, "2024-02-29"),
            ("2024-02-29", 1, "2024-03-01"),
            ("2024-02-29", 365, "2025-02-28"),
            ("2024-02-29", 366, "2025-03-01"),
            ("2025-03-01", -1, "2025-02-28"),
            ("2024-03-01", -1, "2024-02-29"),
        ] {
            check(&deal(from), days, &deal(to));
        }
    }

    #[test]
    fn the_newest_instant_falls_within_the_last_day() {
        let now: Timestamp = "2026-11-21T12:00:00.000000001Z".parse().unwrap();
        for (newest, expected) in [
            ("2026-11-21T12:00:00.000000001Z", 0),
            ("2026-11-20T12:00:00.000000002Z", 0),
            ("2026-11-20T12:00:00.000000001Z", 1),
            ("2026-11-20T12:00:00Z", 1),
            ("2026-11-21T12:00:00.000000002Z", -1),
            ("2026-11-22T12:00:00.000000001Z", -1),
            ("2024-02-29T12:00:00Z", 996),
        ] {
            let newest: Timestamp = newest.parse().unwrap();
            let days = days(newest, now);
            assert_eq!(days, expected, "{newest}");
            let moved = newest + SignedDuration::from_hours(24 * days);
            assert!(moved <= now && now < moved + SignedDuration::from_hours(24));
        }
    }

    #[test]
    fn the_newest_instant_is_found_wherever_it_stands() {
        let message = write(
            r#"{"upsertStakeholders":{"stakeholders":[{"effectiveAt":"2026-01-01T00:00:00Z"},{"effectiveAt":"2026-02-01T00:00:00.5Z"},{}]}}"#,
        );
        assert_eq!(
            newest(&message),
            Some("2026-02-01T00:00:00.5Z".parse().unwrap())
        );
        assert_eq!(
            newest(&write(
                r#"{"upsertDeal":{"deal":{"closeDate":"2027-01-01"}}}"#
            )),
            None
        );
    }

    #[test]
    fn what_leaves_the_calendar_is_refused_by_name() {
        let mut message = write(r#"{"upsertDeal":{"deal":{"closeDate":"2026-01-31"}}}"#);
        let refusal = shift(&mut message, 9_000_000).unwrap_err();
        assert!(
            refusal.starts_with("upsertDeal: deal: closeDate: 2026-01-31 moved by"),
            "{refusal}"
        );
    }
}
