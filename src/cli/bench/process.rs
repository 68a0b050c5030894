//! A service, or the echo server, as a process of its own, and what it used.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::config;

/// A process that is killed when this is dropped.
pub struct Process {
    child: Child,
    pub url: String,
    /// When it was started.
    pub started: Instant,
}

impl Process {
    /// Starts this binary with these arguments and waits until it says where it listens.
    ///
    /// # Errors
    ///
    /// Internal, with its own words, when it ended instead.
    pub fn start(arguments: &[&str]) -> Result<Process, Failure> {
        Process::start_with(arguments, &[])
    }

    /// The same with these variables. Errors as [`Process::start`].
    pub fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Process, Failure> {
        let failed = |why: String| {
            let text = format!("cannot run `verbatim {}`: {why}", arguments.join(" "));
            Failure::new(Exit::Internal, text)
        };
        let program = config::program().map_err(|error| failed(error.to_string()))?;
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let stderr = child.stderr.take().expect("it was piped");
        let mut lines = BufReader::new(stderr).lines();

        let mut said = Vec::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ended = child.wait();
                return Err(failed(said.join("\n")));
            };
            if let Some(url) = listening(&line) {
                break url.to_owned();
            }
            said.push(line);
        };
        // A pipe that nobody reads would stop it once it is full.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                eprintln!("{line}");
            }
        });
        Ok(Process {
            child,
            url,
            started,
        })
    }

    /// The processor time it has used so far; `None` where the system does not tell.
    pub fn cpu(&self) -> Option<Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let mut nanos = 0;
        for task in tasks {
            let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            nanos += text.split(' ').next()?.parse::<u64>().ok()?;
        }
        Some(Duration::from_nanos(nanos))
    }

    /// The most memory it has held so far, in bytes; `None` where the system does not tell.
    pub fn peak_bytes(&self) -> Option<u64> {
        peak_bytes_of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URL in a line such as `verbatim 0.1.0 listens on http://127.0.0.1:7450; …`.
fn listening(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("listens on ")?;
    rest.split([';', ' ']).next()
}

/// The most memory a process has had resident. Unit: bytes. `None` where the system does not tell.
pub fn peak_bytes_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_listens_is_read_from_its_first_words() {
        let check = |line, url| assert_eq!(listening(line), url, "{line}");
        check(
            "verbatim 0.1.0 listens on http://127.0.0.1:7450; deals are kept in x",
            Some("http://127.0.0.1:7450"),
        );
        check(
            "verbatim bench-echo listens on http://[::1]:1",
            Some("http://[::1]:1"),
        );
        check("verbatim: no", None);
    }
}
