//! What `bench` prints: for people, and for programs.

pub mod pipeline;

use serde_json::Value;
use serde_json::json;

use crate::cli::bench::callers::Run;
use crate::cli::bench::compare::Comparison;
use crate::cli::bench::history::Length;
use crate::cli::bench::open::Opened;
use crate::cli::bench::work::Mix;

const MIB: f64 = (1 << 20) as f64;

pub const HEAD: &str =
    "                      calls/s    p50 us    p99 us  p99.9 us    max us  server CPU us/call\n";

pub const CLIENT: &str =
    "The callers take their share of this machine; ratios count, figures drift.\n";

pub fn comparison(comparison: &Comparison) -> String {
    let Comparison {
        mix,
        crowd,
        deals,
        slice,
        request_bytes,
        response_bytes,
        service,
        baselines,
        disk,
        database,
    } = comparison;
    let mut text = format!(
        "{}: {} callers, {} connections, {deals} deals, slices of {:.1} s in turn\n\
         request {request_bytes} B, answer {response_bytes} B\n\n{HEAD}",
        name(*mix),
        crowd.callers,
        crowd.connections,
        slice.as_secs_f64(),
    );
    text += &row("service", service);
    for baseline in baselines {
        text += &row(baseline.name, &baseline.run);
    }
    if let Some(disk) = disk {
        text += &row("file, sync a group", &disk.file);
        text += &format!("file, groups of 64  {:9.0}\n", disk.bound_per_second);
    }
    text += "\nservice to         calls/s       p99\n";
    for baseline in baselines {
        text += &ratio(baseline.name, service, &baseline.run);
    }
    if let Some(disk) = disk {
        text += &ratio("file, sync a group", service, &disk.file);
        text += &format!(
            "{} B an event; {} durable acks, {:.0}/s\n",
            disk.record_bytes,
            service.acks,
            service.acks as f64 / service.time.as_secs_f64(),
        );
    }
    if let Some(database) = database {
        text += &format!(
            "service/pgbench {:.2} (pgbench: {:.0}/s at {:.1} ms, an event and {} B of state in one statement)\n",
            service.per_second() / database.per_second(),
            database.per_second(),
            database.latency_ms,
            database.state_bytes,
        );
    }
    text + CLIENT
}

pub fn comparison_json(comparison: &Comparison) -> Value {
    let Comparison {
        mix,
        crowd,
        deals,
        slice,
        request_bytes,
        response_bytes,
        service,
        baselines,
        disk,
        database,
    } = comparison;
    let mut value = json!({
        "mode": name(*mix),
        "callers": crowd.callers,
        "connections": crowd.connections,
        "deals": deals,
        "slice_seconds": slice.as_secs_f64(),
        "request_bytes": request_bytes,
        "response_bytes": response_bytes,
        "service": run_json(service),
        "baselines": baselines.iter().map(|baseline| json!({
            "name": baseline.name,
            "run": run_json(&baseline.run),
            "service_to_it": service.per_second() / baseline.run.per_second(),
            "service_to_it_p99": service.quantile_us(0.99) / baseline.run.quantile_us(0.99),
        })).collect::<Vec<Value>>(),
    });
    if let Some(disk) = disk {
        value["file"] = run_json(&disk.file);
        value["record_bytes"] = json!(disk.record_bytes);
        value["file_groups_of_64_per_second"] = json!(disk.bound_per_second);
        value["service_to_file"] = json!(service.per_second() / disk.file.per_second());
        value["service_to_file_p99"] =
            json!(service.quantile_us(0.99) / disk.file.quantile_us(0.99));
    }
    if let Some(database) = database {
        value["pgbench_per_second"] = json!(database.per_second());
        value["pgbench_latency_ms"] = json!(database.latency_ms);
        value["service_to_pgbench"] = json!(service.per_second() / database.per_second());
    }
    value
}

pub fn history(lengths: &[Length]) -> String {
    let mut text = format!("ScoreDeal by the length of a deal's history\n\n{HEAD}");
    for length in lengths {
        text += &row(&format!("{} statements", length.statements), &length.run);
    }
    text += "\n";
    for (length, ratio) in to_first(lengths) {
        text += &format!(
            "{} statements: {ratio:.2} of the calls/s of the first\n",
            length.statements
        );
    }
    text + CLIENT
}

