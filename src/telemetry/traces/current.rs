//! The trace of the call that is worked for, on whatever thread: each line written meanwhile names it, whether or not
//! traces are sent.
//!
//! It is a word of the thread, put there for each poll: a span would cost every call a place in a registry, also where
//! nobody sends spans.

use std::cell::Cell;
use std::future::Future;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::pin;

use opentelemetry::trace::SpanId;
use opentelemetry::trace::TraceId;
use opentelemetry_sdk::trace::IdGenerator;
use opentelemetry_sdk::trace::RandomIdGenerator;
use tracing::Instrument;

thread_local! {
    static CURRENT: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Puts back on drop what was there before.
pub struct Entered {
    before: Option<TraceId>,
    // What is put back belongs to this thread.
    _stays: PhantomData<*const ()>,
}

/// The ids of spans that are sent: a call's root span is in the trace that its lines name.
#[derive(Debug, Default)]
pub struct Ids(RandomIdGenerator);

/// The trace of the call that this thread works for, if it is one.
pub fn trace() -> Option<TraceId> {
    CURRENT.get()
}

/// That of the call, or a new one: 128 random bits.
pub fn trace_or_new() -> TraceId {
    trace().unwrap_or_else(|| RandomIdGenerator::default().new_trace_id())
}

/// This thread works for that call until what is answered is dropped.
pub fn enter(trace: Option<TraceId>) -> Entered {
    Entered {
        before: CURRENT.replace(trace),
        _stays: PhantomData,
    }
}

/// Works for that call whenever the work is polled.
pub async fn within<F: Future>(trace: Option<TraceId>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _entered = enter(trace);
        work.as_mut().poll(context)
    })
    .await
}

/// The same for the call and the span of here and now: for work that becomes a task.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    within(trace(), work).in_current_span()
}

/// The same for work that another thread does in one go.
pub fn carried_once<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let trace = trace();
    move || {
        let _entered = enter(trace);
        work()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        trace_or_new()
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    const ONE: TraceId = TraceId::from_bytes([1; 16]);
    const TWO: TraceId = TraceId::from_bytes([2; 16]);

    #[tokio::test]
    async fn work_that_waits_leaves_its_thread_to_others_and_is_known_again_afterwards() {
        let (go, wait) = oneshot::channel();
        let first = within(Some(ONE), async {
            let before = trace();
            wait.await.unwrap();
            (before, trace())
        });
        let second = within(Some(TWO), async {
            go.send(()).unwrap();
            trace()
        });
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first, (Some(ONE), Some(ONE)));
        assert_eq!(second, Some(TWO));
        assert_eq!(trace(), None);
    }

    #[tokio::test]
    async fn a_task_and_another_thread_go_on_for_the_call_that_they_came_from() {
        within(Some(ONE), async {
            let task = tokio::spawn(carried(async { trace() }));
            assert_eq!(task.await.unwrap(), Some(ONE));
            let thread = tokio::task::spawn_blocking(carried_once(trace));
            assert_eq!(thread.await.unwrap(), Some(ONE));
        })
        .await;
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let panicked = std::panic::catch_unwind(|| {
            let _entered = enter(Some(ONE));
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        assert_eq!(trace(), None);
    }

    #[test]
    fn a_trace_that_is_made_is_one_and_no_other() {
        let made = [trace_or_new(), trace_or_new()];
        assert!(made[0] != made[1] && !made.contains(&TraceId::INVALID));
        let _entered = enter(Some(ONE));
        assert_eq!(trace_or_new(), ONE);
        assert_eq!(Ids::default().new_trace_id(), ONE);
    }
}
