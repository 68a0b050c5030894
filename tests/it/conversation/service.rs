//! `ImportTranscript` through both doors: what is kept, what is refused, and that twice is once.

use prost_types::Timestamp;
use serde_json::json;
use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_service_client::DealServiceClient;
use verbatim::wire::pb::ingest_service_client::IngestServiceClient;

use crate::server;
use crate::server::NOW_SECONDS;
use crate::server::Running;
use crate::server::post;

const CALL: &str = "Lee: What happens if nothing changes?\nAna: We pay another fine, forty thousand. We cannot go on.\nLee: I see.\nBen: Yeah.\nLee: Is it approved?\nBen: Yes.\nBen: *hangs up*\n";

const HELD_SECONDS: i64 = NOW_SECONDS - 86_400;

fn buyer(label: &str, id: &str) -> pb::TranscriptBuyer {
    pb::TranscriptBuyer {
        label: label.into(),
        speaker: Some(pb::Speaker {
            stakeholder_id: id.into(),
            title: "CFO".into(),
            ..pb::Speaker::default()
        }),
    }
}

fn call() -> pb::ImportTranscriptRequest {
    pb::ImportTranscriptRequest {
        deal_id: "d1".into(),
        transcript_id: "call-1".into(),
        content: CALL.into(),
        held_at: Some(Timestamp {
            seconds: HELD_SECONDS,
            nanos: 0,
        }),
        buyers: vec![buyer("ana", "p-ana"), buyer("Ben", "p-ben")],
        sellers: vec!["LEE".into()],
        ..pb::ImportTranscriptRequest::default()
    }
}

async fn ask(
    running: &Running,
    request: pb::ImportTranscriptRequest,
) -> Result<pb::ImportTranscriptResponse, Status> {
    let mut client = IngestServiceClient::new(running.channel().await);
    let answer = client.import_transcript(request).await?;
    Ok(answer.into_inner())
}