pub fn history_json(lengths: &[Length]) -> Value {
    let lengths: Vec<Value> = to_first(lengths)
        .map(|(length, ratio)| {
            json!({
                "statements": length.statements,
                "service": run_json(&length.run),
                "to_first": ratio,
            })
        })
        .collect();
    json!({ "mode": "history", "lengths": lengths })
}

pub fn opened(opened: &Opened) -> String {
    let Opened {
        deals,
        statements,
        filled_in,
        disk_bytes,
        listening,
        answered,
        peak_bytes_open,
        peak_bytes_scanned,
        scan,
    } = opened;
    let peak = |bytes: &Option<u64>| match bytes {
        Some(bytes) => format!("{:.0} MiB", *bytes as f64 / MIB),
        None => "not known here".to_owned(),
    };
    format!(
        "cold open: {deals} deals, {statements} statements, {:.0} MiB on disk, filled in {:.1} s\n\n\
         listens after                     {:.2} s\n\
         first ScoreDeal answered after    {:.2} s\n\
         peak memory by then               {}\n\
         peak memory, all deals scored     {}\n\n{HEAD}{}",
        *disk_bytes as f64 / MIB,
        filled_in.as_secs_f64(),
        listening.as_secs_f64(),
        answered.as_secs_f64(),
        peak(peak_bytes_open),
        peak(peak_bytes_scanned),
        row("each deal once", scan),
    )
}

pub fn opened_json(opened: &Opened) -> Value {
    let Opened {
        deals,
        statements,
        filled_in,
        disk_bytes,
        listening,
        answered,
        peak_bytes_open,
        peak_bytes_scanned,
        scan,
    } = opened;
    json!({
        "mode": "open",
        "deals": deals,
        "statements": statements,
        "filled_seconds": filled_in.as_secs_f64(),
        "disk_bytes": disk_bytes,
        "listening_seconds": listening.as_secs_f64(),
        "answered_seconds": answered.as_secs_f64(),
        "peak_bytes_open": peak_bytes_open,
        "peak_bytes_scanned": peak_bytes_scanned,
        "scan": run_json(scan),
    })
}

fn name(mix: Mix) -> &'static str {
    match mix {
        Mix::Score => "score",
        Mix::Record => "record",
        Mix::Explain => "explain",
        Mix::Mixed => "mixed",
    }
}

fn to_first(lengths: &[Length]) -> impl Iterator<Item = (&Length, f64)> {
    let first = lengths.first().map_or(1.0, |first| first.run.per_second());
    lengths
        .iter()
        .map(move |length| (length, length.run.per_second() / first))
}

pub fn ratio(label: &str, service: &Run, other: &Run) -> String {
    format!(
        "  {label:<18} {:8.2} {:9.2}\n",
        service.per_second() / other.per_second(),
        service.quantile_us(0.99) / other.quantile_us(0.99)
    )
}

pub fn row(label: &str, run: &Run) -> String {
    let cpu = run
        .server_cpu_us()
        .map_or_else(String::new, |cpu| format!("{cpu:20.1}"));
    let mut row = format!(
        "{label:<19} {:9.0} {:9.0} {:9.0} {:9.0} {:9.0}{cpu}\n",
        run.per_second(),
        run.quantile_us(0.5),
        run.quantile_us(0.99),
        run.quantile_us(0.999),
        run.max_us(),
    );
    for (code, count) in &run.errors {
        row += &format!("  {count} answered {code}\n");
    }
    row
}

pub fn run_json(run: &Run) -> Value {
    json!({
        "calls_per_second": run.per_second(),
        "p50_us": run.quantile_us(0.5),
        "p99_us": run.quantile_us(0.99),
        "p999_us": run.quantile_us(0.999),
        "max_us": run.max_us(),
        "durable_acks": run.acks,
        "errors": run.errors,
        "server_cpu_us_per_call": run.server_cpu_us(),
    })
}
