//! The gRPC door: services of a few lines a call, errors, limits, and the server around them.
//!
//! The way of a call: `connections` takes it in, `door` tells the forms apart, `calls` limits it (`flow` when it streams), one of `qualification`, `deals`, `forecast` and
//! `ingest` decodes it with `request`, calls the app and encodes the answer; `status` turns what went wrong into a status.
//! `extractor` is the other direction: the reader of quotes that a user brings.

pub mod answer;
pub mod calls;
pub mod connections;
pub mod deals;
pub mod door;
pub mod extractor;
pub mod faults;
pub mod figures;
pub mod flow;
pub mod forecast;
pub mod health;
pub mod ingest;
pub mod limits;
pub mod observed;
pub mod operator;
pub mod page_token;
pub mod qualification;
pub mod request;
pub mod serve;
pub mod start;
pub mod status;
pub mod traffic;
