//! Whether a reader that failed again and again is asked once more.
//!
//! Pure but for the moment it is told, so that a test says what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row, and it is left alone.
pub const FAILURES_MAX: u32 = 5;

/// How long it is left alone before it is tried with one quote.
pub const REST: Duration = Duration::from_secs(30);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether it may be asked. After a rest one may; the next only once that one was answered, or after another rest.
    pub fn lets_through(&mut self, now: Instant) -> bool {
        match self.rests_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                // A trial whose caller gave up is told to nobody: the rest ends by itself.
                self.rests_until = Some(now + REST);
                true
            }
        }
    }

    pub fn succeeded(&mut self) {
        *self = Breaker::default();
    }

    /// Answers whether a rest begins with this failure.
    pub fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let rests = FAILURES_MAX <= self.failures;
        if rests {
            self.rests_until = Some(now + REST);
        }
        rests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker that rests since `now`.
    fn resting(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for failure in 1..=FAILURES_MAX {
            assert!(breaker.lets_through(now));
            assert_eq!(breaker.failed(now), failure == FAILURES_MAX);
        }
        breaker
    }

    #[test]
    fn it_rests_after_the_last_failure_in_a_row_that_is_let_pass() {
        let now = Instant::now();
        let mut breaker = resting(now);
        assert!(!breaker.lets_through(now));
        assert!(!breaker.lets_through(now + REST - Duration::from_nanos(1)));
    }

    #[test]
    fn a_success_between_failures_begins_the_count_anew() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..FAILURES_MAX {
                assert!(!breaker.failed(now));
            }
            breaker.succeeded();
        }
        assert!(breaker.lets_through(now));
    }

    #[test]
    fn after_a_rest_one_is_let_through_and_its_outcome_decides() {
        let now = Instant::now();
        let later = now + REST;
        let mut well = resting(now);
        assert!(well.lets_through(later));
        assert!(!well.lets_through(later), "one trial at a time");
        well.succeeded();
        assert!(well.lets_through(later));
        assert!(!well.failed(later), "the count began anew");

        let mut unwell = resting(now);
        assert!(unwell.lets_through(later));
        assert!(unwell.failed(later));
        assert!(!unwell.lets_through(later + REST - Duration::from_nanos(1)));
        assert!(unwell.lets_through(later + REST));
    }

    #[test]
    fn a_trial_that_nobody_waited_for_is_followed_by_another() {
        let now = Instant::now();
        let mut breaker = resting(now);
        assert!(breaker.lets_through(now + REST));
        assert!(!breaker.lets_through(now + REST));
        assert!(breaker.lets_through(now + 2 * REST));
    }
}
