//! What is too much: too large, too long, too many at once; and a panic, which is one failed call.

use std::time::Duration;

use prost::Message;
use tonic::Code;
use tonic::Request;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use verbatim::grpc::limits::Limits;
use verbatim::wire::pb;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement;
use crate::requests::statement_of;
use crate::server;
use crate::server::framed;
use crate::server::raw_call;

const RECORD: &str = "/verbatim.v1.QualificationService/RecordBuyerStatement";
const SCORE: &str = "/verbatim.v1.QualificationService/ScoreDeal";

#[tokio::test]
async fn a_message_over_the_limit_is_refused_alike_compressed_or_not() {
    let running = server::start().await;
    let mut large = statement();
    large.statement.as_mut().unwrap().context = "x".repeat(2 << 20);
    let plain = QualificationServiceClient::new(running.channel().await);
    let packed = plain.clone().send_compressed(CompressionEncoding::Gzip);
    for mut client in [plain, packed] {
        let refused = client
            .record_buyer_statement(large.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.reason, "MESSAGE_TOO_LARGE");
        assert_eq!(info.metadata["limit"], "1048576");
    }
    let headers = [("content-type", "application/json")];
    let body = format!("{{\"dealId\": \"{}\"}}", "x".repeat(2 << 20));
    let answer = server::http(running.address(), "POST", SCORE, &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 413);
    running.stop().await;
}

#[tokio::test]
async fn a_message_at_the_limit_is_read() {
    let running = server::start().await;
    let mut request = pb::ScoreDealRequest {
        deal_id: "x".repeat((1 << 20) - 4),
        ..pb::ScoreDealRequest::default()
    };
    let bytes = request.encode_to_vec();
    assert_eq!(bytes.len(), 1 << 20);
    let mut channel = running.channel().await;
    let refused = raw_call(&mut channel, SCORE, &[], framed(&bytes)).await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    request.deal_id.push('x');
    let bytes = framed(&request.encode_to_vec());
    let refused = raw_call(&mut channel, SCORE, &[], bytes).await;
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    running.stop().await;
}

#[tokio::test]
async fn the_callers_deadline_holds_and_so_does_the_services() {
    let limits = Limits {
        deadline: Duration::from_millis(60),
        ..Limits::default()
    };
    let running = server::start_with(limits).await;
    running.store.appends.hold();
    // Over HTTP/1.1, since a gRPC client gives up by itself when its deadline has come.
    let body = framed(&statement().encode_to_vec());
    for (timeout, told) in [("20m", "19%20ms"), ("1H", "60%20ms"), ("100u", "0%20ms")] {
        let headers = [
            ("content-type", "application/grpc"),
            ("grpc-timeout", timeout),
        ];
        let refused = server::http(running.address(), "POST", RECORD, &headers, &body).await;
        assert!(refused.head.contains("grpc-status: 4"), "{refused:?}");
        assert!(refused.head.contains(told), "{refused:?}");
        assert!(
            refused.head.contains("grpc-status-details-bin"),
            "{refused:?}"
        );
    }
    let json =
        r#"{"statement": {"dealId": "d2", "attribution": "ATTRIBUTION_INFERRED", "quote": "x"}}"#;
    let (status, error) = server::post(running.address(), RECORD, json).await;
    assert_eq!((status, &error["code"]), (504, &"deadline_exceeded".into()));
    assert_eq!(error["details"][0]["reason"], "DEADLINE", "{error}");
    assert_eq!(error["details"][0]["metadata"]["limit_ms"], "60");
    running.store.appends.open();
    let mut client = QualificationServiceClient::new(running.channel().await);
    client.record_buyer_statement(statement()).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn calls_beyond_the_limit_are_refused_and_health_is_not() {
    let limits = Limits {
        calls_max: 2,
        ..Limits::default()
    };
    let running = server::start_with(limits).await;
    running.store.appends.hold();
    let record = |mut client: QualificationServiceClient<Channel>, deal: &str| {
        let request = statement_of(deal);
        tokio::spawn(async move { client.record_buyer_statement(request).await })
    };
    // Two connections, since the limit is that of the process.
    let first = record(
        QualificationServiceClient::new(running.channel().await),
        "d1",
    );
    let second = record(
        QualificationServiceClient::new(running.channel().await),
        "d2",
    );
    running.store.appends.until_arrived(2).await;

    let mut client = QualificationServiceClient::new(running.channel().await);
    let refused = client
        .record_buyer_statement(statement())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.metadata["limit"].as_str()),
        ("TOO_MANY_CALLS", "2")
    );
    assert!(refused.get_details_retry_info().is_some());
    let json = server::post(running.address(), SCORE, "{\"dealId\":\"d\"}").await;
    assert_eq!(json.0, 429, "{}", json.1);
    let mut health = HealthClient::new(running.channel().await);
    let request = HealthCheckRequest {
        service: String::new(),
    };
    health.check(request).await.unwrap();

    running.store.appends.open();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    // The places were given back.
    for _ in 0..4 {
        let asked = client.score_deal(Request::new(pb::ScoreDealRequest {
            deal_id: "d1".into(),
            ..pb::ScoreDealRequest::default()
        }));
        asked.await.unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn a_panic_is_one_failed_call() {
    let running = server::start().await;
    let mut client = QualificationServiceClient::new(running.channel().await);
    let ask = |deal: &str| pb::ScoreDealRequest {
        deal_id: deal.into(),
        ..pb::ScoreDealRequest::default()
    };
    let failed = client.score_deal(ask("panic")).await.unwrap_err();
    assert_eq!(failed.code(), Code::Internal);
    assert_eq!(failed.get_details_error_info().unwrap().reason, "INTERNAL");
    assert!(!failed.message().contains("of this name"), "{failed}");
    let next = client.score_deal(ask("other")).await.unwrap_err();
    assert_eq!(next.code(), Code::NotFound);
    running.stop().await;
}
