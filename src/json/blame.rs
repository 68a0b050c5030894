//! Names the field at which a body is not the JSON form of its message.
//!
//! The reader tells what is wrong and at which line and column, but not in which field. When it has refused a body, the
//! body is read again here, part by part; a body that is read costs nothing.

use prost_reflect::DynamicMessage;
use prost_reflect::FieldDescriptor;
use prost_reflect::Kind;
use prost_reflect::MessageDescriptor;
use serde_json::Map;
use serde_json::Value;

/// A field that is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// Its path, in the names of `proto/`; empty when what is wrong is not in a field.
    pub field: String,
    /// What the reader says of that field alone.
    pub cause: String,
    /// What may be there instead, where that can be listed.
    pub allowed: Option<String>,
}

/// The first field that is wrong, by name.
pub fn blame(kind: &MessageDescriptor, body: &[u8]) -> Blame {
    match serde_json::from_slice(body) {
        Ok(value) => within(kind, &value).unwrap_or_default(),
        Err(_) => Blame::default(),
    }
}

fn within(kind: &MessageDescriptor, value: &Value) -> Option<Blame> {
    // Moments are objects in proto and strings in JSON: there is nothing in them to name.
    let members = value
        .as_object()
        .filter(|_| !kind.full_name().starts_with("google."))?;
    for (name, member) in members {
        let Err(cause) = read(kind, name, member) else {
            continue;
        };
        let field = kind
            .get_field_by_json_name(name)
            .or_else(|| kind.get_field_by_name(name));
        let Some(field) = field else {
            return Some(Blame {
                field: name.chars().take(64).collect(),
                cause,
                allowed: Some(fields_of(kind)),
            });
        };
        let deeper = inside(kind, &field, name, member).unwrap_or(Blame {
            field: String::new(),
            cause,
            allowed: values_of(&field),
        });
        return Some(Blame {
            field: format!("{}{}", field.name(), deeper.field),
            ..deeper
        });
    }
    None
}

/// What is wrong within a field, its path from the separator on.
fn inside(
    kind: &MessageDescriptor,
    field: &FieldDescriptor,
    name: &str,
    member: &Value,
) -> Option<Blame> {
    let message = match field.kind() {
        Kind::Message(message) => Some(message),
        _ => None,
    };
    let deeper = |value| {
        let blame = within(message.as_ref()?, value)?;
        Some(Blame {
            field: format!(".{}", blame.field),
            ..blame
        })
    };
    let Value::Array(elements) = member else {
        return deeper(member);
    };
    for (place, element) in elements.iter().enumerate() {
        if let Err(cause) = read(kind, name, &Value::Array(vec![element.clone()])) {
            let deeper = deeper(element).unwrap_or(Blame {
                field: String::new(),
                cause,
                allowed: values_of(field),
            });
            return Some(Blame {
                field: format!("[{place}]{}", deeper.field),
                ..deeper
            });
        }
    }
    None
}

/// Reads one member alone.
fn read(kind: &MessageDescriptor, name: &str, member: &Value) -> Result<(), String> {
    let alone = Value::Object(Map::from_iter([(name.to_owned(), member.clone())]));
    match DynamicMessage::deserialize(kind.clone(), alone) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn fields_of(kind: &MessageDescriptor) -> String {
    let names: Vec<String> = kind.fields().map(|field| field.name().to_owned()).collect();
    match names.is_empty() {
        true => format!("{} has no fields", kind.name()),
        false => format!("{} has {}", kind.name(), names.join(", ")),
    }
}

/// The values of an enumeration, but for the one that says that nothing was said.
fn values_of(field: &FieldDescriptor) -> Option<String> {
    let Kind::Enum(values) = field.kind() else {
        return None;
    };
    let said = values.values().filter(|value| value.number() != 0);
    let names: Vec<String> = said.map(|value| value.name().to_owned()).collect();
    Some(format!("must be one of {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::POOL;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let kind = POOL
            .get_message_by_name("verbatim.v1.RecordBuyerStatementRequest")
            .unwrap();
        assert_eq!(blame(&kind, body.as_bytes()).field, expected, "{body}");
    }

    #[test]
    fn what_may_be_there_instead_is_listed() {
        let kind = POOL
            .get_message_by_name("verbatim.v1.RecordBuyerStatementRequest")
            .unwrap();
        let allowed = |body: &str| blame(&kind, body.as_bytes()).allowed;
        assert_eq!(
            allowed(r#"{"deal_id":"d"}"#).as_deref(),
            Some("RecordBuyerStatementRequest has statement, expected_revision, validate_only")
        );
        let stances = "must be one of STANCE_SUPPORTS, STANCE_OPPOSES, STANCE_DEFERS";
        assert_eq!(
            allowed(r#"{"statement":{"claims":[{"stance":"FOR"}]}}"#).as_deref(),
            Some(stances)
        );
        assert_eq!(allowed(r#"{"statement":{"dealId":5}}"#), None);
    }

    #[test]
    fn the_cause_is_that_of_the_field_that_is_named() {
        let kind = POOL
            .get_message_by_name("verbatim.v1.RecordBuyerStatementRequest")
            .unwrap();
        let blame = blame(&kind, br#"{"validateOnly":"yes","statement":5}"#);
        assert_eq!(blame.field, "statement");
        assert!(blame.cause.contains('5'), "{}", blame.cause);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        check(r#"{"statement":{"dealId":5}}"#, "statement.deal_id");
        check(r#"{"statement":{"deal_id":5}}"#, "statement.deal_id");
        check(r#"{"statement":{"dealID":"d"}}"#, "statement.dealID");
        check(
            r#"{"statement":{"claims":[{"topic":"TOPIC_VALUE"},{"topic":"VALUE"}]}}"#,
            "statement.claims[1].topic",
        );
        check(
            r#"{"statement":{"claims":[{"impact":{"units":1.5}}]}}"#,
            "statement.claims[0].impact.units",
        );
        check(
            r#"{"statement":{"saidAt":"yesterday"}}"#,
            "statement.said_at",
        );
        check(r#"{"statement":{"claims":{}}}"#, "statement.claims");
        check(r#"{"validateOnly":"yes"}"#, "validate_only");
        check(r#"[]"#, "");
        check(r#"{"statement":"#, "");
    }
}
