//! What `bench --mode pipeline` prints.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::cli::bench::pipeline::Looked;

const MIB: f64 = (1 << 20) as f64;

pub fn looked(looked: &Looked) -> String {
    let Looked {
        deals,
        statements,
        filled_in,
        peak_bytes_filling,
        disk_bytes,
        listening,
        peak_bytes_listening,
        summary_cold,
        summary_cold_cpu,
        peak_bytes_cold,
        summary_warm,
        summary_anew,
        summary_anew_cpu,
        summary_deep,
        list_warm,
        scores_first,
        scores_warm,
        peak_bytes,
    } = looked;
    let ms = |time: &Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let cpu = |time: &Option<Duration>| time.as_ref().map_or("not known here".to_owned(), ms);
    let rate = |time: &Duration| format!("{:.0} deals/s", *deals as f64 / time.as_secs_f64());
    let peak = |bytes: &Option<u64>| match bytes {
        Some(bytes) => format!("{:.0} MiB", *bytes as f64 / MIB),
        None => "not known here".to_owned(),
    };
    let rows = [
        ("peak memory, filling", peak(peak_bytes_filling)),
        ("listens after", format!("{:.2} s", listening.as_secs_f64())),
        ("peak memory by then", peak(peak_bytes_listening)),
        ("SummarizePipeline, the first", ms(summary_cold)),
        ("  of the processors", cpu(summary_cold_cpu)),
        ("peak memory by then", peak(peak_bytes_cold)),
        ("SummarizePipeline, again", ms(summary_warm)),
        ("  as of other moments", ms(summary_anew)),
        ("  of the processors", cpu(summary_anew_cpu)),
        ("  and by top cause", ms(summary_deep)),
        ("ListDeals, the best 50", ms(list_warm)),
        ("ScoreDeals, the first", rate(scores_first)),
        ("ScoreDeals, again", rate(scores_warm)),
        ("peak memory", peak(peak_bytes)),
    ];
    let head = format!(
        "pipeline: {deals} deals, {statements} statements, {:.0} MiB on disk, filled in {:.1} s\n\n",
        *disk_bytes as f64 / MIB,
        filled_in.as_secs_f64(),
    );
    let lines = rows
        .iter()
        .map(|(what, figure)| format!("{what:<32}{figure:>18}\n"));
    head + &lines.collect::<String>()
}

pub fn looked_json(looked: &Looked) -> Value {
    let Looked {
        deals,
        statements,
        filled_in,
        peak_bytes_filling,
        disk_bytes,
        listening,
        peak_bytes_listening,
        summary_cold,
        summary_cold_cpu,
        peak_bytes_cold,
        summary_warm,
        summary_anew,
        summary_anew_cpu,
        summary_deep,
        list_warm,
        scores_first,
        scores_warm,
        peak_bytes,
    } = looked;
    json!({
        "mode": "pipeline",
        "deals": deals,
        "statements": statements,
        "filled_seconds": filled_in.as_secs_f64(),
        "disk_bytes": disk_bytes,
        "listening_seconds": listening.as_secs_f64(),
        "peak_bytes_filling": peak_bytes_filling,
        "peak_bytes_listening": peak_bytes_listening,
        "summary_cold_seconds": summary_cold.as_secs_f64(),
        "summary_cold_cpu_seconds": summary_cold_cpu.map(|time| time.as_secs_f64()),
        "peak_bytes_cold": peak_bytes_cold,
        "summary_warm_seconds": summary_warm.as_secs_f64(),
        "summary_anew_seconds": summary_anew.as_secs_f64(),
        "summary_anew_cpu_seconds": summary_anew_cpu.map(|time| time.as_secs_f64()),
        "summary_deep_seconds": summary_deep.as_secs_f64(),
        "list_warm_seconds": list_warm.as_secs_f64(),
        "scores_first_seconds": scores_first.as_secs_f64(),
        "scores_warm_seconds": scores_warm.as_secs_f64(),
        "peak_bytes": peak_bytes,
    })
}
