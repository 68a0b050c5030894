//! A stand-in for the server, so that the command line compiles alone. To be replaced whole.

use std::fmt;
use std::net::SocketAddr;

use crate::config::Settings;

/// The running service.
pub struct Server {
    local_addr: SocketAddr,
}

/// Why the service did not start.
#[derive(Debug)]
pub struct StartError;

impl StartError {
    pub fn exit_code(&self) -> u8 {
        70
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this build has no server in it")
    }
}

impl Server {
    pub async fn start(_settings: &Settings) -> Result<Server, StartError> {
        Err(StartError)
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    pub async fn stop(self) {}

    pub async fn ended(&mut self) -> String {
        String::new()
    }
}
