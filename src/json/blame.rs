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

/// The path of the first field that is wrong, in the names of `proto/`; empty when it is not in a field.
pub fn field(kind: &MessageDescriptor, body: &[u8]) -> String {
    match serde_json::from_slice(body) {
        Ok(value) => within(kind, &value).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn within(kind: &MessageDescriptor, value: &Value) -> Option<String> {
    // Moments are objects in proto and strings in JSON: there is nothing in them to name.
    let members = value
        .as_object()
        .filter(|_| !kind.full_name().starts_with("google."))?;
    for (name, member) in members {
        let field = kind
            .get_field_by_json_name(name)
            .or_else(|| kind.get_field_by_name(name));
        let Some(field) = field else {
            return Some(name.chars().take(64).collect());
        };
        if reads(kind, name, member) {
            continue;
        }
        let deeper = inside(kind, &field, name, member).unwrap_or_default();
        return Some(format!("{}{deeper}", field.name()));
    }
    None
}

/// The rest of the path, from the separator on.
fn inside(
    kind: &MessageDescriptor,
    field: &FieldDescriptor,
    name: &str,
    member: &Value,
) -> Option<String> {
    let message = match field.kind() {
        Kind::Message(message) => Some(message),
        _ => None,
    };
    let deeper = |value| {
        let path = within(message.as_ref()?, value)?;
        Some(format!(".{path}"))
    };
    let Value::Array(elements) = member else {
        return deeper(member);
    };
    for (place, element) in elements.iter().enumerate() {
        if !reads(kind, name, &Value::Array(vec![element.clone()])) {
            let deeper = deeper(element).unwrap_or_default();
            return Some(format!("[{place}]{deeper}"));
        }
    }
    None
}

fn reads(kind: &MessageDescriptor, name: &str, member: &Value) -> bool {
    let alone = Value::Object(Map::from_iter([(name.to_owned(), member.clone())]));
    DynamicMessage::deserialize(kind.clone(), alone).is_ok()
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
        assert_eq!(field(&kind, body.as_bytes()), expected, "{body}");
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
