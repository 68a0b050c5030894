//! Streams of writes: each item answered once and in order, groups whole or not at all, nothing doubled, back-pressure.

use std::sync::Arc;

use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::Streaming;
use verbatim::app::ingest::Intake;
use verbatim::app::ingest::WINDOW_ALONE;
use verbatim::app::ingest::WINDOW_SHARED;
use verbatim::grpc::request;
use verbatim::grpc::serve::Server;
use verbatim::store::DealKey;
use verbatim::store::Store;
use verbatim::store::memory::Memory;
use verbatim::wire::pb;
use verbatim::wire::pb::ingest_request::Item;
use verbatim::wire::pb::ingest_response::Outcome;
use verbatim::wire::pb::ingest_service_client::IngestServiceClient;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::server;
use crate::streams::Stage;
use crate::streams::all;
use crate::streams::said;
use crate::support;
use crate::support::StagedDisk;
use crate::support::staged_store::StagedStore;

fn item(tag: impl ToString, item: Item) -> pb::IngestRequest {
    pb::IngestRequest {
        tag: tag.to_string(),
        item: Some(item),
    }
}

fn statement(deal: &str, number: usize) -> pb::IngestRequest {
    item(
        format!("{deal}/{number}"),
        Item::RecordBuyerStatement(said(deal, number)),
    )
}

fn begin(deal: &str) -> pb::IngestRequest {
    let deal_id = deal.to_owned();
    item("begin", Item::BeginGroup(pb::BeginGroup { deal_id }))
}

fn commit() -> pb::IngestRequest {
    item("commit", Item::CommitGroup(pb::CommitGroup {}))
}

async fn ingest(server: &Server, items: Vec<pb::IngestRequest>) -> Vec<pb::IngestResponse> {
    let mut client = IngestServiceClient::new(server::channel(server.local_addr()).await);
    let answers = client.ingest(tokio_stream::iter(items)).await.unwrap();
    all(answers.into_inner()).await
}

fn recorded(answer: &pb::IngestResponse) -> &pb::IngestRecorded {
    match &answer.outcome {
        Some(Outcome::Recorded(recorded)) => recorded,
        other => panic!("{}: {other:?}", answer.tag),
    }
}

fn refused(answer: &pb::IngestResponse) -> &pb::IngestRefused {
    match &answer.outcome {
        Some(Outcome::Refused(refused)) => refused,
        other => panic!("{}: {other:?}", answer.tag),
    }
}

