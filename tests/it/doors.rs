//! The forms of a call on one port, and what is beside the calls: health, reflection, CORS, a person's browser.

use http::Request;
use http_body_util::BodyExt;
use prost::Message;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt;
use verbatim::grpc::limits::Limits;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement;
use crate::server;
use crate::server::framed;
use crate::server::http;

const SCORE: &str = "/verbatim.v1.QualificationService/ScoreDeal";

async fn health(running: &server::Running, service: &str) -> ServingStatus {
    let mut client = HealthClient::new(running.channel().await);
    let request = HealthCheckRequest {
        service: service.into(),
    };
    client.check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn health_tells_of_each_service_and_of_a_fault() {
    let running = server::start().await;
    for service in [
        "",
        "verbatim.v1.QualificationService",
        "verbatim.v1.DealService",
    ] {
        assert_eq!(health(&running, service).await, ServingStatus::Serving);
    }
    let mut watch = HealthClient::new(running.channel().await)
        .watch(HealthCheckRequest {
            service: String::new(),
        })
        .await
        .unwrap()
        .into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    running.store.break_down("disk on fire");
    let mut client = QualificationServiceClient::new(running.channel().await);
    let refused = client
        .record_buyer_statement(statement())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(
        refused.get_details_error_info().unwrap().reason,
        "STORE_FAULT"
    );
    assert!(!refused.message().contains("fire"), "{refused}");
    let second = watch.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);

    let mut server = running.server;
    let why = server.ended().await;
    assert_eq!(why, "the store refuses writes since a fault: disk on fire");
    server.stop().await;
}

#[tokio::test]
async fn reflection_describes_both_services_in_both_versions() {
    let running = server::start().await;
    let request = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let mut client = ServerReflectionClient::new(running.channel().await);
    let list = request(MessageRequest::ListServices(String::new()));
    let symbol = "verbatim.v1.QualificationService.ScoreDeal";
    let find = request(MessageRequest::FileContainingSymbol(symbol.into()));
    let mut answers = client
        .server_reflection_info(tokio_stream::iter([list, find]))
        .await
        .unwrap()
        .into_inner();
    let services = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(services)) = services.message_response else {
        panic!("{services:?}");
    };
    let names: Vec<&str> = services
        .service
        .iter()
        .map(|service| &*service.name)
        .collect();
    assert!(
        names.contains(&"verbatim.v1.QualificationService"),
        "{names:?}"
    );
    assert!(names.contains(&"verbatim.v1.DealService"), "{names:?}");
    let file = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::FileDescriptorResponse(file)) = file.message_response else {
        panic!("{file:?}");
    };
    assert_eq!(file.file_descriptor_proto.len(), 1);

    let old = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    let mut channel = running.channel().await;
    let status = server::raw_call(&mut channel, old, &[], Vec::new()).await;
    assert_eq!(status.code(), Code::Ok);
    running.stop().await;
}

