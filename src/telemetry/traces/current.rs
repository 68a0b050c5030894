//! The call that is worked for, by its trace, on whatever thread: each line written meanwhile names it, whether or not
//! its trace is sent, and whether it is sent is decided by it before a span is made.
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
    static CURRENT: Cell<Option<Call>> = const { Cell::new(None) };
}

/// A call as its trace knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub trace: TraceId,
    /// Whether the caller sends its own spans of the trace; none where the trace begins here.
    pub sampled_by_caller: Option<bool>,
}

/// Puts back on drop what was there before.
pub struct Entered {
    before: Option<Call>,
    // What is put back belongs to this thread.
    _stays: PhantomData<*const ()>,
}

/// The ids of spans that are sent: a call's root span is in the trace that its lines name.
#[derive(Debug, Default)]
pub struct Ids(RandomIdGenerator);

/// The call that this thread works for, if it works for one.
pub fn call() -> Option<Call> {
    CURRENT.get()
}

/// The trace of that call.
pub fn trace() -> Option<TraceId> {
    call().map(|call| call.trace)
}

/// That call, or one of a new trace: 128 random bits.
pub fn call_or_new() -> Call {
    call().unwrap_or_else(|| Call {
        trace: RandomIdGenerator::default().new_trace_id(),
        sampled_by_caller: None,
    })
}

/// This thread works for that call until what is answered is dropped.
pub fn enter(call: Option<Call>) -> Entered {
    Entered {
        before: CURRENT.replace(call),
        _stays: PhantomData,
    }
}

/// Works for that call whenever the work is polled.
pub async fn within<F: Future>(call: Option<Call>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _entered = enter(call);
        work.as_mut().poll(context)
    })
    .await
}

/// The same for the call and the span of here and now: for work that becomes a task.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    within(call(), work).in_current_span()
}

/// The same for work that another thread does in one go.
pub fn carried_once<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let call = call();
    move || {
        let _entered = enter(call);
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
        call_or_new().trace
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    const ONE: Call = of([1; 16]);
    const TWO: Call = of([2; 16]);

    const fn of(trace: [u8; 16]) -> Call {
        Call {
            trace: TraceId::from_bytes(trace),
            sampled_by_caller: Some(true),
        }
    }

    #[tokio::test]
    async fn work_that_waits_leaves_its_thread_to_others_and_is_known_again_afterwards() {
        let (go, wait) = oneshot::channel();
        let first = within(Some(ONE), async {
            let before = call();
            wait.await.unwrap();
            (before, call())
        });
        let second = within(Some(TWO), async {
            go.send(()).unwrap();
            call()
        });
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first, (Some(ONE), Some(ONE)));
        assert_eq!(second, Some(TWO));
        assert_eq!(call(), None);
    }

    #[tokio::test]
    async fn a_task_and_another_thread_go_on_for_the_call_that_they_came_from() {
        within(Some(ONE), async {
            let task = tokio::spawn(carried(async { call() }));
            assert_eq!(task.await.unwrap(), Some(ONE));
            let thread = tokio::task::spawn_blocking(carried_once(call));
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
        assert_eq!(call(), None);
    }

    #[test]
    fn a_trace_that_is_made_is_one_and_no_other() {
        let made = [call_or_new().trace, call_or_new().trace];
        assert!(made[0] != made[1] && !made.contains(&TraceId::INVALID));
        let _entered = enter(Some(ONE));
        assert_eq!(call_or_new(), ONE);
        assert_eq!(Ids::default().new_trace_id(), ONE.trace);
    }
}
