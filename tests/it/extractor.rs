//! A reader of quotes that the user brings: a reference implementation, and what happens when it is not well.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::transport::Server;
use verbatim::app::App;
use verbatim::app::ClaimExtractor;
use verbatim::app::Extraction;
use verbatim::app::QuoteReader;
use verbatim::app::Read;
use verbatim::app::Recording;
use verbatim::app::Spoken;
use verbatim::clock::ManualClock;
use verbatim::config::Settings;
use verbatim::config::StoreKind;
use verbatim::domain::statement::Claim;
use verbatim::domain::statement::Quote;
use verbatim::domain::text::Language;
use verbatim::domain::text::Prose;
use verbatim::domain::time::Instant;
use verbatim::domain::topic::ClaimSource;
use verbatim::domain::topic::Topic;
use verbatim::grpc::extractor::RemoteExtractor;
use verbatim::grpc::request;
use verbatim::model_file;
use verbatim::store::memory::Memory;
use verbatim::wire::extraction;
use verbatim::wire::pb;
use verbatim::wire::pb::claim_extractor_server::ClaimExtractor as ClaimExtractorService;
use verbatim::wire::pb::claim_extractor_server::ClaimExtractorServer;
use verbatim::wire::pb::qualification_service_client::QualificationServiceClient;

use crate::collector::Collector;
use crate::collector::hex;
use crate::operated::Operated;
use crate::operated::TRACEPARENT;
use crate::requests::statement;
use crate::server::channel;

/// Our own reader finds a budget refused in it, and nothing else.
const QUOTE: &str = "We don't have the budget for this.";

/// Longer than any test takes.
const PATIENT: Duration = Duration::from_secs(60);

/// The reference implementation: reads that the current state cannot go on in whatever is said.
#[derive(Clone, Default)]
struct Reference(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    mood: Mood,
    asked: Vec<pb::ExtractRequest>,
    /// The trace that the last question named.
    traced: Option<String>,
}

#[derive(Clone, Copy, Default)]
enum Mood {
    #[default]
    Well,
    /// Never answers.
    Slow,
    Failing,
    /// Claims on a topic that there is not.
    Nonsense,
    /// Claims that rest on words nobody said.
    Inventing,
    /// Does not read the language.
    AtALoss,
}

#[async_trait]
impl ClaimExtractorService for Reference {
    async fn extract(
        &self,
        request: Request<pb::ExtractRequest>,
    ) -> Result<Response<pb::ExtractResponse>, Status> {
        let traced = request.metadata().get("traceparent");
        let traced = traced.map(|traced| traced.to_str().unwrap().to_owned());
        let request = request.into_inner();
        let mood = {
            let mut script = self.0.lock().unwrap();
            script.traced = traced;
            script.asked.push(request.clone());
            script.mood
        };
        let mut claim = pb::Claim {
            topic: pb::Topic::StatusQuo as i32,
            confidence: Some(0.9),
            basis: request.quote.chars().take(7).collect(),
            ..pb::Claim::default()
        };
        match mood {
            Mood::Well | Mood::AtALoss => {}
            Mood::Slow => std::future::pending().await,
            Mood::Failing => return Err(Status::internal(request.quote)),
            Mood::Nonsense => claim.topic = 99,
            Mood::Inventing => claim.basis = "words that nobody said".into(),
        }
        let (claims, language) = match mood {
            Mood::AtALoss => (Vec::new(), "unsupported"),
            _ => (vec![claim], "de"),
        };
        Ok(Response::new(pb::ExtractResponse {
            claims,
            language: language.into(),
        }))
    }
}

/// The reference on a port, with threads of its own, so that it can go away as a process does that is killed.
struct Serving {
    address: SocketAddr,
    /// `Some` until it went away.
    runtime: Option<Runtime>,
}

impl Reference {
    fn is(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    fn asked(&self) -> Vec<pb::ExtractRequest> {
        self.0.lock().unwrap().asked.clone()
    }

    async fn serve(&self, address: &str) -> Serving {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.into_std().unwrap();
        let service = ClaimExtractorServer::new(self.clone());
        let threads = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = threads.unwrap();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let serving = Server::builder().add_service(service);
            let incoming = TcpListenerStream::new(listener);
            serving.serve_with_incoming(incoming).await.unwrap();
        });
        Serving {
            address,
            runtime: Some(runtime),
        }
    }
}

