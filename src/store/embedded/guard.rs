//! Turns a panic inside sled into a value.
//!
//! sled 0.34.7 panics on damage it did not expect, at open and at any later use. Such a panic must end in a named
//! error and not in a dead thread. The panic's own message still goes to the panic hook: it is evidence for the
//! operator, and a hook that hides some panics could hide the wrong ones.
//!
//! Needs `panic = "unwind"`, the default. A panic while another panic unwinds still ends the process, and a panic in
//! one of sled's own threads is not seen here.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// What `work` answers, or the message of the panic it ended in.
// Unwind safety is asserted because the caller gives up writing after an `Err`, and every record read later is checked.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(&*payload))
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
