//! Verbatim: a deal-qualification service that believes only what buyers said.

pub mod cli;
pub mod config;
pub mod grpc;
pub mod store;
pub mod wire;
