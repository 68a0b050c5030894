//! The tests of the whole, one module a family of behaviour, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod cli;
mod collector;
mod confirmations;
mod conversation;
mod crm;
mod difference;
mod doors;
mod drain;
mod examples;
mod extraction;
mod extractor;
mod fuzz;
mod guarantees;
mod histories;
mod ingest;
mod json;
mod keep;
mod language;
mod laws;
mod layers;
mod limits;
mod operated;
mod ops;
mod past;
mod pipeline;
mod replicas;
mod requests;
mod sent;
mod server;
mod shown;
mod signals;
mod store;
mod streams;
mod support;
mod sweep;
mod told;
mod traces;
mod trend;
mod watch;
