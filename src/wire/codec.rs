//! How messages become bytes on a connection, and back: as prost has it, each written in one piece.
//!
//! prost writes many pieces of a byte or two. Into tonic's buffer each is a call and a copy of its own; into a vector it
//! is a store, and the whole is copied once.

use std::marker::PhantomData;

use bytes::BufMut;
use prost::Message;
use tonic::Status;
use tonic::codec::BufferSettings;
use tonic::codec::EncodeBuf;
use tonic_prost::ProstDecoder;

/// What the generated clients and servers encode `T` and decode `U` with.
pub struct Codec<T, U>(PhantomData<(T, U)>);

/// Encodes `T`.
pub struct Encoder<T>(PhantomData<T>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Codec<T, U> {
        Codec(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Encoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Encoder<T> {
        Encoder(PhantomData)
    }

    fn decoder(&mut self) -> ProstDecoder<U> {
        ProstDecoder::new(BufferSettings::default())
    }
}

impl<T: Message> tonic::codec::Encoder for Encoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message.encode_to_vec());
        Ok(())
    }
}