async fn history(running: &Running) -> Vec<pb::BuyerStatement> {
    let mut client: DealServiceClient<Channel> = DealServiceClient::new(running.channel().await);
    let request = pb::ListDealHistoryRequest {
        deal_id: "d1".into(),
        ..pb::ListDealHistoryRequest::default()
    };
    let events = client
        .list_deal_history(request)
        .await
        .unwrap()
        .into_inner()
        .events;
    events
        .into_iter()
        .map(|event| match event.event {
            Some(pb::deal_event::Event::Statement(statement)) => statement,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The refusal of a request that is wrong, as `field: description` each.
#[track_caller]
fn violations(refusal: &Status) -> Vec<String> {
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    let request = refusal.get_details_bad_request().unwrap();
    let violations = request.field_violations.iter();
    violations
        .map(|one| format!("{}: {}", one.field, one.description))
        .collect()
}

#[tokio::test]
async fn the_buyers_turns_become_statements_with_the_sellers_before_as_context() {
    let running = server::start().await;
    let answer = ask(&running, call()).await.unwrap();
    assert_eq!((answer.revision, answer.already_recorded), (2, 0));
    assert_eq!(answer.score_before, Some(0.0));
    assert_eq!(answer.format, pb::TranscriptFormat::NamedLines as i32);
    let skipped: Vec<(u32, i32)> = answer
        .skipped
        .iter()
        .map(|one| (one.turn, one.reason))
        .collect();
    let (seller, nod) = (
        pb::SkipReason::Seller as i32,
        pb::SkipReason::Backchannel as i32,
    );
    let direction = pb::SkipReason::StageDirection as i32;
    assert_eq!(
        skipped,
        [
            (1, seller),
            (3, seller),
            (4, nod),
            (5, seller),
            (7, direction)
        ]
    );

    let kept = history(&running).await;
    let ana = &kept[0];
    assert_eq!(ana.statement_id, "call-1:2");
    assert_eq!(
        ana.quote,
        "We pay another fine, forty thousand. We cannot go on."
    );
    assert_eq!(ana.context, "What happens if nothing changes?");
    assert_eq!(ana.attribution, pb::Attribution::Verbatim as i32);
    assert_eq!(ana.channel, pb::Channel::Call as i32);
    assert_eq!(ana.said_at.unwrap().seconds, HELD_SECONDS);
    assert_eq!(ana.speaker.as_ref().unwrap().title, "CFO");
    // A nod that answers a question is kept with it.
    let ben = &kept[1];
    assert_eq!(
        (ben.quote.as_str(), ben.context.as_str()),
        ("Yes.", "Is it approved?")
    );
    running.stop().await;
}

#[tokio::test]
async fn importing_twice_changes_nothing_with_or_without_an_id() {
    let running = server::start().await;
    for id in ["call-1", ""] {
        let mut request = call();
        request.transcript_id = id.into();
        let first = ask(&running, request.clone()).await.unwrap();
        // The same words in another encoding are the same conversation.
        request.content = [b"\xEF\xBB\xBF", CALL.replace('\n', "\r\n").as_bytes()].concat();
        let again = ask(&running, request.clone()).await.unwrap();
        assert_eq!(again.transcript_id, first.transcript_id);
        assert_eq!(
            (again.already_recorded, again.revision),
            (2, first.revision)
        );
        assert_eq!(again.score_before, None);
        assert_eq!(again.statements[0].quote, first.statements[0].quote);

        request.buyers[0] = buyer("Ana", "somebody-else");
        let refusal = ask(&running, request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::AlreadyExists, "{refusal:?}");
        assert_eq!(
            refusal.get_details_error_info().unwrap().metadata["differs"],
            "speaker"
        );
    }
    assert_eq!(running.store.events_kept(), 4);
    running.stop().await;
}

#[tokio::test]
async fn a_conversation_without_a_buyers_word_founds_no_deal_in_earnest_or_in_trial() {
    let running = server::start().await;
    for validate_only in [true, false] {
        let request = pb::ImportTranscriptRequest {
            content: "Lee: Hello?\nLee: Anybody there?\n".into(),
            validate_only,
            ..call()
        };
        let refusal = ask(&running, request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound, "{refusal:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn who_has_no_name_is_called_as_the_file_calls_them() {
    let running = server::start().await;
    let said = "Lee: Well?\nAna Ruiz (Acme): It costs us.\nBen: It must go.\nSpeaker 3: Agreed, it must.\nAna Ruiz (Acme): Yes, it does cost us.\n";
    let mut request = call();
    request.content = said.into();
    request.buyers = vec![
        buyer("Ana Ruiz (Acme)", "p-ana"),
        buyer("Ben", "p-ben"),
        buyer("Speaker 3", "p-cy"),
    ];
    // Whom somebody named is called so.
    let known = pb::UpsertStakeholdersRequest {
        deal_id: "d1".into(),
        stakeholders: vec![pb::Stakeholder {
            stakeholder_id: "p-ben".into(),
            display_name: Some("Benedict Okafor".into()),
            effective_at: Some(Timestamp {
                seconds: HELD_SECONDS - 86_400,
                nanos: 0,
            }),
            ..pb::Stakeholder::default()
        }],
        ..pb::UpsertStakeholdersRequest::default()
    };
    let mut deals = DealServiceClient::new(running.channel().await);
    deals.upsert_stakeholders(known).await.unwrap();
    let first = ask(&running, request.clone()).await.unwrap();
    let again = ask(&running, request.clone()).await.unwrap();
    assert_eq!(
        (again.already_recorded, again.revision),
        (4, first.revision)
    );

    // An email names its sender, whatever the caller knows them by.
    let email = "From: Dana Cole <dana@acme.example>\nDate: Sat, 28 Feb 2026 10:00:00 +0000\nMessage-ID: <1@acme.example>\n\nIt must go.\n";
    request = pb::ImportTranscriptRequest {
        deal_id: "d1".into(),
        content: email.into(),
        buyers: vec![buyer("dana@acme.example", "p-dana")],
        ..pb::ImportTranscriptRequest::default()
    };
    ask(&running, request).await.unwrap();

    let request = pb::GetDealRequest {
        deal_id: "d1".into(),
    };
    let deal = deals.get_deal(request).await.unwrap().into_inner();
    let mut called: Vec<(&str, Option<&str>)> = deal
        .stakeholders
        .iter()
        .map(|one| (one.stakeholder_id.as_str(), one.display_name.as_deref()))
        .collect();
    called.sort_unstable();
    assert_eq!(
        called,
        [
            ("p-ana", Some("Ana Ruiz")),
            ("p-ben", Some("Benedict Okafor")),
            ("p-cy", None),
            ("p-dana", Some("Dana Cole")),
        ]
    );
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_understood_refuses_the_whole_unless_partial() {
    let running = server::start().await;
    let mut request = call();
    request.content = format!("and so we said no.\n{CALL}Zoe: Hello there, all.\n").into();
    let refusal = ask(&running, request.clone()).await.unwrap_err();
    let told = violations(&refusal);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("buyers: must, with sellers, name every speaker"),
        "{told:?}"
    );
    assert!(
        told[0].contains("\"Zoe\" speaks (turns: 1, first at line 9)"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("content: must be understood"),
        "{told:?}"
    );
    assert!(told[1].contains("line 1: words before the first speaker: \"and so we said no.\""));
    assert_eq!(running.store.events_kept(), 0);

    request.partial = true;
    let answer = ask(&running, request).await.unwrap();
    assert_eq!(answer.statements.len(), 2);
    assert_eq!(answer.not_understood[0].line, 1);
    let unknown = pb::SkipReason::UnknownSpeaker as i32;
    assert_eq!(answer.skipped.last().unwrap().reason, unknown);
    assert_eq!(running.store.events_kept(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_rehearsal_tells_all_and_keeps_nothing() {
    let running = server::start().await;
    let mut request = call();
    request.validate_only = true;
    request.expected_revision = Some(0);
    let answer = ask(&running, request.clone()).await.unwrap();
    assert_eq!((answer.statements.len(), answer.revision), (2, 0));
    assert_eq!(answer.score_before, Some(0.0));
    assert_eq!(running.store.events_kept(), 0);

    request.expected_revision = Some(1);
    let refusal = ask(&running, request.clone()).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Aborted);
    request.validate_only = false;
    let refusal = ask(&running, request).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Aborted);
    assert_eq!(running.store.events_kept(), 0);
    running.stop().await;
}

#[tokio::test]
async fn every_field_is_checked_and_all_of_them_told_at_once() {
    let running = server::start().await;
    let request = pb::ImportTranscriptRequest {
        transcript_id: "x".repeat(113),
        format: 99,
        buyers: vec![
            buyer("", "p1"),
            buyer("Ana", "a/b"),
            pb::TranscriptBuyer {
                label: "Ben".into(),
                speaker: None,
            },
        ],
        sellers: vec![" ANA ".into()],
        channel: 99,
        source_uri: "x".repeat(2_049),
        held_at: Some(Timestamp {
            seconds: NOW_SECONDS + 301,
            nanos: 0,
        }),
        ..pb::ImportTranscriptRequest::default()
    };
    let refusal = ask(&running, request).await.unwrap_err();
    let fields: Vec<String> = violations(&refusal)
        .iter()
        .map(|told| told.split(": ").next().unwrap().to_owned())
        .collect();
    let expected = [
        "deal_id",
        "transcript_id",
        "content",
        "format",
        "held_at",
        "buyers[0].label",
        "buyers[1].speaker.stakeholder_id",
        "buyers[2].speaker",
        "sellers[0]",
        "channel",
        "source_uri",
    ];
    assert_eq!(fields, expected);
    running.stop().await;
}

#[tokio::test]
async fn a_moment_is_needed_and_nothing_is_said_ahead() {
    let running = server::start().await;
    let mut request = call();
    request.held_at = None;
    let refusal = ask(&running, request).await.unwrap_err();
    assert_eq!(
        violations(&refusal),
        ["held_at: must be set, as the file does not say when it was"]
    );

    let mut request = call();
    request.content = "[00:00] Lee: Hi, Ana.\n[05:00] Ana: We go on.\n".into();
    request.held_at = Some(Timestamp {
        seconds: NOW_SECONDS,
        nanos: 0,
    });
    let answer = ask(&running, request.clone()).await.unwrap();
    assert_eq!(
        answer.statements[0].said_at.unwrap().seconds,
        NOW_SECONDS + 300
    );
    request.transcript_id.clear();
    request.content = "[00:00] Lee: Hi, Ana.\n[05:01] Ana: We go on.\n".into();
    let refusal = ask(&running, request).await.unwrap_err();
    assert!(
        violations(&refusal)[0].contains("line 2 was at 2026-03-01T12:05:01Z"),
        "{refusal:?}"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_conversation_is_kept_whole_or_not_at_all() {
    let running = server::start().await;
    // A thousand statements are one write; one more are refused.
    for (turns, fits) in [(1_000, true), (1_001, false)] {
        let mut request = call();
        request.transcript_id.clear();
        request.content = "Ana: We cannot go on.\nLee: ok\n".repeat(turns).into();
        match ask(&running, request).await {
            Ok(answer) => assert_eq!((fits, answer.statements.len()), (true, turns)),
            Err(refusal) => {
                assert!(!fits, "{refusal:?}");
                assert!(
                    violations(&refusal)[0]
                        .contains("must make at most 1000 statements, makes 1001")
                );
            }
        }
    }
    assert_eq!(running.store.events_kept(), 1_000);

    let mut deals = DealServiceClient::new(running.channel().await);
    let outcome = pb::DealOutcome {
        outcome: pb::Outcome::Won as i32,
        effective_at: Some(Timestamp {
            seconds: HELD_SECONDS + 10,
            nanos: 0,
        }),
        ..pb::DealOutcome::default()
    };
    let close = pb::RecordOutcomeRequest {
        deal_id: "d1".into(),
        outcome: Some(outcome),
        ..pb::RecordOutcomeRequest::default()
    };
    deals.record_outcome(close).await.unwrap();
    let mut request = call();
    request.content = "[00:05] Ana: Before.\n[00:15] Ana: After.\n".into();
    let refusal = ask(&running, request).await.unwrap_err();
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert_eq!(running.store.events_kept(), 1_001);
    running.stop().await;
}

#[tokio::test]
async fn a_long_turn_is_divided_where_sentences_end() {
    let running = server::start().await;
    let sentence = "We lose two days at every month end and nobody can say why that is. ";
    let mut request = call();
    request.content = format!(
        "Lee: What goes wrong?\nAna: {}\nLee: ok\n",
        sentence.repeat(20)
    )
    .into();
    let answer = ask(&running, request).await.unwrap();
    let ids: Vec<&str> = answer
        .statements
        .iter()
        .map(|one| one.statement_id.as_str())
        .collect();
    assert_eq!(ids, ["call-1:2.1", "call-1:2.2"]);
    let kept = history(&running).await;
    assert!(
        kept.iter()
            .all(|one| one.quote.len() <= 1_000 && one.quote.ends_with("that is."))
    );
    assert_eq!(
        (kept[0].context.as_str(), kept[1].context.as_str()),
        ("What goes wrong?", "")
    );
    // Who she is, is told once.
    assert_eq!(kept[1].speaker.as_ref().unwrap().title, "");
    running.stop().await;
}

#[tokio::test]
async fn an_email_says_itself_when_it_was_and_is_known_by_its_message_id() {
    let running = server::start().await;
    let email = |received: &str| {
        format!(
            "Received: {received}\r\nFrom: Ana <ana@acme.example>\r\nDate: Sat, 28 Feb 2026 10:00:00 +0000\r\nMessage-ID: <a/1@acme.example>\r\n\r\nWe cannot go on.\r\n\r\n> Well?\r\n"
        )
    };
    let mut request = call();
    request.transcript_id.clear();
    request.held_at = None;
    request.buyers = vec![buyer("Ana@Acme.example", "p-ana")];
    request.content = email("by one").into();
    let answer = ask(&running, request.clone()).await.unwrap();
    assert_eq!(answer.format, pb::TranscriptFormat::Email as i32);
    let kept = history(&running).await;
    assert_eq!(kept[0].quote, "We cannot go on.");
    assert_eq!(kept[0].channel, pb::Channel::Email as i32);
    assert_eq!(kept[0].said_at.unwrap().seconds, 1_772_272_800);

    request.content = email("by another").into();
    assert_eq!(ask(&running, request).await.unwrap().already_recorded, 1);
    running.stop().await;
}

#[tokio::test]
async fn json_takes_the_file_as_base64() {
    let running = server::start().await;
    let path = "/verbatim.v1.IngestService/ImportTranscript";
    // "Ana: We cannot go on.\nLee: Ok?\nAna: No.\n"
    let content = "QW5hOiBXZSBjYW5ub3QgZ28gb24uCkxlZTogT2s/CkFuYTogTm8uCg==";
    let mut body = json!({
        "dealId": "d1",
        "content": content,
        "heldAt": "2026-02-28T10:00:00Z",
        "buyers": [{"label": "Ana", "speaker": {"stakeholderId": "p-ana"}}],
    });
    let (status, error) = post(running.address(), path, &body.to_string()).await;
    assert_eq!(status, 400, "{error}");
    assert_eq!(
        error["details"][1]["fieldViolations"][0]["field"], "buyers",
        "{error}"
    );

    body["sellers"] = json!(["Lee"]);
    let (status, answer) = post(running.address(), path, &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["format"], "TRANSCRIPT_FORMAT_NAMED_LINES");
    assert_eq!(answer["statements"][1]["quote"], "No.");
    assert_eq!(answer["skipped"][0]["reason"], "SKIP_REASON_SELLER");
    running.stop().await;
}
