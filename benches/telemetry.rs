//! What a call costs to be counted, timed and traced when nobody is sent anything: the most that "off" may cost.
//!
//! `bare` is a call that only reads the clock at both ends; the others are what the service does for each call, as it is
//! set up without a collector and at the level `info`. A call that is answered takes some 30 us of processor.
//!
//! `cargo bench --bench telemetry`

use divan::Bencher;
use divan::black_box;
use http::HeaderMap;
use http::HeaderValue;
use tokio::time::Instant;
use tonic::Code;
use verbatim::config::LogFormat;
use verbatim::grpc::observed::Methods;
use verbatim::telemetry::Telemetry;
use verbatim::telemetry::log::Log;
use verbatim::telemetry::sending::Sending;

const SCORE: &str = "/verbatim.v1.QualificationService/ScoreDeal";
const WATCH: &str = "/verbatim.v1.ForecastService/WatchDeals";

// That of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    Log::start("info", LogFormat::Json, &Sending::default());
    divan::main();
}

#[divan::bench]
fn bare(bencher: Bencher) {
    bencher.bench_local(|| black_box(Instant::now()).elapsed());
}

#[divan::bench]
fn a_call(bencher: Bencher) {
    bench(bencher, SCORE, HeaderMap::new());
}

#[divan::bench]
fn a_call_in_the_trace_of_its_caller(bencher: Bencher) {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", parent)].map(|(name, value)| {
        let name = http::HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    });
    bench(bencher, SCORE, headers.into_iter().collect());
}

#[divan::bench]
fn a_stream(bencher: Bencher) {
    bench(bencher, WATCH, HeaderMap::new());
}

/// Begins a call, works for it, and ends it.
fn bench(bencher: Bencher, path: &str, headers: HeaderMap) {
    let methods = Methods::new(&Telemetry::default());
    bencher.bench_local(|| {
        let call = methods.begin(black_box(path), black_box(&headers), Instant::now());
        let work = call.within(async { black_box(Code::Ok) });
        let code = futures_util::FutureExt::now_or_never(work).unwrap_or(Code::Unknown);
        call.end(code);
    });
}
