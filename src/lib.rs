//! Verbatim: a deal-qualification service that believes only what buyers said.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conversation;
pub mod domain;
pub mod grpc;
pub mod json;
pub mod language;
pub mod model_file;
pub mod ops;
pub mod store;
pub mod telemetry;
pub mod wire;
