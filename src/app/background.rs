//! Threads for work that may take its time, and that must not hold up the calls that people wait for.
//!
//! The system gives them a processor when the others leave one, and a small share of it when they do not. So a million
//! statements that stream in leave a score about as fast as it was.

use std::future::Future;
use std::io;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::telemetry::traces::current;

/// How much nicer than the others these threads are: when both want a processor they get about a tenth of it, by Linux's
/// weights (110 against 1,024).
const NICER: i32 = 10;

/// The threads; work that is not done when this is dropped is dropped with it.
///
/// `None`: there are none, and work is done on the runtime that it is asked for on.
pub struct Background(Option<Runtime>);

impl Background {
    /// Starts as many threads as there are cores.
    ///
    /// # Errors
    ///
    /// The system gives none.
    pub fn start() -> io::Result<Background> {
        let runtime = Builder::new_multi_thread()
            .thread_name("background")
            .enable_all()
            .on_thread_start(step_back)
            .build()?;
        Ok(Background(Some(runtime)))
    }

    /// No threads: a run that is to be lived through again, from a seed, has one only.
    pub fn none() -> Background {
        Background(None)
    }

    /// Does the work, and what it spawns, there.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let work = current::carried(work);
        match &self.0 {
            Some(runtime) => runtime.spawn(work),
            None => tokio::spawn(work),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Not waited for: this may be dropped by a task.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lets this thread go behind the process's others. Where the system does not, it works as before.
fn step_back() {
    if let Ok(nice) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, nice + NICER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_there_and_what_it_spawns_goes_behind_the_threads_of_others() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let background = Background::start().unwrap();
        let there = background.spawn(async move { tokio::spawn(async move { nice() }).await });
        let expected = (before + NICER).min(19);
        assert_eq!(there.await.unwrap().unwrap(), expected);
        assert_eq!(nice(), before);
    }

    #[tokio::test]
    async fn it_ends_within_a_task_and_drops_what_is_left() {
        let background = Background::start().unwrap();
        let left = background.spawn(std::future::pending::<()>());
        drop(background);
        assert!(left.await.unwrap_err().is_cancelled());
    }
}
