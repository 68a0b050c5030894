//! Keeps sled's log short while a store is written that nobody waits for.
//!
//! sled moves what is left in mostly replaced segments of its log on one thread, the one that also flushes in the
//! background. A service has none: each group is flushed before it is acknowledged, and nothing behind it. So its log grows to
//! about three bytes for each that is in it. Here that thread runs, half of the time, and the writer waits for it: it
//! could not keep up else, and a file that has grown stays long. Measured: 82 MB where it was 158, for 55 MB of
//! records; without the waits 127 to 134.

use std::thread;
use std::time::Duration;

/// How often that thread looks for work, in milliseconds; it works for half of it.
pub const EVERY_MS: u64 = 5;

/// How long the writer waits, and after how many bytes of events.
const PAUSE: Duration = Duration::from_millis(5);
const BYTES_BETWEEN: u64 = 64 << 10;

/// Bytes of log for each byte of event beyond which it waits longer, on a machine that has much else to do; and how
/// often it does, since a store of tiny events has more.
const ENOUGH: u64 = 2;
const PAUSES_MAX: u32 = 5;

/// Tells the writer when to wait.
#[derive(Default)]
pub struct Pace {
    written: u64,
    since: u64,
}

impl Pace {
    /// So many more bytes of events were written, to a log whose length can be asked for.
    pub fn wrote(&mut self, event_bytes: u64, log_bytes: impl Fn() -> u64) {
        self.written += event_bytes;
        self.since += event_bytes;
        if self.since < BYTES_BETWEEN {
            return;
        }
        self.since = 0;
        for _ in 0..PAUSES_MAX {
            thread::sleep(PAUSE);
            if log_bytes() <= ENOUGH * self.written {
                return;
            }
        }
    }
}