#[tokio::test]
async fn grpc_web_is_answered_over_http_1() {
    let running = server::start().await;
    let request = pb::GetModelRequest {}.encode_to_vec();
    let path = "/verbatim.v1.DealService/GetModel";
    let headers = [
        ("content-type", "application/grpc-web+proto"),
        ("x-grpc-web", "1"),
    ];
    let answer = http(running.address(), "POST", path, &headers, &framed(&request)).await;
    assert_eq!(answer.status, 200);
    let trailer = String::from_utf8_lossy(&answer.body);
    assert!(trailer.contains("grpc-status:0"), "{trailer:?}");

    let wrong = framed(&pb::ScoreDealRequest::default().encode_to_vec());
    let answer = http(running.address(), "POST", SCORE, &headers, &wrong).await;
    let told = format!("{}{}", answer.head, String::from_utf8_lossy(&answer.body));
    assert!(
        told.contains("grpc-status: 3") || told.contains("grpc-status:3"),
        "{told}"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_and_read_errors() {
    let limits = Limits {
        cors_origins: vec!["https://crm.example.com".into()],
        ..Limits::default()
    };
    let running = server::start_with(limits).await;
    let preflight = |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-grpc-web"),
        ];
        let address = running.address();
        async move { http(address, "OPTIONS", SCORE, &headers, b"").await }
    };
    let allowed = preflight("https://crm.example.com").await;
    assert_eq!(allowed.status, 200);
    for expected in [
        "access-control-allow-origin: https://crm.example.com",
        "access-control-allow-headers: content-type,x-grpc-web",
        "access-control-allow-methods: get,post",
    ] {
        assert!(allowed.head.contains(expected), "{}", allowed.head);
    }
    let other = preflight("https://elsewhere.example.com").await;
    assert!(
        !other.head.contains("access-control-allow-origin"),
        "{}",
        other.head
    );

    let headers = [
        ("origin", "https://crm.example.com"),
        ("content-type", "application/json"),
    ];
    let answer = http(running.address(), "POST", SCORE, &headers, b"{}").await;
    assert_eq!(answer.status, 400);
    let exposed = "access-control-expose-headers: grpc-status,grpc-message,grpc-status-details-bin";
    assert!(answer.head.contains(exposed), "{}", answer.head);
    running.stop().await;
}

#[tokio::test]
async fn without_origins_no_page_may_call() {
    let running = server::start().await;
    let headers = [
        ("origin", "https://crm.example.com"),
        ("access-control-request-method", "POST"),
    ];
    let answer = http(running.address(), "OPTIONS", SCORE, &headers, b"").await;
    assert_eq!(answer.status, 405);
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
    running.stop().await;
}

#[tokio::test]
async fn gzip_is_taken_and_small_answers_come_as_they_are() {
    let running = server::start().await;
    let mut client = DealServiceClient::new(running.channel().await)
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let answer = client.get_model(pb::GetModelRequest {}).await.unwrap();
    let encoding = answer.metadata().get("grpc-encoding").unwrap();
    assert_eq!(encoding, "gzip");

    let mut channel = running.channel().await;
    let request = Request::post("/verbatim.v1.DealService/GetModel")
        .header("content-type", "application/grpc")
        .header("grpc-accept-encoding", "gzip")
        .body(tonic::body::Body::new(http_body_util::Full::new(
            bytes::Bytes::from(framed(&[])),
        )))
        .unwrap();
    let ready = tower::ServiceExt::ready(&mut channel).await.unwrap();
    let response = tower::Service::call(ready, request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body[0], 0, "the flag says that it is not compressed");

    let headers = [("grpc-encoding", "zstd")];
    let path = "/verbatim.v1.DealService/GetModel";
    let refused = server::raw_call(&mut channel, path, &headers, framed(&[])).await;
    assert_eq!(refused.code(), Code::Unimplemented);
    running.stop().await;
}

#[tokio::test]
async fn a_browser_is_told_what_this_is_and_strangers_where_to_go() {
    let running = server::start().await;
    let hint = http(running.address(), "GET", "/", &[], b"").await;
    assert_eq!(hint.status, 200);
    let hint = String::from_utf8(hint.body).unwrap();
    assert!(
        hint.contains("/verbatim.v1.QualificationService/ScoreDeal"),
        "{hint}"
    );
    for (method, path, status) in [
        ("GET", "/favicon.ico", 404),
        ("POST", "/verbatim.v1.QualificationService/Nothing", 404),
        ("GET", SCORE, 405),
        ("PUT", SCORE, 405),
        ("POST", "/", 404),
    ] {
        let answer = http(running.address(), method, path, &[], b"").await;
        assert_eq!(answer.status, status, "{method} {path}");
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told["code"], "unimplemented", "{method} {path}");
    }
    let mut channel = running.channel().await;
    for path in [
        "/verbatim.v1.QualificationService/Nothing",
        "/nothing.Here/Call",
        "/grpc.nothing.v1.Service/Call",
        "/",
    ] {
        let refused = server::raw_call(&mut channel, path, &[], framed(&[])).await;
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
    }
    running.stop().await;
}
