//! The tests of the whole, one module a family of behaviour, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod cli;
mod doors;
mod drain;
mod fuzz;
mod histories;
mod json;
mod language;
mod laws;
mod layers;
mod limits;
mod operated;
mod ops;
mod past;
mod requests;
mod server;
mod store;
mod support;
mod traces;
