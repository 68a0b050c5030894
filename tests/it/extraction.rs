//! Statements that come without claims, and previews: what the service reads, keeps and tells.

use proptest::collection::vec;
use proptest::prelude::*;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use verbatim::language::Extractor;
use verbatim::language::Heard;
use verbatim::language::Reading;
use verbatim::wire::pb;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::requests::statement;
use crate::server;
use crate::server::NOW_SECONDS;

const NO_BUDGET: &str = "We don't have the budget for this.";

type Client = QualificationServiceClient<Channel>;

async fn start() -> (server::Running, Client) {
    let running = server::start().await;
    let client = QualificationServiceClient::new(running.channel().await);
    (running, client)
}

/// A statement `s1` without claims.
fn said(quote: &str) -> pb::RecordBuyerStatementRequest {
    let mut request = statement();
    let said = request.statement.as_mut().unwrap();
    said.statement_id = "s1".into();
    said.quote = quote.into();
    said.claims.clear();
    request
}

async fn record(
    client: &mut Client,
    request: pb::RecordBuyerStatementRequest,
) -> pb::RecordBuyerStatementResponse {
    let answer = client.record_buyer_statement(request).await;
    answer.unwrap().into_inner()
}

fn claims(answer: &pb::RecordBuyerStatementResponse) -> &[pb::Claim] {
    &answer.statement.as_ref().unwrap().claims
}

#[tokio::test]
async fn a_statement_without_claims_gets_them_from_its_quote() {
    let (running, mut client) = start().await;
    let answer = record(&mut client, said(NO_BUDGET)).await;
    assert_eq!(
        (&*answer.language, answer.reader()),
        ("en", pb::QuoteReader::Local)
    );
    let [claim] = claims(&answer) else {
        panic!("{answer:?}");
    };
    assert_eq!(claim.topic(), pb::Topic::Management);
    assert_eq!(claim.stance(), pb::Stance::Opposes);
    assert_eq!(claim.source(), pb::ClaimSource::Extracted);
    assert!(0.0 < claim.confidence() && claim.confidence() < 1.0);
    assert!(!claim.basis.is_empty() && NO_BUDGET.contains(&claim.basis));

    let score = answer.score.as_ref().unwrap();
    let management = score
        .criteria
        .iter()
        .find(|criterion| criterion.topic() == pb::Topic::Management)
        .unwrap();
    let against = &management.evidence[0];
    // The words of somebody without a role, today: nothing but how sure the reader is keeps the strength down.
    let conviction = match claim.conviction() {
        pb::Conviction::Acknowledged => 0.40,
        pb::Conviction::Committed => 1.0,
        _ => 0.75,
    };
    let expected = conviction * 0.5 * claim.confidence();
    assert!((against.strength - expected).abs() < 1e-12, "{against:?}");
    running.stop().await;
}

#[tokio::test]
async fn claims_that_are_given_are_kept_as_they_are() {
    let (running, mut client) = start().await;
    let mut request = said(NO_BUDGET);
    request.statement.as_mut().unwrap().claims = vec![pb::Claim {
        topic: pb::Topic::Problem as i32,
        ..pb::Claim::default()
    }];
    let answer = record(&mut client, request).await;
    assert_eq!(answer.language, "");
    assert_eq!(answer.reader(), pb::QuoteReader::Unspecified);
    let [claim] = claims(&answer) else {
        panic!("{answer:?}");
    };
    assert_eq!(claim.topic(), pb::Topic::Problem);
    assert_eq!(claim.source(), pb::ClaimSource::Caller);
    running.stop().await;
}

#[tokio::test]
async fn a_language_that_is_not_read_makes_no_claim_and_is_told() {
    let (running, mut client) = start().await;
    let quote = "Wir haben dafür in diesem Jahr kein Budget.";
    let answer = record(&mut client, said(quote)).await;
    assert!(claims(&answer).is_empty());
    assert_eq!(answer.language, "unsupported");
    assert_eq!(answer.reader(), pb::QuoteReader::Local);
    running.stop().await;
}

