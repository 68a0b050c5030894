//! Verbatim: a deal-qualification service that believes only what buyers said.

pub mod app;
pub mod clock;
pub mod domain;
pub mod grpc;
pub mod json;
pub mod model_file;
pub mod store;
pub mod wire;
