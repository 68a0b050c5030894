//! Turns a panic inside sled into a value.
//!
//! sled 0.34.7 panics on damage it did not expect, at open and at any later use. Such a panic must end in a named
//! error and not in a dead thread, and be told once: in that error, with its place in the source, and not also as a
//! panic of ours. Panics elsewhere are told as ever.
//!
//! Needs `panic = "unwind"`, the default. A panic while another panic unwinds still ends the process, and a panic in
//! one of sled's own threads is not seen here.

use std::any::Any;
use std::cell::Cell;
use std::cell::RefCell;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::panic::resume_unwind;
use std::sync::Once;

thread_local! {
    /// How many guards this thread is in.
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    /// Where in the source the last panic behind a guard was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What `work` answers, or the message and the place of the panic it ended in.
// Unwind safety is asserted because the caller gives up writing after an `Err`, and every record read later is checked.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(keep_places);

    GUARDS.set(GUARDS.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDS.set(GUARDS.get() - 1);
    outcome.map_err(|payload| {
        let message = message(&*payload);
        match PLACE.take() {
            Some(place) => format!("{message} ({place})"),
            // Passed on by another guard, so the place is in it.
            None => message,
        }
    })
}

/// What a guard on another thread has come to; a panic goes on here, with its place.
pub fn passed_on<T>(outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|panic| resume_unwind(Box::new(panic)))
}

/// From here on a panic behind a guard leaves its place to the guard; all others go to the hook there was.
fn keep_places() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if GUARDS.get() == 0 {
            return before(info);
        }
        PLACE.set(info.location().map(ToString::to_string));
    }));
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match payload.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => "a panic without a message".to_owned(),
    }
}

/// sled's error as a part of a sentence; its own words are for those who work on sled.
pub fn told(error: &sled::Error) -> String {
    match error {
        sled::Error::Corruption { at: Some(at), .. } => {
            // sled keeps the type to itself, so its text has to do.
            let at = format!("{at:?}");
            match at.strip_prefix("Inline(") {
                Some(byte) => format!(
                    "corrupted data at byte {} of `db`",
                    byte.trim_end_matches(')')
                ),
                None => format!("corrupted data at {at}"),
            }
        }
        sled::Error::Corruption { at: None, .. } => {
            "corrupted data in `conf`, `db` or a snapshot".to_owned()
        }
        sled::Error::Io(error) => error.to_string(),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_message_and_its_place() {
        let said = guarded(|| guarded(|| panic!("page {} is gone", 7))).unwrap();
        let said: String = said.map(|()| String::new()).unwrap_err();
        assert!(said.starts_with("page 7 is gone (src/"), "{said}");
        assert!(said.contains("guard.rs:"), "{said}");
        assert_eq!(guarded(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_of_another_thread_keeps_its_place() {
        let aside = || std::thread::spawn(|| guarded(|| panic!("page 8"))).join();
        let said = guarded(|| passed_on::<()>(aside().unwrap())).unwrap_err();
        assert!(said.starts_with("page 8 (src/"), "{said}");
        assert!(said.ends_with(')') && !said.contains("somewhere"), "{said}");
    }
}