async fn kept(store: &dyn Store, deal: &str) -> u64 {
    let key = DealKey::new("default", deal);
    store.revision(&key).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_answered_in_order_and_sent_again_they_change_nothing() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::on(Arc::new(support::open(home.path())));
    let server = stage.serve().await;
    // Some deals come in runs and some take turns.
    let mut items = Vec::new();
    for number in 0..50 {
        for deal in 0..20 {
            items.push(statement(&format!("turn{deal}"), number));
        }
    }
    for deal in 0..20 {
        for number in 0..50 {
            items.push(statement(&format!("run{deal}"), number));
        }
    }
    let tags: Vec<String> = items.iter().map(|item| item.tag.clone()).collect();
    let answers = ingest(&server, items.clone()).await;
    for (place, (answer, tag)) in answers.iter().zip(&tags).enumerate() {
        assert_eq!((&answer.tag, answer.sequence), (tag, place as u64 + 1));
        let (_, number) = tag.split_once('/').unwrap();
        let recorded = recorded(answer);
        let number: u64 = number.parse().unwrap();
        assert_eq!(
            (recorded.revision, recorded.already_recorded),
            (number + 1, false)
        );
        assert_eq!(recorded.statement_id, format!("s{number}"));
    }
    assert_eq!(answers.len(), items.len());

    // A client that was cut off sends again what it had no answer for, or all of it.
    for answer in ingest(&server, items).await {
        assert!(recorded(&answer).already_recorded, "{}", answer.tag);
        assert_eq!(recorded(&answer).revision, 50);
    }
    // The order within a deal is the order of the stream, in the store as well.
    let key = DealKey::new("default", "run7");
    let history = stage.app.history(&key, 0, 100).await.unwrap();
    let ids: Vec<String> = history
        .iter()
        .map(|event| match &event.fact {
            verbatim::domain::event::Fact::Statement(statement) => statement.id.as_str().into(),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected: Vec<String> = (0..50).map(|number| format!("s{number}")).collect();
    assert_eq!(ids, expected);
    server.stop().await;
}

#[tokio::test]
async fn the_score_is_that_of_single_calls() {
    let one = Stage::on(Arc::new(Memory::new()));
    for number in 0..12 {
        one.write("d1", number).await;
    }
    let many = Stage::on(Arc::new(Memory::new()));
    let server = many.serve().await;
    ingest(
        &server,
        (0..12).map(|number| statement("d1", number)).collect(),
    )
    .await;
    let query = || verbatim::app::Query::now(DealKey::new("default", "d1"));
    let (one, many) = (one.app.score(query()).await, many.app.score(query()).await);
    assert_eq!(one.unwrap().score, many.unwrap().score);
    server.stop().await;
}

#[tokio::test]
async fn a_bad_item_is_named_by_tag_and_field_and_the_others_stand() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let server = stage.serve().await;
    let mut wrong = said("d1", 1);
    let given = wrong.statement.as_mut().unwrap();
    given.claims[0].topic = 99;
    given.quote = String::new();
    let mut other = said("d1", 0);
    other.statement.as_mut().unwrap().quote = "Something else.".into();
    let rehearsal = pb::RecordBuyerStatementRequest {
        validate_only: true,
        ..said("d1", 5)
    };
    let ahead = pb::RecordBuyerStatementRequest {
        expected_revision: Some(9),
        ..said("d1", 6)
    };
    let retraction = pb::RetractBuyerStatementRequest {
        deal_id: "nobody".into(),
        statement_id: "s1".into(),
        reason: "misheard".into(),
        ..pb::RetractBuyerStatementRequest::default()
    };
    let items = vec![
        statement("d1", 0),
        item("wrong", Item::RecordBuyerStatement(wrong)),
        item("other", Item::RecordBuyerStatement(other)),
        item("rehearsal", Item::RecordBuyerStatement(rehearsal)),
        item("ahead", Item::RecordBuyerStatement(ahead)),
        item("nobody", Item::RetractBuyerStatement(retraction)),
        pb::IngestRequest::default(),
        item("x".repeat(129), Item::CommitGroup(pb::CommitGroup {})),
        commit(),
        statement("d1", 2),
    ];
    let answers = ingest(&server, items).await;
    let fields = |place: usize| -> Vec<&str> {
        let violations = &refused(&answers[place]).violations;
        violations.iter().map(|each| each.field.as_str()).collect()
    };
    assert_eq!(recorded(&answers[0]).revision, 1);
    assert_eq!(
        fields(1),
        [
            "record_buyer_statement.statement.quote",
            "record_buyer_statement.statement.claims[0].topic"
        ]
    );
    let check = |place: usize, code: Code, reason: &str| {
        let refused = refused(&answers[place]);
        assert_eq!(
            (refused.code, refused.reason.as_str()),
            (code as i32, reason)
        );
    };
    check(1, Code::InvalidArgument, "INVALID_FIELDS");
    check(2, Code::AlreadyExists, "STATEMENT_DIFFERS");
    assert_eq!(refused(&answers[2]).metadata["differs"], "quote");
    assert_eq!(fields(3), ["record_buyer_statement.validate_only"]);
    check(4, Code::Aborted, "REVISION_MISMATCH");
    check(5, Code::NotFound, "DEAL_NOT_FOUND");
    assert_eq!(fields(6), ["item"]);
    assert_eq!(fields(7), ["tag"]);
    assert_eq!(fields(8), ["commit_group"]);
    assert_eq!(recorded(&answers[9]).revision, 2);
    assert_eq!(kept(stage.store.as_ref(), "d1").await, 2);
    server.stop().await;
}

#[tokio::test]
async fn twins_in_one_stream_are_one_statement_or_a_difference() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let server = stage.serve().await;
    let mut other = said("d1", 1);
    other.statement.as_mut().unwrap().quote = "Something else.".into();
    let items = vec![
        statement("d1", 0),
        statement("d1", 1),
        statement("d1", 1),
        item("other", Item::RecordBuyerStatement(other)),
    ];
    let answers = ingest(&server, items).await;
    assert!(!recorded(&answers[1]).already_recorded);
    assert!(recorded(&answers[2]).already_recorded);
    assert_eq!(refused(&answers[3]).reason, "STATEMENT_DIFFERS");
    assert_eq!(kept(stage.store.as_ref(), "d1").await, 2);
    server.stop().await;
}

