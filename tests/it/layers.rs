//! The direction of the arrows: which module may name which. Reads the lines of `src/` that name others.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// What each top module may name of ours, beside itself.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("language", &["domain"]),
    ("conversation", &["domain"]),
    ("wire", &["domain"]),
    ("clock", &["domain"]),
    ("config", &[]),
    ("telemetry", &["config"]),
    // What stores count is counted as it happens; a password is shown by nobody who has the type of its URL.
    ("store", &["config", "telemetry"]),
    ("model_file", &["domain"]),
    (
        "app",
        &[
            "domain",
            "language",
            "conversation",
            "wire",
            "store",
            "clock",
            "config",
            "telemetry",
        ],
    ),
    ("json", &["domain", "wire", "app"]),
    // The operations port knows nothing of calls and deals.
    ("ops", &["config", "telemetry"]),
    // `grpc::door` hangs the JSON door beside the others.
    (
        "grpc",
        &[
            "domain",
            "conversation",
            "wire",
            "app",
            "store",
            "clock",
            "config",
            "telemetry",
            "model_file",
            "json",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "language",
            "conversation",
            "wire",
            "app",
            "store",
            "clock",
            "config",
            "telemetry",
            "model_file",
            "grpc",
            "ops",
        ],
    ),
    ("main", &["cli", "config", "telemetry"]),
];

