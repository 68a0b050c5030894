//! Panics as lines of the log: where it was, and in our own words only.
//!
//! What a panic says may quote what it was about: a text that is cut in the middle of a letter is in the words of the
//! panic. So only words that stand in the source are told.

use std::any::Any;
use std::backtrace::Backtrace;
use std::backtrace::BacktraceStatus;
use std::panic;

/// From here on a panic of this process is a line of the log, in the trace of the call it is in. `RUST_BACKTRACE=1` adds
/// the way there.
pub fn tell() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        let cause = words(info.payload());
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
        let backtrace = backtrace.map(|backtrace| backtrace.to_string());
        tracing::error!(place, cause, backtrace, "a thread panicked");
    }));
}

/// The words of a panic, if they stand in the source.
pub fn words(panic: &(dyn Any + Send)) -> &'static str {
    let words = panic.downcast_ref::<&'static str>();
    words.copied().unwrap_or("not told, as it may quote")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_quotes_is_not_quoted() {
        let quote = String::from("Zebra said so \u{20ac}");
        let cut = quote.len() - 1;
        let quoting = panic::catch_unwind(|| quote[..cut].len()).unwrap_err();
        let full = quoting.downcast_ref::<String>().unwrap();
        assert!(full.contains("Zebra"), "{full}");
        assert_eq!(words(&*quoting), "not told, as it may quote");
        let ours = panic::catch_unwind(|| panic!("on purpose")).unwrap_err();
        assert_eq!(words(&*ours), "on purpose");
    }
}
