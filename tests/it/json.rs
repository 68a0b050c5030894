//! The JSON door: the same calls, the same errors, readable.

use serde_json::Value;
use serde_json::json;
use verbatim::grpc::limits::Limits;

use crate::server;
use crate::server::http;
use crate::server::post;

const RECORD: &str = "/verbatim.v1.QualificationService/RecordBuyerStatement";
const SCORE: &str = "/verbatim.v1.QualificationService/ScoreDeal";

fn statement() -> Value {
    json!({"statement": {
        "statementId": "s1",
        "dealId": "d1",
        "speaker": {"stakeholder_id": "p1"},
        "saidAt": "2026-02-28T10:00:00.5Z",
        "quote": "We lose a day a week to this.",
        "attribution": "ATTRIBUTION_VERBATIM",
        "claims": [{"topic": "TOPIC_PROBLEM", "confidence": 0.5}],
    }})
}

#[tokio::test]
async fn a_statement_is_recorded_in_either_spelling_and_answered_in_camel_case() {
    let running = server::start().await;
    let (status, answer) = post(running.address(), RECORD, &statement().to_string()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["revision"], "1");
    assert_eq!(answer["alreadyRecorded"], false);
    let kept = &answer["statement"];
    assert_eq!(kept["dealId"], "d1");
    assert_eq!(kept["saidAt"], "2026-02-28T10:00:00.500Z");
    assert_eq!(kept["speaker"]["stakeholderId"], "p1");
    assert_eq!(kept["claims"][0]["source"], "CLAIM_SOURCE_CALLER");
    assert_eq!(kept["claims"][0]["stance"], "STANCE_SUPPORTS");
    running.stop().await;
}

#[tokio::test]
async fn an_error_is_readable_and_has_its_http_status() {
    let running = server::start().await;
    let (status, error) = post(running.address(), SCORE, "{\"dealId\": \"nowhere\"}").await;
    assert_eq!(status, 404);
    assert_eq!(error["code"], "not_found");
    assert_eq!(error["message"], "there is no deal nowhere");
    let details = error["details"].as_array().unwrap();
    let detail = |kind: &str| {
        let kind = format!("type.googleapis.com/google.rpc.{kind}");
        details.iter().find(|detail| detail["@type"] == *kind)
    };
    assert_eq!(detail("ErrorInfo").unwrap()["reason"], "DEAL_NOT_FOUND");
    assert_eq!(detail("ResourceInfo").unwrap()["resourceName"], "nowhere");

    // An empty body is an empty message.
    let (status, error) = post(running.address(), SCORE, "").await;
    assert_eq!((status, &error["code"]), (400, &json!("invalid_argument")));
    let violations = &error["details"][1]["fieldViolations"];
    let expected = json!([{"field": "deal_id", "description": "must not be empty"}]);
    assert_eq!(violations[0]["field"], expected[0]["field"], "{error}");
    assert_eq!(violations[0]["description"], expected[0]["description"]);

    let (status, error) = post(running.address(), SCORE, "{\"dealId\": \"panic\"}").await;
    assert_eq!((status, &error["code"]), (500, &json!("internal")));

    running.store.break_down("disk on fire");
    let headers = [("content-type", "application/json; charset=utf-8")];
    let body = statement().to_string();
    let answer = http(running.address(), "POST", RECORD, &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 5"), "{}", answer.head);
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_the_json_form_is_refused_by_field_and_position() {
    let running = server::start().await;
    for (body, field, words) in [
        ("{", "", "line 1 column 1"),
        ("[]", "", "expected"),
        ("{} {}", "", "trailing"),
        ("{\"dealId\": 5}", "deal_id", "line 1 column 12"),
        (
            "{\"deal\": \"d\"}",
            "deal",
            "unrecognized field name 'deal' at line 1 column 7; ScoreDealRequest has deal_id, as_of",
        ),
        (
            "{\"dealId\": \"d\", \"asOf\": \"today\"}",
            "as_of",
            "line 1",
        ),
        (
            "{\"dealId\": \"d\", \"minRevision\": -1}",
            "min_revision",
            "line 1",
        ),
        ("{\"dealId\": \"\u{0}\"}", "", "control character"),
    ] {
        let (status, error) = post(running.address(), SCORE, body).await;
        assert_eq!(status, 400, "{body}: {error}");
        assert_eq!(error["code"], "invalid_argument", "{body}");
        let violation = &error["details"][1]["fieldViolations"][0];
        assert_eq!(violation["field"], field, "{body}: {error}");
        let told = violation["description"].as_str().unwrap();
        assert!(told.contains(words), "{body}: {told}");
    }
    for (pointer, wrong, field) in [
        (
            "/statement/attribution",
            json!("VERBATIM"),
            "statement.attribution",
        ),
        (
            "/statement/claims/0/topic",
            json!("TOPIC_LUNCH"),
            "statement.claims[0].topic",
        ),
        (
            "/statement/claims/0/confidence",
            json!("NaN"),
            "statement.claims[0].confidence",
        ),
        (
            "/statement/claims/0/confidence",
            json!("high"),
            "statement.claims[0].confidence",
        ),
        ("/statement/attribution", json!(99), "statement.attribution"),
    ] {
        let mut body = statement();
        *body.pointer_mut(pointer).unwrap() = wrong.clone();
        let (status, error) = post(running.address(), RECORD, &body.to_string()).await;
        assert_eq!(status, 400, "{wrong}: {error}");
        let violation = &error["details"][1]["fieldViolations"][0];
        assert_eq!(violation["field"], field, "{error}");
    }
    running.stop().await;
}

#[tokio::test]
async fn another_content_type_or_packing_is_told_what_is_taken() {
    let running = server::start().await;
    let cases: [&[(&str, &str)]; 4] = [
        &[],
        &[("content-type", "text/plain")],
        &[("content-type", "application/grpc+json")],
        &[
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ],
    ];
    for headers in cases {
        let answer = http(running.address(), "POST", SCORE, headers, b"{}").await;
        assert_eq!(answer.status, 415, "{headers:?}");
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(error["code"], "invalid_argument");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_request_that_never_ends_is_given_up() {
    let limits = Limits {
        deadline: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let running = server::start_with(limits).await;
    let mut stream = tokio::net::TcpStream::connect(running.address())
        .await
        .unwrap();
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    use tokio::io::AsyncReadExt;
    use tokio::io::AsyncWriteExt;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    drop(stream);
    running.stop().await;
}