#[tokio::test]
async fn a_group_is_recorded_whole_in_one_append_or_not_at_all() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let server = stage.serve().await;
    stage.write("d2", 0).await;
    let mut differs = said("d2", 0);
    differs.statement.as_mut().unwrap().quote = "Something else.".into();
    let items = vec![
        begin("d1"),
        statement("d1", 0),
        statement("d1", 1),
        commit(),
        // One differs from what is there, so the group is not recorded.
        begin("d2"),
        statement("d2", 1),
        item("differs", Item::RecordBuyerStatement(differs)),
        commit(),
        // One is of another deal; what comes behind it is refused as well.
        begin("d3"),
        statement("d3", 0),
        statement("d4", 0),
        statement("d3", 1),
        commit(),
        statement("d1", 2),
        // Never committed.
        begin("d5"),
        statement("d5", 0),
    ];
    let answers = ingest(&server, items).await;
    for answer in &answers[..4] {
        assert!(!recorded(answer).already_recorded);
    }
    assert_eq!(recorded(&answers[3]).revision, 2);
    let changes = stage.store.changes(1, 1).await.unwrap();
    assert_eq!((&*changes[0].deal.deal, changes[0].events), ("d1", 2));

    assert_eq!(refused(&answers[6]).reason, "STATEMENT_DIFFERS");
    for place in [4, 5, 7] {
        assert_eq!(refused(&answers[place]).reason, "GROUP_REFUSED");
        assert_eq!(refused(&answers[place]).metadata["because"], "differs");
    }
    assert_eq!(refused(&answers[10]).reason, "INVALID_FIELDS");
    for place in [8, 9, 11, 12] {
        assert_eq!(refused(&answers[place]).metadata["because"], "d4/0");
    }
    assert_eq!(recorded(&answers[13]).revision, 3);
    for place in [14, 15] {
        assert_eq!(refused(&answers[place]).reason, "GROUP_REFUSED");
    }
    for (deal, revision) in [("d2", 1), ("d3", 0), ("d4", 0), ("d5", 0)] {
        assert_eq!(kept(stage.store.as_ref(), deal).await, revision, "{deal}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_group_holds_a_thousand_events_which_is_more_than_the_window() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let server = stage.serve().await;
    for (events, fits) in [(1_000, true), (1_001, false)] {
        let deal = format!("d{events}");
        let mut items = vec![begin(&deal)];
        items.extend((0..events).map(|number| statement(&deal, number)));
        items.push(commit());
        let answers = ingest(&server, items).await;
        assert_eq!(answers.len(), events + 2);
        let revision = if fits { 1_000 } else { 0 };
        assert_eq!(kept(stage.store.as_ref(), &deal).await, revision);
        assert_eq!(
            matches!(answers[1_001].outcome, Some(Outcome::Recorded(_))),
            fits
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn no_more_is_taken_than_the_window_holds_and_a_dropped_stream_goes_on_to_its_end() {
    let store = Arc::new(StagedStore::default());
    let stage = Stage::on(Arc::clone(&store) as Arc<dyn Store>);
    store.appends.hold();
    let mut intake = Intake::new(Arc::clone(&stage.app));
    let mut taken = 0;
    while intake.has_room(WINDOW_ALONE) {
        let item = statement(&format!("d{taken}"), 0);
        intake.take(request::ingest::item(item, stage.app.now()));
        taken += 1;
    }
    assert_eq!(taken, WINDOW_ALONE);
    // Nearly all: a few deals share a turn with another and wait before the append.
    store.appends.until_arrived(WINDOW_ALONE * 3 / 4).await;
    assert!(intake.answer().is_none());
    drop(intake);
    store.appends.open();
    // Whoever writes to the same deal waits for what was begun.
    for number in 0..WINDOW_ALONE {
        assert_eq!(stage.write(&format!("d{number}"), 1).await, 2);
    }
}

#[tokio::test]
async fn a_stream_longer_than_the_window_is_read_on_as_answers_are_taken() {
    let store = Arc::new(StagedStore::default());
    let stage = Stage::on(Arc::clone(&store) as Arc<dyn Store>);
    let server = stage.serve().await;
    store.appends.hold();
    let (sender, items) = tokio::sync::mpsc::channel(1);
    let mut client = IngestServiceClient::new(server::channel(server.local_addr()).await);
    let mut answers: Streaming<pb::IngestResponse> = client
        .ingest(ReceiverStream::new(items))
        .await
        .unwrap()
        .into_inner();
    let sending = tokio::spawn(async move {
        for number in 0..2 * WINDOW_ALONE {
            let item = statement(&format!("d{number}"), 0);
            sender.send(item).await.unwrap();
        }
    });
    store.appends.until_arrived(WINDOW_ALONE * 3 / 4).await;
    // Answers come as soon as room does; all in the end.
    store.appends.open();
    for sequence in 1..=2 * WINDOW_ALONE {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!(answer.sequence, sequence as u64);
    }
    sending.await.unwrap();
    assert!(answers.message().await.unwrap().is_none());
    assert_eq!(store.events_kept(), 2 * WINDOW_ALONE);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_gives_way_while_a_call_is_under_way() {
    let store = Arc::new(StagedStore::default());
    let stage = Stage::on(Arc::clone(&store) as Arc<dyn Store>);
    let server = stage.serve().await;
    let channel = server::channel(server.local_addr()).await;
    store.appends.hold();
    let mut caller = QualificationServiceClient::new(channel.clone());
    let call = tokio::spawn(async move { caller.record_buyer_statement(said("called", 0)).await });
    store.appends.until_arrived(1).await;

    let mut client = IngestServiceClient::new(channel.clone());
    let items = (0..WINDOW_ALONE).map(|number| statement(&format!("d{number}"), 0));
    let answers = client.ingest(tokio_stream::iter(items)).await.unwrap();
    store.appends.until_arrived(1 + WINDOW_SHARED * 3 / 4).await;
    // Time enough for a stream that does not: the way there and back for each of its items.
    let mut others = QualificationServiceClient::new(channel);
    for number in 0..WINDOW_ALONE {
        let deal_id = format!("d{number}");
        let request = pb::ScoreDealRequest {
            deal_id,
            ..pb::ScoreDealRequest::default()
        };
        let unknown = others.score_deal(request).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    }
    let taken = store.appends.arrived() - 1;
    assert!(taken <= WINDOW_SHARED, "{taken}");

    store.appends.open();
    call.await.unwrap().unwrap();
    assert_eq!(all(answers.into_inner()).await.len(), WINDOW_ALONE);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_waited_out() {
    let disk = StagedDisk::new();
    let (_home, store) = support::open_on(&disk);
    let stage = Stage::on(Arc::new(store));
    let server = stage.serve().await;
    let shut = disk.shut();
    let items: Vec<_> = (0..40)
        .map(|number| statement(&format!("d{number}"), 0))
        .collect();
    let mut client = IngestServiceClient::new(server::channel(server.local_addr()).await);
    let answers = client.ingest(tokio_stream::iter(items)).await.unwrap();
    tokio::task::block_in_place(|| disk.wait_for_sync());
    drop(shut);
    let answers = all(answers.into_inner()).await;
    assert_eq!(answers.len(), 40);
    for answer in &answers {
        assert_eq!(recorded(answer).revision, 1);
    }
    server.stop().await;
}

#[tokio::test]
async fn at_the_end_of_the_service_what_was_read_is_answered_and_the_rest_is_not_read() {
    let store = Arc::new(StagedStore::default());
    let stage = Stage::on(Arc::clone(&store) as Arc<dyn Store>);
    let server = stage.serve().await;
    store.appends.hold();
    let (sender, items) = tokio::sync::mpsc::channel(16);
    let mut client = IngestServiceClient::new(server::channel(server.local_addr()).await);
    let mut answers = client
        .ingest(ReceiverStream::new(items))
        .await
        .unwrap()
        .into_inner();
    for number in 0..3 {
        let item = statement(&format!("d{number}"), 0);
        sender.send(item).await.unwrap();
    }
    store.appends.until_arrived(3).await;
    let stopping = tokio::spawn(server.stop());
    store.appends.open();
    for sequence in 1..=3 {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!(answer.sequence, sequence);
        recorded(&answer);
    }
    let end = answers.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    stopping.await.unwrap();
    assert_eq!(store.events_kept(), 3);
}

#[tokio::test]
async fn in_json_items_and_answers_are_lines() {
    let stage = Stage::on(Arc::new(Memory::new()));
    let server = stage.serve().await;
    let path = "/verbatim.v1.IngestService/Ingest";
    let headers = [("content-type", "application/x-ndjson")];
    let body = concat!(
        r#"{"tag": "1", "upsertDeal": {"deal": {"dealId": "d1", "owner": "Robin"}}}"#,
        "\n",
        r#"{"tag": "2", "recordOutcome": {"dealId": "d1", "outcome": {"outcome": "OUTCOME_WON"}}}"#,
        "\n",
        r#"{"tag": "3", "upsertDeal": {"deal": {}}}"#,
        "\n",
    );
    let answer = server::http(server.local_addr(), "POST", path, &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 200);
    let lines: Vec<serde_json::Value> = answer
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[1]["recorded"]["revision"], "2");
    assert_eq!(
        lines[2]["refused"]["violations"][0]["field"],
        "upsert_deal.deal.deal_id"
    );
    server.stop().await;
}
