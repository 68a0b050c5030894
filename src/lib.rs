//! Verbatim: a deal-qualification service that believes only what buyers said.

pub mod config;
pub mod store;
pub mod wire;
