//! What it costs to be watched: the same service without telemetry, with its numbers, some of its traces
//! and all of them sent to a collector, in alternating slices. The collector is the echo server, which reads and forgets.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::cli::bench::BenchArgs;
use crate::cli::bench::book;
use crate::cli::bench::book::Book;
use crate::cli::bench::callers::Crowd;
use crate::cli::bench::callers::Run;
use crate::cli::bench::compare;
use crate::cli::bench::fill;
use crate::cli::bench::process::Process;
use crate::cli::bench::report;
use crate::cli::bench::work::Mix;
use crate::cli::bench::work::Work;
use crate::cli::failure::Failure;

/// Slices of each service, taken in turn.
const SLICES: u32 = 5;

/// How a service is watched, and by which settings of OpenTelemetry; the endpoint is added.
const WATCHED: [(&str, &[(&str, &str)]); 4] = [
    ("off", &[("OTEL_SDK_DISABLED", "true")]),
    (
        "numbers are sent",
        &[
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ],
    ),
    (
        "1 trace of 100",
        &[
            ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.01"),
        ],
    ),
    ("all traces", &[("OTEL_METRIC_EXPORT_INTERVAL", "1000")]),
];

/// What being watched costs.
pub struct Watched {
    crowd: Crowd,
    slice: Duration,
    /// The first is the service that nobody watches.
    services: Vec<Service>,
}

struct Service {
    name: &'static str,
    process: Process,
    run: Run,
}

/// Fills a service for each way of being watched, and measures scoring in turn.
pub async fn run(args: &BenchArgs) -> Result<Watched, Failure> {
    let crowd = args.crowd();
    let deals = args.deals.unwrap_or(2_000);
    let place = compare::place(args.directory.as_deref())?;
    let collector = Process::start(&["bench-echo", "--response-bytes", "0"])?;
    let book = Book::new();
    let work = Arc::new(Work::of_deals(Mix::Score, book, 0, deals));
    let warm_up = Duration::from_secs(args.warm_up);

    let mut services = Vec::new();
    for (number, (name, settings)) in WATCHED.into_iter().enumerate() {
        let data = place.path().join(number.to_string());
        let process = serve(&data, &collector.url, settings)?;
        fill::fill(&process.url, book, vec![book::STATEMENTS; deals]).await?;
        compare::measured(&process.url, Some(&process), crowd, &work, warm_up).await?;
        services.push(Service {
            name,
            process,
            run: Run::new(),
        });
    }
    let slice = Duration::from_secs(args.seconds) / SLICES;
    for _ in 0..SLICES {
        for Service { process, run, .. } in &mut services {
            let measured = compare::measured(&process.url, Some(process), crowd, &work, slice);
            run.add(measured.await?);
            // What is left to be sent is sent in its own time, and not in the next one's.
            thread::sleep(slice / 4);
        }
    }
    Ok(Watched {
        crowd,
        slice,
        services,
    })
}

fn serve(data: &Path, collector: &str, settings: &[(&str, &str)]) -> Result<Process, Failure> {
    let data = data.to_string_lossy();
    let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector)];
    variables.extend(settings);
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"];
    Process::start_with(&[&arguments[..], &["--data", &data]].concat(), &variables)
}

pub fn told(watched: &Watched) -> String {
    let Watched {
        crowd,
        slice,
        services,
    } = watched;
    let mut text = format!(
        "telemetry: ScoreDeal, {} callers, {} connections, slices of {:.1} s in turn\n\n{}",
        crowd.callers,
        crowd.connections,
        slice.as_secs_f64(),
        report::HEAD,
    );
    for Service { name, run, .. } in services {
        text += &report::row(name, run);
    }
    text += "\nto the service that is off   calls/s       p99\n";
    let off = &services[0].run;
    for Service { name, run, .. } in &services[1..] {
        text += &report::ratio(name, run, off);
    }
    text + report::CLIENT
}

pub fn json(watched: &Watched) -> Value {
    let off = &watched.services[0].run;
    let services = watched.services.iter().map(|service| {
        json!({
            "telemetry": service.name,
            "service": report::run_json(&service.run),
            "to_off": service.run.per_second() / off.per_second(),
        })
    });
    json!({
        "mode": "telemetry",
        "callers": watched.crowd.callers,
        "connections": watched.crowd.connections,
        "slice_seconds": watched.slice.as_secs_f64(),
        "services": services.collect::<Vec<Value>>(),
    })
}
