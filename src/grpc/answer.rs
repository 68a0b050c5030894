//! Answers of the use cases, field by field, as messages of the interface.

pub mod conversation;
pub mod deal;
pub mod evidence;
pub mod extraction;
pub mod ingest;
pub mod model;
pub mod past;
pub mod pipeline;
pub mod score;
pub mod stall;
pub mod watch;
