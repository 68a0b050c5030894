//! Verbatim: a deal-qualification service that believes only what buyers said.

pub mod store;
