//! Work done aside, where it holds up no other call, and what became of it.

use std::panic;

use tokio::task::JoinError;

use crate::store::Error;

/// Does what takes some milliseconds on a thread for such work.
///
/// # Errors
///
/// [`Error::Closed`] when the runtime is shutting down.
pub async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    ended(tokio::task::spawn_blocking(work).await)
}

/// What a task has come to; a panic goes on here.
///
/// # Errors
///
/// As [`aside`].
pub fn ended<T>(joined: Result<T, JoinError>) -> Result<T, Error> {
    match joined {
        Ok(done) => Ok(done),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(Error::Closed),
        },
    }
}
