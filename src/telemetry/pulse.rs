//! Whether the threads that answer calls still run: a task of theirs beats, and a thread that is not theirs looks.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// How often it beats.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Silence after which only a restart helps: longer than any call may take the thread it is on.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The last beat; none before the service has started and after it has ended. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    pub fn beat(&self, now: Instant) {
        *self.last() = Some(now);
    }

    /// Nothing beats any more, and nothing should.
    pub fn end(&self) {
        *self.last() = None;
    }

    /// For how long there was no beat, when that is too long.
    pub fn silent(&self, now: Instant) -> Option<Duration> {
        let silence = now.saturating_duration_since((*self.last())?);
        (SILENCE_MAX < silence).then_some(silence)
    }

    // A moment is written whole, so a poisoned lock guards a whole one.
    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_that_runs_can_be_silent_and_only_for_longer_than_allowed() {
        let pulse = Pulse::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(pulse.silent(start + 100 * second), None);
        pulse.beat(start);
        assert_eq!(pulse.silent(start + SILENCE_MAX), None);
        let late = SILENCE_MAX + second;
        assert_eq!(pulse.silent(start + late), Some(late));
        pulse.end();
        assert_eq!(pulse.silent(start + late), None);
    }
}