impl Serving {
    /// Ends with nothing of it left, open connections included.
    async fn go_away(mut self) {
        let runtime = self.runtime.take().unwrap();
        let end = move || runtime.shutdown_timeout(PATIENT);
        spawn_blocking(end).await.unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn app() -> App {
    let now = Instant::from_unix(1_772_366_400, 0).unwrap();
    let model = Arc::new(model_file::default().clone());
    let clock = Arc::new(ManualClock::at(now));
    App::new(Arc::new(Memory::new()), clock, model, 1 << 20)
}

fn asking(serving: &Serving, deadline: Duration) -> App {
    let url = format!("http://{}", serving.address);
    let extractor = RemoteExtractor::at(&url, deadline).unwrap();
    app().with_extractor(Arc::new(extractor), deadline)
}

fn spoken() -> Spoken {
    Spoken {
        quote: Quote::new(QUOTE).unwrap(),
        context: Prose::new("And the money?").unwrap(),
        said_at: Instant::from_unix(1_772_280_000, 5).unwrap(),
    }
}

#[track_caller]
fn read_by_the_user(extraction: &Extraction) {
    assert_eq!(extraction.read.by, QuoteReader::External);
    assert_eq!(extraction.read.language.as_str(), "de");
    let [claim] = &extraction.claims[..] else {
        panic!("{extraction:?}");
    };
    assert_eq!(
        (claim.topic, claim.source),
        (Topic::StatusQuo, ClaimSource::Extracted)
    );
    assert_eq!(
        (claim.confidence.get(), claim.basis.as_str()),
        (0.9, "We don'")
    );
}

#[track_caller]
fn read_here(extraction: &Extraction) {
    assert_eq!(extraction.read.by, QuoteReader::Local);
    assert_eq!(extraction.read.language.as_str(), "en");
    assert_eq!(extraction.claims[0].topic, Topic::Management);
}

#[tokio::test]
async fn the_users_reader_is_asked_with_all_there_is_and_believed() {
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let app = asking(&serving, PATIENT);
    read_by_the_user(&app.extract(&spoken()).await);
    let expected = pb::ExtractRequest {
        quote: QUOTE.into(),
        context: "And the money?".into(),
        said_at: Some(prost_types::Timestamp {
            seconds: 1_772_280_000,
            nanos: 5,
        }),
    };
    assert_eq!(reference.asked(), [expected]);
}

#[tokio::test]
async fn one_that_fails_or_answers_what_cannot_be_is_done_without() {
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let app = asking(&serving, PATIENT);
    for mood in [Mood::Failing, Mood::Nonsense, Mood::Inventing] {
        reference.is(mood);
        read_here(&app.extract(&spoken()).await);
    }
    assert_eq!(reference.asked().len(), 3);
    reference.is(Mood::Well);
    read_by_the_user(&app.extract(&spoken()).await);
}

#[tokio::test]
async fn what_it_does_not_read_is_read_here_and_that_is_no_failure() {
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let app = asking(&serving, PATIENT);
    reference.is(Mood::AtALoss);
    for _ in 0..10 {
        read_here(&app.extract(&spoken()).await);
    }
    assert_eq!(reference.asked().len(), 10);
    reference.is(Mood::Well);
    read_by_the_user(&app.extract(&spoken()).await);
}

#[tokio::test]
async fn one_that_is_slow_is_waited_for_until_the_deadline() {
    let reference = Reference::default();
    reference.is(Mood::Slow);
    let serving = reference.serve("127.0.0.1:0").await;
    let app = asking(&serving, Duration::from_millis(20));
    // It never answers: that this ends is the deadline.
    read_here(&app.extract(&spoken()).await);
}

#[tokio::test]
async fn one_that_goes_away_is_done_without_and_asked_again_when_it_is_back() {
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let app = asking(&serving, PATIENT);
    read_by_the_user(&app.extract(&spoken()).await);

    let address = serving.address.to_string();
    serving.go_away().await;
    read_here(&app.extract(&spoken()).await);
    read_here(&app.extract(&spoken()).await);

    let _back = reference.serve(&address).await;
    read_by_the_user(&app.extract(&spoken()).await);
}

#[tokio::test]
async fn what_is_told_of_a_wrong_answer_is_where_it_is_wrong_and_no_word_of_the_quote() {
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let url = format!("http://{}", serving.address);
    let extractor = RemoteExtractor::at(&url, PATIENT).unwrap();
    for (mood, told) in [
        (Mood::Failing, "it answered Internal"),
        (Mood::Nonsense, "its answer is wrong in claims[0].topic"),
        (Mood::Inventing, "its answer is wrong in claims[0].basis"),
    ] {
        reference.is(mood);
        assert_eq!(extractor.extract(&spoken()).await, Err(told.into()));
    }
}

#[tokio::test]
async fn a_service_that_would_wait_longer_than_a_call_may_take_does_not_start() {
    let settings = Settings {
        store: StoreKind::Memory,
        listen: "127.0.0.1:0".parse().unwrap(),
        extractor: Some("http://127.0.0.1:1".into()),
        extractor_deadline_ms: 10_000,
        ..Settings::default()
    };
    let started = verbatim::grpc::serve::Server::start(&settings).await;
    let refusal = started.err().unwrap();
    assert_eq!(refusal.exit_code(), 64);
    let told = refusal.to_string();
    assert!(
        told.ends_with("extractor_deadline_ms is 10000, deadline_ms 10000"),
        "{told}"
    );
}

/// A reader in this process that obeys the test, and counts.
#[derive(Default)]
struct Staged(Mutex<(Mood, usize)>);

impl Staged {
    fn is(&self, mood: Mood) {
        self.0.lock().unwrap().0 = mood;
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl ClaimExtractor for Staged {
    async fn extract(&self, _: &Spoken) -> Result<Extraction, String> {
        let mood = {
            let mut staged = self.0.lock().unwrap();
            staged.1 += 1;
            staged.0
        };
        match mood {
            Mood::Well => Ok(Extraction {
                claims: Vec::new(),
                read: Read {
                    by: QuoteReader::External,
                    language: Language::new("").unwrap(),
                },
            }),
            Mood::Slow => std::future::pending().await,
            Mood::Failing | Mood::Nonsense | Mood::Inventing | Mood::AtALoss => {
                Err("it is not well".into())
            }
        }
    }
}

/// Time stands still but for what a wait takes and what the test moves it by.
#[tokio::test(start_paused = true)]
async fn one_that_is_slow_again_and_again_costs_five_deadlines_and_then_a_try_each_30_s() {
    let staged = Arc::new(Staged::default());
    let deadline = Duration::from_millis(500);
    let app = app().with_extractor(Arc::clone(&staged) as Arc<dyn ClaimExtractor>, deadline);
    staged.is(Mood::Slow);

    let start = time::Instant::now();
    for _ in 0..20 {
        read_here(&app.extract(&spoken()).await);
    }
    assert_eq!(staged.asked(), 5);
    assert_eq!(start.elapsed().as_millis(), 5 * 500);

    // It rests since the fifth failure.
    time::advance(Duration::from_millis(29_990)).await;
    read_here(&app.extract(&spoken()).await);
    assert_eq!(staged.asked(), 5);
    time::advance(Duration::from_millis(20)).await;
    for _ in 0..3 {
        read_here(&app.extract(&spoken()).await);
    }
    assert_eq!(staged.asked(), 6, "one try, which failed");

    staged.is(Mood::Well);
    time::advance(Duration::from_secs(31)).await;
    for asked in 7..10 {
        let extraction = app.extract(&spoken()).await;
        assert_eq!(extraction.read.by, QuoteReader::External);
        assert_eq!(staged.asked(), asked);
    }
}

/// A reader that answers when it is let, each time with another topic.
struct Held {
    asked: watch::Sender<usize>,
    gate: Semaphore,
}

impl Held {
    fn new() -> Arc<Held> {
        Arc::new(Held {
            asked: watch::Sender::new(0),
            gate: Semaphore::new(0),
        })
    }

    async fn until_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        let waited = time::timeout(PATIENT, asked.wait_for(|asked| times <= *asked)).await;
        waited.unwrap().unwrap();
    }
}

#[async_trait]
impl ClaimExtractor for Held {
    async fn extract(&self, _: &Spoken) -> Result<Extraction, String> {
        let place = *self.asked.borrow();
        self.asked.send_modify(|asked| *asked += 1);
        let _permit = self.gate.acquire().await.unwrap();
        let read = Read {
            by: QuoteReader::External,
            language: Language::new("").unwrap(),
        };
        let claims = claims_on(place as i32 + 1);
        Ok(Extraction { claims, read })
    }
}

fn claims_on(topic: i32) -> Vec<Claim> {
    let claim = pb::Claim {
        topic,
        ..pb::Claim::default()
    };
    let answer = pb::ExtractResponse {
        claims: vec![claim],
        language: String::new(),
    };
    extraction::decode(answer, QUOTE).unwrap().0
}

fn recording(id: &str) -> Recording {
    let mut request = statement();
    let said = request.statement.as_mut().unwrap();
    said.statement_id = id.into();
    said.claims.clear();
    request::record(request, Instant::from_unix(1_772_366_400, 0).unwrap()).unwrap()
}

#[tokio::test]
async fn of_two_at_once_with_one_id_what_was_read_first_is_kept_and_told_to_both() {
    let held = Held::new();
    let extractor = Arc::clone(&held) as Arc<dyn ClaimExtractor>;
    let app = Arc::new(app().with_extractor(extractor, PATIENT));
    let twins = [(); 2].map(|()| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.record(recording("s1")).await.unwrap() })
    });
    held.until_asked(2).await;
    held.gate.add_permits(2);
    let [one, other] = twins;
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_ne!(one.already, other.already);
    assert_eq!(one.statement, other.statement);
    assert_eq!((one.revision, other.revision), (1, 1));
}

