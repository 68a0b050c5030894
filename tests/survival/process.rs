//! The real binary as a child process; what it says on standard error is kept.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::thread::JoinHandle;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

/// `verbatim serve`, serving. Killed when dropped.
pub struct Service {
    child: Child,
    pub url: String,
    rest: Option<JoinHandle<String>>,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stderr: String,
}

impl Service {
    /// Starts the service on a directory and waits until it listens.
    #[track_caller]
    pub fn start(data: &Path) -> Service {
        match Service::try_start(data) {
            Ok(service) => service,
            Err(ended) => panic!("it does not serve: {ended:?}"),
        }
    }

    /// Starts the service on a database, with further settings, and waits until it listens.
    #[track_caller]
    pub fn start_on(url: &str, settings: &[&str]) -> Service {
        let mut command = command();
        // By the variable, as the password should come.
        command.args(settings).env("VERBATIM_STORE", url);
        match Service::listening(command.spawn().unwrap()) {
            Ok(service) => service,
            Err(ended) => panic!("it does not serve: {ended:?}"),
        }
    }

    /// Starts the service on a directory; answers once it listens or has ended.
    pub fn try_start(data: &Path) -> Result<Service, Ended> {
        Service::listening(spawn(data))
    }

    fn listening(child: Child) -> Result<Service, Ended> {
        let mut service = Service {
            child,
            url: String::new(),
            rest: None,
        };
        let mut stderr = BufReader::new(service.child.stderr.take().unwrap());
        let mut said = String::new();
        loop {
            let before = said.len();
            if stderr.read_line(&mut said).unwrap() == 0 {
                service.rest = Some(thread::spawn(move || said));
                return Err(service.wait());
            }
            if let Some((_, rest)) = said[before..].split_once(" listens on ") {
                let (url, _) = rest.split_once(';').unwrap();
                service.url = url.to_owned();
                service.rest = Some(thread::spawn(move || read_on(stderr, said)));
                return Ok(service);
            }
        }
    }

    /// Ends it the hard way, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> Ended {
        let code = self.child.wait().unwrap().code();
        let stderr = self.rest.take().unwrap().join().unwrap();
        Ended { code, stderr }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the service and kills it once it holds its directory, while it recovers.
pub fn kill_while_it_opens(data: &Path) {
    let mut child = spawn(data);
    let lock = data.join("lock");
    let id = child.id().to_string();
    while std::fs::read_to_string(&lock).is_ok_and(|holder| holder != id) {
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn spawn(data: &Path) -> Child {
    command().arg("--data").arg(data).spawn().unwrap()
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verbatim"));
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        // Settings of whoever runs the tests stay out; a panic shows all it has.
        .env_clear()
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn read_on(mut stderr: BufReader<ChildStderr>, mut said: String) -> String {
    stderr.read_to_string(&mut said).unwrap();
    said
}
