//! What a database does without a service: `pgbench` keeps an event and a state in one prepared statement.
//!
//! The programs of PostgreSQL are run as they are, from the path: `psql` makes the tables, `pgbench` calls.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::config::DatabaseUrl;

/// Bytes of the state of a deal, about those of one of twenty statements.
const STATE_BYTES: usize = 1_500;

/// Threads of `pgbench`.
const THREADS: usize = 2;

const TABLES: &str = "DROP TABLE IF EXISTS verbatim_bench_events, verbatim_bench_states;
CREATE TABLE verbatim_bench_states (deal bigint PRIMARY KEY, revision bigint NOT NULL, body bytea NOT NULL);
CREATE TABLE verbatim_bench_events (deal bigint, revision bigint, body bytea NOT NULL, PRIMARY KEY (deal, revision));";

/// A database beside a service.
pub struct Database {
    /// Statements a second, of each slice.
    pub rates: Vec<f64>,
    /// Their mean latency. Unit: ms.
    pub latency_ms: f64,
    pub state_bytes: usize,
}

impl Database {
    /// Makes the tables anew.
    ///
    /// # Errors
    ///
    /// What `psql` says.
    pub fn begin(url: &DatabaseUrl) -> Result<Database, Failure> {
        let arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", TABLES];
        run(Command::new("psql").arg(url.reveal()).args(arguments))?;
        Ok(Database {
            rates: Vec::new(),
            latency_ms: 0.0,
            state_bytes: STATE_BYTES,
        })
    }

    /// Runs one slice.
    ///
    /// # Errors
    ///
    /// What `pgbench` says.
    pub fn slice(
        &mut self,
        url: &DatabaseUrl,
        directory: &Path,
        event_bytes: usize,
        (deals, callers): (usize, usize),
        time: Duration,
    ) -> Result<(), Failure> {
        let script = directory.join("event-and-state.sql");
        fs::write(&script, statement(deals, event_bytes))
            .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
        let seconds = time.as_secs().max(1);
        let told = run(Command::new("pgbench")
            .args(["-n", "-M", "prepared", "-f"])
            .arg(&script)
            .args(["-c", &callers.to_string(), "-j", &THREADS.to_string()])
            .args(["-T", &seconds.to_string()])
            .arg(url.reveal()))?;
        let rate = figure(&told, "tps = ");
        let latency = figure(&told, "latency average = ");
        let (Some(rate), Some(latency)) = (rate, latency) else {
            let text = format!("pgbench tells no rate: {told}");
            return Err(Failure::new(Exit::Internal, text));
        };
        let before = self.rates.len() as f64;
        self.latency_ms = (self.latency_ms * before + latency) / (before + 1.0);
        self.rates.push(rate);
        Ok(())
    }

    pub fn per_second(&self) -> f64 {
        self.rates.iter().sum::<f64>() / self.rates.len().max(1) as f64
    }
}

fn statement(deals: usize, event_bytes: usize) -> String {
    format!(
        "\\set deal random(1, {deals})\n\
         WITH state AS (\n\
             INSERT INTO verbatim_bench_states (deal, revision, body) VALUES (:deal, 1, '\\x{}')\n\
             ON CONFLICT (deal) DO UPDATE SET revision = verbatim_bench_states.revision + 1, body = excluded.body\n\
             RETURNING deal, revision\n\
         ) INSERT INTO verbatim_bench_events (deal, revision, body) SELECT deal, revision, '\\x{}' FROM state;\n",
        "ab".repeat(STATE_BYTES),
        "cd".repeat(event_bytes),
    )
}

fn run(command: &mut Command) -> Result<String, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |why: String| {
        // Not the command: the URL in it has a password.
        Failure::new(Exit::Internal, format!("{program}: {why}"))
    };
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(failed(why));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The number behind `label`.
fn figure(told: &str, label: &str) -> Option<f64> {
    let (_, rest) = told.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_tells_is_read() {
        let told = "latency average = 5.313 ms\ninitial connection time = 50 ms\n\
                    tps = 12045.501 (without initial connection time)\n";
        assert_eq!(figure(told, "tps = "), Some(12_045.501));
        assert_eq!(figure(told, "latency average = "), Some(5.313));
        assert_eq!(figure("pgbench: error", "tps = "), None);
    }
}
