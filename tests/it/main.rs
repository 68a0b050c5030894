//! The tests of the whole, one module a family of behaviour, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod histories;
mod laws;
mod past;
mod store;
mod support;