#[tokio::test]
async fn a_rehearsal_reads_as_recording_does_and_keeps_nothing() {
    let (running, mut client) = start().await;
    let mut rehearsal = said(NO_BUDGET);
    rehearsal.validate_only = true;
    let rehearsed = record(&mut client, rehearsal).await;
    assert_eq!(running.store.events_kept(), 0);
    let recorded = record(&mut client, said(NO_BUDGET)).await;
    assert_eq!(claims(&rehearsed), claims(&recorded));
    assert_eq!(rehearsed.language, recorded.language);
    let points = |answer: &pb::RecordBuyerStatementResponse| answer.score.clone().map(|s| s.score);
    assert_eq!(points(&rehearsed), points(&recorded));
    running.stop().await;
}

#[tokio::test]
async fn a_belief_of_the_sellers_gets_its_topic_and_counts_nothing() {
    let (running, mut client) = start().await;
    let mut belief = said(NO_BUDGET);
    let inferred = belief.statement.as_mut().unwrap();
    inferred.attribution = pb::Attribution::Inferred as i32;
    inferred.speaker = None;
    let answer = record(&mut client, belief).await;
    assert_eq!(claims(&answer)[0].topic(), pb::Topic::Management);
    let score = answer.score.unwrap();
    assert_eq!(score.hypotheses.len(), 1);
    assert_eq!(score.score, 0.0);
    assert_eq!(
        score
            .criteria
            .iter()
            .map(|one| one.evidence.len())
            .sum::<usize>(),
        0
    );
    running.stop().await;
}

#[tokio::test]
async fn the_same_without_claims_is_the_same_and_with_claims_is_another() {
    let (running, mut client) = start().await;
    let first = record(&mut client, said(NO_BUDGET)).await;
    let again = record(&mut client, said(NO_BUDGET)).await;
    assert!(again.already_recorded);
    assert_eq!(claims(&again), claims(&first));
    assert_eq!(again.language, "");

    let mut with_claims = said(NO_BUDGET);
    with_claims.statement.as_mut().unwrap().claims = claims(&first).to_vec();
    let refusal = client.record_buyer_statement(with_claims).await;
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.code(), Code::AlreadyExists);
    let info = refusal.get_details_error_info().unwrap();
    assert_eq!(info.metadata["differs"], "claims");
    running.stop().await;
}

#[tokio::test]
async fn the_same_without_the_claims_that_were_given_is_another() {
    let (running, mut client) = start().await;
    let mut with_claims = said(NO_BUDGET);
    with_claims.statement.as_mut().unwrap().claims = statement().statement.unwrap().claims;
    record(&mut client, with_claims).await;
    let refusal = client.record_buyer_statement(said(NO_BUDGET)).await;
    let info = refusal.unwrap_err().get_details_error_info().unwrap();
    assert_eq!(info.metadata["differs"], "claims");
    running.stop().await;
}

#[tokio::test]
async fn a_preview_tells_what_recording_would_keep() {
    let (running, mut client) = start().await;
    let preview = pb::ExtractClaimsRequest {
        quote: "We want to be live by the end of Q2.".into(),
        context: "By when do you need it?".into(),
        said_at: None,
    };
    let mut request = said(&preview.quote);
    request.statement.as_mut().unwrap().context = preview.context.clone();
    let previewed = client.extract_claims(preview).await.unwrap().into_inner();
    assert_eq!(running.store.events_kept(), 0);
    let recorded = record(&mut client, request).await;
    assert_eq!(previewed.claims, claims(&recorded));
    assert_eq!(
        (&*previewed.language, previewed.reader()),
        ("en", pb::QuoteReader::Local)
    );
    // The service's clock stands in March 2026.
    assert_eq!(previewed.claims[0].target_date, "2026-06-30");
    running.stop().await;
}

#[tokio::test]
async fn a_preview_is_held_to_every_bound() {
    let (running, mut client) = start().await;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let request = |quote: String, context: String, said_at| pb::ExtractClaimsRequest {
        quote,
        context,
        said_at,
    };
    let taken = request("x".repeat(4096), "x".repeat(4096), at(NOW_SECONDS + 300));
    client.extract_claims(taken).await.unwrap();

    let wrong = request(String::new(), "x".repeat(4097), at(NOW_SECONDS + 301));
    let refusal = client.extract_claims(wrong).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    let violations = refusal.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations.iter().map(|one| &*one.field).collect();
    assert_eq!(fields, ["quote", "context", "said_at"]);
    running.stop().await;
}

