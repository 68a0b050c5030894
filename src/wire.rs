//! The words of the interface as generated from `proto/`, and their conversion to and from the domain.
//!
//! What callers send and what the store keeps are the same messages, so each field is taken apart in one place: named,
//! without `..`, so that a new field of `proto/` does not compile until it is handled.

pub mod claim;
pub mod codec;
pub mod confirmation;
pub mod event;
pub mod extraction;
pub mod facts;
pub mod listed;
pub mod reading;
pub mod statement;
pub mod value;

#[cfg(test)]
pub(crate) mod arbitrary;

/// The generated messages, clients and servers of package `verbatim.v1`.
pub mod pb {
    #![expect(
        clippy::too_many_lines,
        clippy::large_enum_variant,
        reason = "generated from proto/"
    )]
    tonic::include_proto!("verbatim.v1");
}

/// The descriptor of the package, for reflection and for the JSON door.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/verbatim.bin"));
