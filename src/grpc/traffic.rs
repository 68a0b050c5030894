//! The calls of one message each way that are under way: bounded, and seen by the streams that give way to them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

/// How long after a call a stream still gives way.
///
/// A guess. Were it longer, an import beside a caller who comes now and then would be slow all the time; were it shorter,
/// callers in a loop would be slowed down between two of their calls.
const LULL: Duration = Duration::from_millis(10);

/// Calls, counted as they begin and while they are under way.
// Counts only: they order no other memory.
#[derive(Debug, Default)]
pub struct Traffic {
    in_flight: AtomicUsize,
    begun: AtomicU64,
}

/// A place among the calls in flight, given back on drop.
#[derive(Debug)]
pub struct Place<'a>(&'a Traffic);

/// One stream's view of the calls beside it.
#[derive(Debug)]
pub struct Lookout {
    traffic: Arc<Traffic>,
    begun: u64,
    called_at: Option<Instant>,
}

impl Traffic {
    /// A place, unless as many are taken as there may be.
    pub fn take(&self, calls_max: usize) -> Option<Place<'_>> {
        let place = Place(self);
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        (before < calls_max).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lookout {
    /// Sees those that come from now on, and those under way.
    pub fn over(traffic: Arc<Traffic>) -> Lookout {
        let begun = traffic.begun.load(Ordering::Relaxed);
        Lookout {
            traffic,
            begun,
            called_at: None,
        }
    }

    /// Whether a call is under way, or has come since it was last asked or not long before.
    pub fn sees_calls(&mut self) -> bool {
        if 0 < self.traffic.in_flight.load(Ordering::Relaxed) {
            return true;
        }
        let now = Instant::now();
        let begun = self.traffic.begun.load(Ordering::Relaxed);
        if begun != self.begun {
            self.begun = begun;
            self.called_at = Some(now);
        }
        self.called_at.is_some_and(|at| now - at < LULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_refused_when_all_are_taken_and_given_back_on_drop() {
        let traffic = Traffic::default();
        let first = traffic.take(2);
        let second = traffic.take(2);
        assert!(first.is_some() && second.is_some());
        assert!(traffic.take(2).is_none());
        drop(first);
        assert!(traffic.take(2).is_some());
        drop(second);
        assert_eq!(traffic.in_flight.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lookout_sees_calls_until_there_was_none_for_a_while() {
        let traffic = Arc::new(Traffic::default());
        drop(traffic.take(1));
        let mut lookout = Lookout::over(Arc::clone(&traffic));
        assert!(!lookout.sees_calls(), "one from before it looked");

        drop(traffic.take(1));
        assert!(lookout.sees_calls());
        tokio::time::advance(LULL / 2).await;
        assert!(lookout.sees_calls());
        drop(traffic.take(1));
        assert!(lookout.sees_calls());
        tokio::time::advance(LULL).await;
        assert!(!lookout.sees_calls());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lookout_sees_a_call_for_as_long_as_it_takes() {
        let traffic = Arc::new(Traffic::default());
        let call = traffic.take(1);
        let mut lookout = Lookout::over(Arc::clone(&traffic));
        tokio::time::advance(2 * LULL).await;
        assert!(lookout.sees_calls());
        drop(call);
        assert!(!lookout.sees_calls());
    }
}
