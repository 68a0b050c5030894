//! What the server allows, each with a name.

use std::time::Duration;

/// What the server allows.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Unit: bytes of one message, uncompressed, in either form. Default: 1 MiB.
    pub message_bytes_max: usize,
    /// Calls in flight on one connection; more wait on the client's side. Default: 128.
    pub streams_max: u32,
    /// Calls in flight in the process; more are refused. Health checks are not counted. Default: 1,024.
    pub calls_max: usize,
    /// Streaming calls open in the process; more are refused. Default: 4,096.
    pub streaming_calls_max: usize,
    /// The most a call may take that does not stream, also when the caller allows more. Default: 10 s.
    pub deadline: Duration,
    /// How long the server goes on after it reports that it does not serve, so that balancers turn away. Default: 0.
    pub drain: Duration,
    /// How long calls in flight may take to end once the server accepts no more. Default: 10 s.
    pub drain_timeout: Duration,
    /// The origins of web pages that may call, such as `https://crm.example.com`; `*` is any. Default: none.
    pub cors_origins: Vec<String>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_bytes_max: 1 << 20,
            streams_max: 128,
            calls_max: 1_024,
            streaming_calls_max: 4_096,
            deadline: Duration::from_secs(10),
            drain: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
            cors_origins: Vec::new(),
        }
    }
}
