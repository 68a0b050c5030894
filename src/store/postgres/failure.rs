//! What an error of the database means for whoever asked: try again, look, or give up.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::store::postgres::address::told;

/// The first pause before another attempt, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database took nothing of it, and may if asked again on the same connection.
    Passing(String),
    /// The connection is of no more use. What was asked for may have happened.
    Lost(String),
    /// The database says no, and will say so again.
    Lasting(String),
}

impl Failure {
    pub fn of(error: &tokio_postgres::Error) -> Failure {
        let text = told(error);
        let Some(state) = error.code() else {
            return Failure::Lost(text);
        };
        if [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::QUERY_CANCELED,
            SqlState::LOCK_NOT_AVAILABLE,
        ]
        .contains(state)
        {
            return Failure::Passing(text);
        }
        // Connections that break, servers that go or that only read, and statements that another schema invalidated.
        let class = state.code().get(..2).unwrap_or_default();
        if ["08", "53", "57"].contains(&class)
            || [
                SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
                SqlState::READ_ONLY_SQL_TRANSACTION,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                SqlState::FEATURE_NOT_SUPPORTED,
            ]
            .contains(state)
        {
            return Failure::Lost(text);
        }
        Failure::Lasting(text)
    }

    /// One that was not answered in time.
    pub fn late(waited: Duration) -> Failure {
        let waited_ms = waited.as_millis();
        Failure::Lost(format!("the database has not answered for {waited_ms} ms"))
    }

    pub fn text(self) -> String {
        match self {
            Failure::Passing(text) | Failure::Lost(text) | Failure::Lasting(text) => text,
        }
    }
}

/// How long to wait before the next attempt after `failed` ones: twice as long each time, half of it by chance, so that
/// replicas that failed each other do not meet again.
pub fn pause(failed: u32) -> Duration {
    let whole = (PAUSE_MIN * 2_u32.saturating_pow(failed.min(10))).min(PAUSE_MAX);
    let half = whole / 2;
    let spread = half.as_micros() as u64 + 1;
    // Each state is seeded anew, so its hash of anything is chance enough.
    let more = RandomState::new().hash_one(failed) % spread;
    half + Duration::from_micros(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_are_never_none() {
        for failed in 0..40 {
            let pause = pause(failed);
            assert!(
                PAUSE_MIN / 2 <= pause && pause <= PAUSE_MAX,
                "{failed}: {pause:?}"
            );
        }
        assert!(PAUSE_MAX / 2 <= pause(10));
    }
}
