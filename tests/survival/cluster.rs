//! A PostgreSQL of a test's own, to be stopped, paused and replaced.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use tempfile::TempDir;
use tokio_postgres::Client;
use tokio_postgres::NoTls;

/// Where `tests/postgres/with-server` has found the programs.
const PROGRAMS: &str = "VERBATIM_TEST_POSTGRES_BIN";

/// A server in a directory of its own, stopped when dropped.
pub struct Cluster {
    programs: PathBuf,
    home: TempDir,
    pub port: u16,
    settings: String,
}

impl Cluster {
    /// A new one that runs; `None` where there are no programs, which is told once by the contract's tests.
    pub fn start() -> Option<Cluster> {
        let cluster = Cluster::stopped()?;
        cluster.run(
            "initdb",
            &["-U", "postgres", "--auth=trust", "--no-sync", "-D"],
        );
        cluster.control("start");
        Some(cluster)
    }

    /// A standby of `primary`, which streams from it.
    pub fn standby_of(primary: &Cluster) -> Cluster {
        let cluster = Cluster::stopped().expect("its primary was made");
        let from = format!("--port={}", primary.port);
        let arguments = ["-h", "127.0.0.1", &from, "-U", "postgres"];
        let arguments = [&arguments[..], &["-R", "-X", "stream", "-c", "fast", "-D"]].concat();
        cluster.run("pg_basebackup", &arguments);
        cluster.control("start");
        cluster
    }

    /// From now on an acknowledgement waits for a standby.
    pub fn wait_for_standby(&mut self) {
        // For starts of this one only: its standby waits for none of its own once it has taken over.
        self.set("-c synchronous_standby_names=* -c synchronous_commit=on");
        self.control("restart -m fast");
    }

    fn stopped() -> Option<Cluster> {
        let programs = PathBuf::from(std::env::var_os(PROGRAMS)?);
        let home = tempfile::tempdir().unwrap();
        // The server does not run as root, and the directory is to be its own.
        if rustix::process::geteuid().is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(home.path())
                .status();
            assert!(owned.unwrap().success());
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        Some(Cluster {
            programs,
            home,
            port,
            settings: String::new(),
        })
    }

    /// Has the next start set this as well: `-c name=value`.
    pub fn set(&mut self, settings: &str) {
        self.settings = settings.to_owned();
    }

    /// `start`, `stop` in a mode, `restart`, `promote`.
    pub fn control(&self, what: &str) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100 {}",
            self.port,
            self.home.path().display(),
            self.settings
        );
        let log = self.home.path().join("log");
        let log = log.to_str().unwrap();
        let mut arguments: Vec<&str> = what.split(' ').collect();
        arguments.extend(["-w", "-t", "60", "-o", &options, "-l", log, "-D"]);
        self.run("pg_ctl", &arguments);
    }

    /// Lets none of its processes run, or all of them again.
    pub fn signal(&self, signal: Signal) {
        let lines = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let postmaster: i32 = lines.lines().next().unwrap().parse().unwrap();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).unwrap();
        let children = children.split_whitespace().map(|id| id.parse().unwrap());
        for id in children.chain([postmaster]) {
            // One that has just ended needs no signal.
            let _ = kill_process(Pid::from_raw(id).unwrap(), signal);
        }
    }

    pub fn url(&self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// Of this one or another, whichever takes writes.
    pub fn url_or(&self, other: &Cluster) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?sslmode=disable",
            self.port, other.port
        )
    }

    pub async fn connect(&self) -> Client {
        let started = Instant::now();
        loop {
            match tokio_postgres::connect(&self.url(), NoTls).await {
                Ok((client, connection)) => {
                    tokio::spawn(connection);
                    return client;
                }
                Err(error) => assert!(started.elapsed() < Duration::from_secs(30), "{error}"),
            }
        }
    }

    pub fn is_running(&self) -> bool {
        self.data().join("postmaster.pid").exists()
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    #[track_caller]
    fn run(&self, program: &str, arguments: &[&str]) {
        let done = self.command(program, arguments).status().unwrap();
        assert!(done.success(), "{program} {arguments:?}: {done}");
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let program = self.programs.join(program);
        let mut command = match rustix::process::geteuid().is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command
            .args(arguments)
            .arg(self.data())
            .current_dir(Path::new("/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.is_running() {
            self.signal(Signal::CONT);
            let stop = ["stop", "-m", "immediate", "-w", "-D"];
            // An error means that it has stopped.
            let _ = self.command("pg_ctl", &stop).status();
        }
    }
}
