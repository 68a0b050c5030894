//! The gRPC edge.

pub mod serve;
