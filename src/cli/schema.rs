//! The interface's own description of itself: messages as proto3 JSON, and enum values as words.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::DescriptorPool;
use prost_reflect::DynamicMessage;
use prost_reflect::EnumDescriptor;
use prost_reflect::MessageDescriptor;
use prost_reflect::SerializeOptions;
use serde_json::ser::Formatter;

use crate::wire::DESCRIPTOR;

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR).expect("the build wrote the descriptor"));

/// The description of a message of our package.
pub fn message(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(&format!("verbatim.v1.{name}"))
        .expect("only messages of our own package are named")
}

/// A message of our package as proto3 JSON: what the JSON door answers, indented.
pub fn to_json<M: Message>(name: &str, value: &M) -> String {
    write_json(name, value, serde_json::Serializer::pretty(Vec::new()))
}

/// The same in one line, for a stream of them.
pub fn to_json_line<M: Message>(name: &str, value: &M) -> String {
    write_json(name, value, serde_json::Serializer::new(Vec::new()))
}

fn write_json<M: Message, F: Formatter>(
    name: &str,
    value: &M,
    mut json: serde_json::Serializer<Vec<u8>, F>,
) -> String {
    let mut dynamic = DynamicMessage::new(message(name));
    dynamic
        .transcode_from(value)
        .expect("a message is one of its own description");
    // As the JSON door answers: a program need not tell what is zero from what is absent.
    let options = SerializeOptions::new().skip_default_fields(false);
    dynamic
        .serialize_with_options(&mut json, &options)
        .expect("messages of ours have a JSON form");
    String::from_utf8(json.into_inner()).expect("JSON is UTF-8")
}

/// The number of an enum value given as a word: `go-live`, `go_live`, `GO_LIVE` or `TOPIC_GO_LIVE`.
///
/// # Errors
///
/// A sentence with all words allowed.
pub fn number(enum_name: &str, word: &str) -> Result<i32, String> {
    let given = word.trim().to_uppercase().replace(['-', ' '], "_");
    for (name, number) in values(enum_name) {
        if given == name || given.strip_prefix(&prefix(enum_name)) == Some(&name) {
            return Ok(number);
        }
    }
    Err(format!("`{word}` is not one of {}", words(enum_name)))
}

/// All words of an enum, separated by commas: `problem, consequence, …`.
pub fn words(enum_name: &str) -> String {
    let names = values(enum_name).map(|(name, _)| name.to_lowercase().replace('_', "-"));
    names.collect::<Vec<String>>().join(", ")
}

/// An enum value for people: `decision maker`. Empty for an unset one.
pub fn word(enum_name: &str, number: i32) -> String {
    if number == 0 {
        return String::new();
    }
    match values(enum_name).find(|(_, value)| *value == number) {
        Some((name, _)) => name.to_lowercase().replace('_', " "),
        // A newer service may know more.
        None => format!("number {number}"),
    }
}

/// [`word`] with a capital: `Decision maker`.
pub fn title(enum_name: &str, number: i32) -> String {
    let word = word(enum_name, number);
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + letters.as_str(),
        None => word,
    }
}

/// Names without their prefix, and numbers, but for the unset one.
fn values(enum_name: &str) -> impl Iterator<Item = (String, i32)> {
    let description = enumeration(enum_name);
    let prefix = prefix(enum_name);
    let values: Vec<(String, i32)> = description
        .values()
        .filter(|value| value.number() != 0)
        .map(|value| {
            (
                value.name().trim_start_matches(&prefix).to_owned(),
                value.number(),
            )
        })
        .collect();
    values.into_iter()
}

fn enumeration(name: &str) -> EnumDescriptor {
    POOL.get_enum_by_name(&format!("verbatim.v1.{name}"))
        .expect("only enums of our own package are named")
}

/// `BuyingRole` to `BUYING_ROLE_`.
fn prefix(enum_name: &str) -> String {
    let mut prefix = String::new();
    for letter in enum_name.chars() {
        if letter.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.extend(letter.to_uppercase());
    }
    prefix + "_"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pb;

    #[test]
    fn words_are_taken_in_every_spelling() {
        for word in ["go-live", "GO_LIVE", "Go live", "topic_go_live"] {
            assert_eq!(number("Topic", word), Ok(pb::Topic::GoLive as i32));
        }
        let refused = number("Conviction", "sure").unwrap_err();
        assert_eq!(
            refused,
            "`sure` is not one of acknowledged, owned, committed"
        );
        assert!(number("Topic", "unspecified").is_err());
        assert!(number("Topic", "").is_err());
    }

    #[test]
    fn values_are_told_in_words() {
        assert_eq!(
            title("BuyingRole", pb::BuyingRole::DecisionMaker as i32),
            "Decision maker"
        );
        assert_eq!(
            word("StallCause", pb::StallCause::GoLivePassed as i32),
            "go live passed"
        );
        assert_eq!(word("Topic", 0), "");
        assert_eq!(word("Topic", 99), "number 99");
    }

    #[test]
    fn json_is_that_of_proto3() {
        let money = pb::Money {
            currency_code: "EUR".to_owned(),
            units: 40_000,
            nanos: 0,
        };
        let expected =
            "{\n  \"currencyCode\": \"EUR\",\n  \"units\": \"40000\",\n  \"nanos\": 0\n}";
        assert_eq!(to_json("Money", &money), expected);
    }
}
