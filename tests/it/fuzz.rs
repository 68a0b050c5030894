//! Whatever comes in, a caller is answered, and never that the service has a fault of its own.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use tonic::Code;

use crate::requests::statement;
use crate::server;
use crate::server::framed;
use crate::server::http;
use crate::server::raw_call;

const CALLS: [&str; 14] = [
    "/verbatim.v1.QualificationService/RecordBuyerStatement",
    "/verbatim.v1.QualificationService/ScoreDeal",
    "/verbatim.v1.QualificationService/ExplainStall",
    "/verbatim.v1.QualificationService/ExtractClaims",
    "/verbatim.v1.QualificationService/ConfirmClaims",
    "/verbatim.v1.DealService/UpsertDeal",
    "/verbatim.v1.DealService/GetDeal",
    "/verbatim.v1.DealService/UpsertStakeholders",
    "/verbatim.v1.DealService/UpsertMilestones",
    "/verbatim.v1.DealService/RecordOutcome",
    "/verbatim.v1.DealService/RetractBuyerStatement",
    "/verbatim.v1.DealService/ListDealHistory",
    "/verbatim.v1.DealService/GetModel",
    "/verbatim.v1.IngestService/ImportTranscript",
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn call() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&CALLS[..])
}

/// A valid message with a few bytes changed, cut or added.
fn bent(whole: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6);
    let cut = any::<proptest::sample::Index>();
    (changes, any::<bool>(), cut, vec(any::<u8>(), 0..8)).prop_map(
        move |(changes, cuts, cut, more)| {
            let mut bytes = whole.clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(more);
            bytes
        },
    )
}

fn check_grpc(cases: impl Strategy<Value = (&'static str, Vec<u8>)>) {
    let runtime = runtime();
    let running = runtime.block_on(server::start());
    let channel = runtime.block_on(running.channel());
    proptest!(ProptestConfig::with_cases(400), |((path, body) in cases)| {
        let mut channel = channel.clone();
        let status = runtime.block_on(raw_call(&mut channel, path, &[], body));
        prop_assert!(
            !matches!(status.code(), Code::Internal | Code::Unknown | Code::Unavailable | Code::DeadlineExceeded),
            "{path}: {status:?}"
        );
    });
    drop(channel);
    runtime.block_on(running.stop());
}

#[test]
fn any_bytes_as_a_grpc_body_are_answered() {
    check_grpc((call(), vec(any::<u8>(), 0..64)));
}

#[test]
fn any_bytes_as_a_grpc_message_are_answered() {
    let framed = vec(any::<u8>(), 0..64).prop_map(|bytes| framed(&bytes));
    check_grpc((call(), framed));
}

#[test]
fn a_bent_statement_is_answered() {
    let message = bent(statement().encode_to_vec()).prop_map(|bytes| framed(&bytes));
    check_grpc((call(), message));
}

fn check_json(cases: impl Strategy<Value = (&'static str, Vec<u8>)>) {
    let runtime = runtime();
    let running = runtime.block_on(server::start());
    let headers = [("content-type", "application/json")];
    proptest!(ProptestConfig::with_cases(200), |((path, body) in cases)| {
        let answer = runtime.block_on(http(running.address(), "POST", path, &headers, &body));
        prop_assert!(answer.status < 500, "{path}: {answer:?}");
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok());
    });
    runtime.block_on(running.stop());
}

#[test]
fn any_bytes_as_a_json_body_are_answered() {
    check_json((call(), vec(any::<u8>(), 0..64)));
}

#[test]
fn any_json_is_answered() {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1e999".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        Just("\"NaN\"".to_owned()),
        Just("\"2026-01-01T00:00:00Z\"".to_owned()),
        Just("\"TOPIC_VALUE\"".to_owned()),
        "\"[a-z]{0,8}\"",
    ];
    let names = proptest::sample::select(
        &[
            "dealId",
            "statement",
            "deal",
            "claims",
            "topic",
            "quote",
            "said_at",
            "asOf",
            "confidence",
            "speaker",
            "roles",
            "impact",
            "units",
            "stakeholders",
            "pageSize",
            "milestones",
            "outcome",
            "reason",
            "plannedNextSteps",
            "statementId",
            "context",
            "confirmedBy",
            "x",
        ][..],
    );
    let value = leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec((names.clone(), inner), 0..5).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    check_json((call(), value.prop_map(String::into_bytes)));
}
