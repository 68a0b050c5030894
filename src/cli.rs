//! The commands of the one binary.

mod claim;
mod moment;
mod money;
mod ndjson;
mod schema;
mod shift;
mod view;
