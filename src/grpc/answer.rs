//! Answers of the use cases, field by field, as messages of the interface.

pub mod deal;
pub mod evidence;
pub mod ingest;
pub mod model;
pub mod score;
pub mod stall;
pub mod watch;
