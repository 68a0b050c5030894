//! The tests of the whole, one module a family of behaviour, in one binary.

mod cli;
mod histories;
mod laws;
mod past;
mod store;
mod support;
