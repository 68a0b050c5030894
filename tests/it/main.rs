//! The tests of the whole, one module a family of behaviour, in one binary.

mod cli;
mod store;
mod support;