#[tokio::test]
async fn a_preview_is_a_call_in_json_form_too() {
    let running = server::start().await;
    let path = "/verbatim.v1.QualificationService/ExtractClaims";
    let body = format!(r#"{{"quote": "{NO_BUDGET}"}}"#);
    let (status, answer) = server::post(running.address(), path, &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["language"], "en");
    assert_eq!(answer["reader"], "QUOTE_READER_LOCAL");
    assert_eq!(answer["claims"][0]["topic"], "TOPIC_MANAGEMENT");
    running.stop().await;
}

/// Text to stumble over, of at most 4,096 bytes: scripts, marks on marks, long words, the same again and again,
/// numbers of any length, dates that are none, controls, and what looks like code.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "\\p{Han}{0,20}|\\p{Arabic}{0,20}|\\p{Devanagari}{0,20}|\\p{Hangul}{0,20}|\\p{Thai}{0,20}",
        "[a-z](\\p{Mn}){0,60}",
        "[a-zA-Z]{200,400}",
        "[0-9]{1,80}([.,:/-][0-9]{0,40}){0,6}",
        "[$€£¥]?[0-9]{0,30}[.,]?[0-9]{0,30}(k|m|bn|%|K)? ?(USD|EUR|a month|per year)?",
        "(by|before|in|until|end of|next) (Q[0-9]{1,20}|[0-9]{1,30} (days|weeks|years)|fall|31st of February|2[0-9]{3}-[0-9]{2}-[0-9]{2})",
        "(not |no |never |n't |without ){1,60}",
        "(if |would |could |unless ){1,40}[?!.]{0,40}",
        "[\\x00-\\x1f\\x7f]{0,20}",
        "[\u{200b}\u{200d}\u{202e}\u{feff}\u{fe0f}\u{1f468}\u{1f3fd}]{0,40}",
        "['\"\u{2019}\u{201c}`(){}<>&;*_#|]{0,40}",
    ];
    let repeated =
        (any::<char>(), 1..5_000_usize).prop_map(|(one, times)| one.to_string().repeat(times));
    let many = vec((piece, "[ \t\n.,;?!-]{0,3}"), 0..60).prop_map(|pieces| {
        let pieces = pieces.into_iter().map(|(piece, gap)| piece + &gap);
        pieces.collect::<String>()
    });
    prop_oneof![1 => repeated, 4 => many].prop_map(|mut text| {
        let end = (0..=4096.min(text.len()))
            .rev()
            .find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_said_is_read_the_same_twice_and_claims_rest_on_its_words(
        quote in nasty(),
        context in nasty(),
        days in 0..80_000_i64,
    ) {
        let said_at = verbatim::domain::time::Instant::from_unix(days * 86_400, 0).unwrap();
        let heard = Heard { quote: &quote, context: &context, said_on: Some(said_at.date()) };
        let reading = Extractor::compiled().read(heard);
        prop_assert_eq!(&reading, &Extractor::compiled().read(heard));
        let Reading::Claims(claims) = reading else { return Ok(()) };
        for (place, claim) in claims.iter().enumerate() {
            prop_assert!(quote.contains(claim.basis.as_str()));
            let confidence = claim.confidence.get();
            prop_assert!(0.0 < confidence && confidence <= 1.0);
            prop_assert!(claims[..place].iter().all(|other| other.topic != claim.topic));
        }
    }
}

#[test]
fn whatever_is_said_a_preview_answers_or_names_what_is_not_allowed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (running, client) = runtime.block_on(start());
    proptest!(ProptestConfig::with_cases(200), |(quote in nasty(), context in nasty())| {
        let mut client = client.clone();
        let request = pb::ExtractClaimsRequest { quote, context, said_at: None };
        match runtime.block_on(client.extract_claims(request)) {
            Ok(answer) => prop_assert!(!answer.get_ref().language.is_empty()),
            Err(refusal) => prop_assert_eq!(refusal.code(), Code::InvalidArgument),
        }
    });
    drop(client);
    runtime.block_on(running.stop());
}
