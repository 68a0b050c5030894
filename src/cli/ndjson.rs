//! Lines of a file of writes: each the proto3 JSON of `verbatim.v1.Write`.
//!
//! Judged here is form alone: names, types, enum values, dates, and the ids without which lines could not be kept in
//! order or loaded twice. What a deal allows is for the service to say.

use prost_reflect::DynamicMessage;
use prost_reflect::FieldDescriptor;
use prost_reflect::Kind;
use prost_reflect::MessageDescriptor;
use serde_json::Value;

use crate::cli::moment;
use crate::cli::schema;
use crate::cli::shift;
use crate::wire::pb;
use crate::wire::pb::write::Write;

/// The lines that count, with their number from 1: neither blank nor a remark (`#`).
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // A byte order mark may head a file written on Windows.
    let numbered = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Reads one line.
///
/// # Errors
///
/// All that is wrong with it, each as `field: what is allowed`.
pub fn read(line: &str) -> Result<DynamicMessage, Vec<String>> {
    let json: Value = serde_json::from_str(line).map_err(|error| {
        // The parser saw this line alone, so that only its column says something.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let why = error.to_string().replace(&place, "");
        vec![format!("not JSON: {why} at column {}", error.column())]
    })?;
    let description = schema::message("Write");

    let mut faults = Vec::new();
    check_message(&description, &json, "", &mut faults);
    check_ids(&json, &description, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    DynamicMessage::deserialize(description, json).map_err(|error| vec![error.to_string()])
}

/// The write that a line read is.
pub fn write(message: &DynamicMessage) -> Write {
    let write: pb::Write = message.transcode_to().expect("the line was read as one");
    write.write.expect("a line read holds a write")
}

/// The deal that a write is of; empty when it names none.
pub fn deal_id(write: &Write) -> &str {
    match write {
        Write::UpsertDeal(request) => request.deal.as_ref().map_or("", |deal| &deal.deal_id),
        Write::UpsertStakeholders(request) => &request.deal_id,
        Write::UpsertMilestones(request) => &request.deal_id,
        Write::RecordOutcome(request) => &request.deal_id,
        Write::RetractBuyerStatement(request) => &request.deal_id,
        Write::ConfirmClaims(request) => &request.deal_id,
        Write::RecordBuyerStatement(request) => request
            .statement
            .as_ref()
            .map_or("", |statement| &statement.deal_id),
    }
}

fn check_message(
    description: &MessageDescriptor,
    json: &Value,
    path: &str,
    faults: &mut Vec<String>,
) {
    let Some(object) = json.as_object() else {
        faults.push(format!("{}must be an object {{…}}", at(path)));
        return;
    };
    for (key, value) in object {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let field = description
            .get_field_by_json_name(key)
            .or_else(|| description.get_field_by_name(key));
        match field {
            Some(_) if value.is_null() => {}
            Some(field) => check_field(&field, value, &path, faults),
            None => {
                let names: Vec<String> = description
                    .fields()
                    .map(|field| field.json_name().to_owned())
                    .collect();
                faults.push(format!(
                    "{path}: no such field; there are {}",
                    names.join(", ")
                ));
            }
        }
    }
}

fn check_field(field: &FieldDescriptor, json: &Value, path: &str, faults: &mut Vec<String>) {
    if !field.is_list() {
        check_value(field, json, path, faults);
        return;
    }
    match json.as_array() {
        Some(items) => {
            for (index, item) in items.iter().enumerate() {
                check_value(field, item, &format!("{path}[{index}]"), faults);
            }
        }
        None => faults.push(format!("{path}: must be a list […]")),
    }
}

fn check_value(field: &FieldDescriptor, json: &Value, path: &str, faults: &mut Vec<String>) {
    let allowed = match field.kind() {
        Kind::Message(inner) if inner.full_name() == "google.protobuf.Timestamp" => {
            let fits = json
                .as_str()
                .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
            (!fits)
                .then(|| "must be an RFC 3339 instant such as \"2026-03-02T09:00:00Z\"".to_owned())
        }
        Kind::Message(inner) => {
            check_message(&inner, json, path, faults);
            None
        }
        Kind::Enum(description) => {
            let by_name = json
                .as_str()
                .is_some_and(|name| description.get_value_by_name(name).is_some());
            let number = json.as_i64().and_then(|number| i32::try_from(number).ok());
            let by_number = number.is_some_and(|number| description.get_value(number).is_some());
            (!by_name && !by_number).then(|| {
                let values = description.values().filter(|value| value.number() != 0);
                let names: Vec<String> = values.map(|value| value.name().to_owned()).collect();
                format!("must be one of {}", names.join(", "))
            })
        }
        Kind::String if shift::is_date(field) => {
            let fits = json
                .as_str()
                .is_some_and(|text| text.is_empty() || moment::parse_date(text).is_ok());
            (!fits).then(|| "must be a date such as \"2026-12-01\"".to_owned())
        }
        Kind::String => (!json.is_string()).then(|| "must be a text \"…\"".to_owned()),
        Kind::Bool => (!json.is_boolean()).then(|| "must be true or false".to_owned()),
        Kind::Double | Kind::Float => (!json.is_number()).then(|| "must be a number".to_owned()),
        // All other kinds in use are whole numbers, which JSON may quote.
        _ => {
            let quoted = json
                .as_str()
                .is_some_and(|text| text.parse::<i64>().is_ok());
            (!quoted && !json.is_i64() && !json.is_u64())
                .then(|| "must be a whole number".to_owned())
        }
    };
    faults.extend(allowed.map(|allowed| format!("{path}: {allowed}")));
}

/// Exactly one write, of a named deal; and a statement has an id, so that loading twice changes nothing.
fn check_ids(json: &Value, description: &MessageDescriptor, faults: &mut Vec<String>) {
    let Some(object) = json.as_object() else {
        return;
    };
    let mut writes = object.iter().filter(|(_, value)| !value.is_null());
    let (Some((name, request)), None) = (writes.next(), writes.next()) else {
        let names: Vec<String> = description
            .fields()
            .map(|field| field.json_name().to_owned())
            .collect();
        faults.push(format!("must hold exactly one of {}", names.join(", ")));
        return;
    };

    let (inner, ids): (&str, &[&str]) = match name.as_str() {
        "upsertDeal" | "upsert_deal" => ("deal", &["dealId"]),
        "recordBuyerStatement" | "record_buyer_statement" => {
            ("statement", &["dealId", "statementId"])
        }
        "confirmClaims" | "confirm_claims" => ("", &["dealId", "statementId"]),
        _ => ("", &["dealId"]),
    };
    let (holder, path) = match inner {
        "" => (request, name.clone()),
        inner => (&request[inner], format!("{name}.{inner}")),
    };
    for id in ids {
        let snake = id.replace("Id", "_id");
        let given = [*id, &snake]
            .iter()
            .any(|key| holder[*key].as_str().is_some_and(|id| !id.is_empty()));
        // An id of the wrong type was told already.
        let told = !holder[*id].is_null() && !holder[*id].is_string();
        if !given && !told {
            faults.push(format!("{path}.{id}: must be set"));
        }
    }
}

fn at(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(line: &str, expected: &[&str]) {
        let faults = read(line).unwrap_err();
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for start in expected {
            assert!(
                faults.iter().any(|fault| fault.starts_with(start)),
                "{start}: {faults:#?}"
            );
        }
    }

    #[test]
    fn blank_lines_remarks_and_a_mark_of_byte_order_do_not_count() {
        let text = "\u{feff}# of March\n\n{}\n  # of April\n";
        assert_eq!(lines(text).collect::<Vec<_>>(), [(3, "{}")]);
        assert_eq!(lines("\u{feff}{}").collect::<Vec<_>>(), [(1, "{}")]);
    }

    #[test]
    fn a_line_is_one_write_in_either_spelling() {
        let camel = r#"{"recordBuyerStatement":{"statement":{"statementId":"s","dealId":"d","claims":[{"topic":"TOPIC_PROBLEM","confidence":0.5}]},"expectedRevision":"3"}}"#;
        let snake = r#"{"record_buyer_statement":{"statement":{"statement_id":"s","deal_id":"d","claims":[{"topic":1,"confidence":0.5}]},"expected_revision":3}}"#;
        let (camel, snake) = (write(&read(camel).unwrap()), write(&read(snake).unwrap()));
        assert_eq!(camel, snake);
        assert_eq!(deal_id(&camel), "d");
    }

    #[test]
    fn all_that_is_wrong_with_a_line_is_told_by_field() {
        refused("{", &["not JSON: EOF while parsing an object at column 1"]);
        refused("[]", &["must be an object"]);
        refused(
            "{}",
            &["must hold exactly one of upsertDeal, upsertStakeholders"],
        );
        refused(
            r#"{"upsertDeal":{"deal":{"dealId":"a"}},"recordOutcome":{"dealId":"a"}}"#,
            &["must hold exactly one of"],
        );
        refused(
            r#"{"upsertDeal":{}}"#,
            &["upsertDeal.deal.dealId: must be set"],
        );
        refused(
            r#"{"upsertDeal":{"deal":{"dealId":7,"nmae":"x","closeDate":"soon","effectiveAt":"2026-01-01","amount":{"units":"many"}}}}"#,
            &[
                "upsertDeal.deal.dealId: must be a text",
                "upsertDeal.deal.nmae: no such field; there are dealId, name",
                "upsertDeal.deal.closeDate: must be a date",
                "upsertDeal.deal.effectiveAt: must be an RFC 3339",
                "upsertDeal.deal.amount.units: must be a whole number",
            ],
        );
        refused(
            r#"{"recordBuyerStatement":{"statement":{"dealId":"d","claims":[{"topic":"TOPIC_PROBLEM"},{"topic":"PROBLEM"}],"attribution":9}}}"#,
            &[
                "recordBuyerStatement.statement.statementId: must be set",
                "recordBuyerStatement.statement.claims[1].topic: must be one of TOPIC_PROBLEM, ",
                "recordBuyerStatement.statement.attribution: must be one of ATTRIBUTION_VERBATIM, ",
            ],
        );
        refused(
            r#"{"upsertStakeholders":{"dealId":"d","stakeholders":{}}}"#,
            &["upsertStakeholders.stakeholders: must be a list"],
        );
        refused(
            r#"{"upsertStakeholders":{"dealId":"d","stakeholders":[{"noRoles":1}]}}"#,
            &["upsertStakeholders.stakeholders[0].noRoles: must be true"],
        );
    }

    #[test]
    fn blank_lines_and_remarks_do_not_count_but_are_numbered() {
        let text = "# a remark\n\n  {\"a\":1}  \r\n   # another\n{}";
        assert_eq!(
            lines(text).collect::<Vec<_>>(),
            vec![(3, "{\"a\":1}"), (5, "{}")]
        );
    }
}