/// Where else alone a crate, or a part of the standard library, may be named.
const ONLY_IN: &[(&str, &[&str])] = &[
    // Telemetry is sent to collectors by gRPC.
    (
        "tonic",
        &[
            "grpc",
            "json",
            "cli",
            "wire.rs",
            "wire/codec.rs",
            "telemetry",
        ],
    ),
    ("tonic_health", &["grpc", "cli"]),
    ("tonic_reflection", &["grpc"]),
    ("tonic_types", &["grpc", "json", "cli"]),
    ("tonic_web", &["grpc"]),
    ("tower", &["grpc", "json", "cli"]),
    ("tower_http", &["grpc"]),
    ("prost", &["wire", "grpc", "json", "cli"]),
    ("prost_types", &["wire", "grpc", "json", "cli"]),
    ("prost_reflect", &["json", "cli"]),
    ("sled", &["store/embedded", "store/embedded.rs"]),
    ("tokio_postgres", &["store/postgres", "store/postgres.rs"]),
    (
        "deadpool_postgres",
        &["store/postgres", "store/postgres.rs"],
    ),
    ("tokio_postgres_rustls", &["store/postgres"]),
    ("rustls", &["store/postgres"]),
    ("prometheus", &["telemetry"]),
    ("tracing_subscriber", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_appender_tracing", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_proto", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
    (
        "hyper",
        &["ops", "grpc/connections.rs", "cli/healthcheck.rs"],
    ),
    (
        "hyper_util",
        &["ops", "grpc/connections.rs", "cli/healthcheck.rs"],
    ),
    ("jiff", &["domain", "cli", "clock.rs"]),
    ("mail_parser", &["conversation"]),
    ("encoding_rs", &["conversation"]),
    ("std::env", &["config", "config.rs"]),
    // What telemetry stamps is when it was measured, and no moment of a deal.
    ("std::time::SystemTime", &["clock.rs", "telemetry"]),
];

/// What the domain, and the reading of language and of conversations, do without.
const NOT_IN_PURE: &[&str] = &[
    "serde",
    "serde_json",
    "tonic",
    "tokio",
    "tracing",
    "prost",
    "async_trait",
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "uuid",
];

/// What a pure module has all the same: some transcripts are JSON.
const BUT_IN: &[(&str, &str)] = &[("serde_json", "conversation")];

const LINES_MAX: usize = 400;

struct Source {
    /// Below `src/`, such as `grpc/status.rs`.
    path: String,
    /// The lines before the test module, and all of them.
    lines: Vec<String>,
    lines_count: usize,
}

#[test]
fn every_module_names_only_what_is_below_it() {
    let breaches: Vec<String> = sources().iter().flat_map(breaches).collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn the_check_bites() {
    let check = |path: &str, line: &str, expected: usize| {
        let source = Source {
            path: path.into(),
            lines: vec![line.into()],
            lines_count: 1,
        };
        assert_eq!(breaches(&source).len(), expected, "{path}: {line}");
    };
    check("domain/score.rs", "use crate::domain::event::Event;", 0);
    check("domain/score.rs", "use crate::store::Store;", 1);
    check("domain/score.rs", "use tokio::sync::Mutex;", 1);
    check("domain/score.rs", "use crate::language::Reading;", 1);
    check("language.rs", "use serde::Deserialize;", 1);
    check("language/model.rs", "use crate::domain::topic::Topic;", 0);
    check("conversation/email.rs", "use crate::language::Reading;", 1);
    check("conversation/email.rs", "use std::fs::File;", 1);
    check("conversation/entries.rs", "use serde_json::Value;", 0);
    check("domain/score.rs", "use serde_json::Value;", 1);
    check("app.rs", "use crate::grpc::limits::Limits;", 1);
    check(
        "app.rs",
        "    let status = tonic::Status::internal(\"\");",
        1,
    );
    check("domain/score.rs", "use crate::telemetry::Telemetry;", 1);
    check("app.rs", "use prometheus::IntCounter;", 1);
    check("ops.rs", "use crate::app::App;", 1);
    check("store/memory.rs", "use sled::Db;", 1);
    check("store/embedded/engine.rs", "use sled::Db;", 0);
    check("store/memory.rs", "use tokio_postgres::Row;", 1);
    check("store/postgres/reads.rs", "use tokio_postgres::Row;", 0);
    check("app.rs", "use deadpool_postgres::Pool;", 1);
    check("grpc/serve.rs", "use std::time::SystemTime;", 1);
    check("grpc/serve.rs", "use crate::json;", 0);
    check("json.rs", "use crate::grpc::status;", 1);
    check("grpc/serve.rs", "use std::{fs, env};", 1);
    check("grpc/serve.rs", "use super::status;", 1);
    check("grpc/serve.rs", "pub use crate::wire::pb::*;", 1);
    check("cli/load.rs", "use std::env;", 1);
    check("new.rs", "use crate::domain::text::Id;", 1);
    let long = Source {
        path: "app.rs".into(),
        lines: Vec::new(),
        lines_count: LINES_MAX + 1,
    };
    assert_eq!(breaches(&long).len(), 1);
}

fn breaches(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut found = Vec::new();
    if LINES_MAX < source.lines_count {
        found.push(format!("{path} has {} lines", source.lines_count));
    }
    for line in &source.lines {
        let code = line.trim();
        if code.starts_with("//") {
            continue;
        }
        let is_use = code.starts_with("use ") || code.starts_with("pub use ");
        if is_use && code.contains('{') {
            found.push(format!("{path}: one item a line: {code}"));
        }
        if is_use && code.contains('*') || code.contains("super::") {
            found.push(format!("{path}: `super::` and globs are for tests: {code}"));
        }
        if let Some(named) = code.split("crate::").nth(1).map(first_word)
            && !may_name(path, named)
        {
            found.push(format!("{path}: may not name crate::{named}: {code}"));
        }
        for (foreign, places) in ONLY_IN {
            if names(code, foreign) && !places.iter().any(|place| is_within(path, place)) {
                found.push(format!("{path}: {foreign} is not for here: {code}"));
            }
        }
        for foreign in NOT_IN_PURE {
            let only = ONLY_IN.iter().any(|(only, _)| only == foreign);
            let is_pure = ["domain", "language", "conversation"]
                .iter()
                .any(|pure| is_within(path, pure))
                && !BUT_IN
                    .iter()
                    .any(|(but, place)| but == foreign && is_within(path, place));
            if is_pure && !only && names(code, foreign) {
                found.push(format!("{path}: does without {foreign}: {code}"));
            }
        }
    }
    found
}

fn may_name(path: &str, named: &str) -> bool {
    let module = first_word(path);
    // The crate's root only lists modules.
    if module == "lib" || module == named {
        return true;
    }
    MAY_NAME
        .iter()
        .any(|(known, below)| *known == module && below.contains(&named))
}

/// Whether a line of code names a crate or a path: at its start, or after anything that is not part of a name.
fn names(code: &str, foreign: &str) -> bool {
    code.match_indices(foreign).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + foreign.len()..];
        let starts = !before.is_some_and(|c| {
            c.is_alphanumeric() || matches!(c, '_' | ':' | '"' | '`' | '-' | '/' | '.')
        });
        let path =
            after.starts_with("::") || (foreign.contains("::") && after.starts_with([';', ',']));
        starts && path
    })
}

fn is_within(path: &str, place: &str) -> bool {
    path == place || path == format!("{place}.rs") || path.starts_with(&format!("{place}/"))
}

fn first_word(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    assert!(20 < paths.len(), "the sources are where they were");
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let all: Vec<String> = text.lines().map(str::to_owned).collect();
            let lines_count = all.len();
            let below = path.strip_prefix(&root).unwrap();
            Source {
                path: below.to_str().unwrap().replace('\\', "/"),
                lines: all
                    .into_iter()
                    .take_while(|line| !line.ends_with("mod tests {"))
                    .collect(),
                lines_count,
            }
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}
