//! The time of day. The system's clock is read here and nowhere else.

use std::sync::Mutex;
use std::time::SystemTime;

use crate::domain::time::Instant;
use crate::domain::time::Span;

/// Tells the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Instant;
}

/// The system's clock.
pub struct SystemClock;

/// A clock that stands still until it is set; for tests.
pub struct ManualClock(Mutex<Instant>);

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        // A clock set before 1970 or past 2199 is held at the end of the range rather than believed.
        SystemTime::UNIX_EPOCH
            .elapsed()
            .ok()
            .and_then(|elapsed| {
                let seconds = i64::try_from(elapsed.as_secs()).ok()?;
                Instant::from_unix(seconds, elapsed.subsec_nanos() as i32).ok()
            })
            .unwrap_or(Instant::MIN)
    }
}

impl ManualClock {
    pub fn at(now: Instant) -> ManualClock {
        ManualClock(Mutex::new(now))
    }

    pub fn set(&self, now: Instant) {
        *self.lock() = now;
    }

    pub fn advance(&self, span: Span) {
        let mut now = self.lock();
        *now = now.plus(span);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Instant> {
        // The value is copied in one step, so a panic elsewhere cannot leave it half written.
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.lock()
    }
}
