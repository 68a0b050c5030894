//! Work done aside, where it holds up no other call, what became of it, and work that goes on when its caller does not.

use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::JoinError;

use crate::store::Error;
use crate::telemetry::traces::current;

/// Work that goes on to its end when its caller does not wait for it: what is left as this is dropped is done by a task.
///
/// A task from the start would do the same and cost every caller the way there and back.
pub struct ToTheEnd<T: Send + 'static>(Option<Work<T>>);

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T: Send + 'static> ToTheEnd<T> {
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> ToTheEnd<T> {
        // So that it is still the call's when its caller is gone.
        ToTheEnd(Some(Box::pin(current::carried(work))))
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out while it runs, so that work that panicked is not gone on with.
        let mut work = self.0.take().expect("it is not polled after its end");
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the work with it.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

/// Does what takes some milliseconds on a thread for such work.
///
/// # Errors
///
/// [`Error::Closed`] when the runtime is shutting down.
pub async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    ended(tokio::task::spawn_blocking(current::carried_once(work)).await)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use tokio::sync::Notify;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_done_once_to_its_end() {
        let (go, wait) = oneshot::channel::<()>();
        let done = Arc::new(Notify::new());
        let times = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&done), Arc::clone(&times));
        let mut work = Box::pin(ToTheEnd::new(async move {
            wait.await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            told.notify_one();
        }));
        let polled = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
        assert!(polled.await.is_pending());
        drop(work);
        go.send(()).unwrap();
        done.notified().await;
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn work_that_is_done_leaves_no_task() {
        assert_eq!(ToTheEnd::new(async { 7 }).await, 7);
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[tokio::test]
    async fn work_that_panicked_is_not_gone_on_with() {
        let work = ToTheEnd::new(async { panic!("on purpose") });
        let panicked = tokio::spawn(async move {
            let (): () = work.await;
        });
        assert!(panicked.await.unwrap_err().is_panic());
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }
}