#[tokio::test]
async fn while_a_quote_is_read_others_write_to_the_same_deal() {
    let held = Held::new();
    let extractor = Arc::clone(&held) as Arc<dyn ClaimExtractor>;
    let app = Arc::new(app().with_extractor(extractor, PATIENT));
    let waiting = {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.record(recording("s1")).await.unwrap() })
    };
    held.until_asked(1).await;
    let mut given = recording("s2");
    given.statement.claims = claims_on(pb::Topic::Value as i32);
    assert_eq!(app.record(given).await.unwrap().revision, 1);
    held.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().revision, 2);
}

#[tokio::test]
async fn a_service_started_with_a_reader_keeps_what_it_read_and_asks_once() {
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let settings = Settings {
        store: StoreKind::Memory,
        listen: "127.0.0.1:0".parse().unwrap(),
        extractor: Some(format!("http://{}", serving.address)),
        extractor_deadline_ms: 60_000,
        deadline_ms: 60_001,
        ..Settings::default()
    };
    let server = verbatim::grpc::serve::Server::start(&settings)
        .await
        .unwrap();
    let mut client = QualificationServiceClient::new(channel(server.local_addr()).await);
    let mut request = statement();
    let said = request.statement.as_mut().unwrap();
    said.statement_id = "s1".into();
    said.claims.clear();

    let first = client.record_buyer_statement(request.clone()).await;
    let first = first.unwrap().into_inner();
    assert_eq!(
        (&*first.language, first.reader()),
        ("de", pb::QuoteReader::External)
    );
    let kept = first.statement.unwrap().claims;
    assert_eq!(kept[0].topic(), pb::Topic::StatusQuo);
    assert_eq!(kept[0].source(), pb::ClaimSource::Extracted);

    // What would be read by now is another matter: the retry finds what was kept.
    reference.is(Mood::Failing);
    let again = client.record_buyer_statement(request).await;
    let again = again.unwrap().into_inner();
    assert!(again.already_recorded);
    assert_eq!(again.statement.unwrap().claims, kept);
    assert_eq!(reference.asked().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn the_users_reader_is_asked_in_the_trace_of_the_call() {
    let (collector, address) = Collector::start().await;
    let reference = Reference::default();
    let serving = reference.serve("127.0.0.1:0").await;
    let endpoint = format!("http://{address}");
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let reader = format!("http://{}", serving.address);
    let home = tempfile::tempdir().unwrap();
    let data = ["--data", home.path().to_str().unwrap()];
    let service = Operated::start_in(&data, &["--extractor", &reader], &environment);
    let mut client = QualificationServiceClient::new(channel(service.listens).await);
    let mut said = statement();
    said.statement.as_mut().unwrap().claims.clear();
    let mut request = Request::new(said);
    let parent = TRACEPARENT.parse().unwrap();
    request.metadata_mut().insert("traceparent", parent);
    client.record_buyer_statement(request).await.unwrap();
    service.stop().await;

    let spans = collector.spans();
    let asked = spans.iter().find(|span| span.name == "extract").unwrap();
    let (trace, span) = (hex(&asked.trace_id), hex(&asked.span_id));
    assert!(TRACEPARENT.contains(&trace));
    let traced = reference.0.lock().unwrap().traced.clone();
    assert_eq!(traced, Some(format!("00-{trace}-{span}-01")));
}
