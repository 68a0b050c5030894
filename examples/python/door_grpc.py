"""The way to the service by gRPC. Needs the packages of `requirements.txt` and no generated code.

The messages and calls are those that the service itself describes (gRPC server reflection), asked for when first
needed. To have classes to work with instead, generate them from `proto/` with grpcio-tools.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterator
from urllib.parse import urlsplit

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.json_format import ParseDict
from google.protobuf.json_format import ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2  # noqa: F401  (so that details can be read by their type)
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from door import DEADLINE_S
from door import PACKAGE
from door import Refused
from door import refused_by

# An answer of 1,000 deals is larger than the 4 MiB that gRPC takes unless told otherwise.
OPTIONS = [
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A feed of changes has no deadline: this notices that the other side is gone without a word.
    ("grpc.keepalive_time_ms", 30_000),
]


class GrpcDoor:
    """One channel; safe to share between threads."""

    def __init__(self, server: str):
        address = urlsplit(server)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ValueError(f"the server must be a URL such as http://127.0.0.1:7450, got {server}")
        if address.scheme == "https":
            self.channel = grpc.secure_channel(address.netloc, grpc.ssl_channel_credentials(), OPTIONS)
        else:
            self.channel = grpc.insecure_channel(address.netloc, OPTIONS)
        self.lock = threading.Lock()
        self.pool: DescriptorPool | None = None

    def call(self, name: str, request: dict) -> dict:
        method = self.method(name)
        ask = self.channel.unary_unary(f"/{PACKAGE}.{name}", **forms(method))
        try:
            return as_json(ask(as_message(method, request), timeout=DEADLINE_S))
        except grpc.RpcError as error:
            raise refused(error) from error

    def stream(self, name: str, request: dict) -> Iterator[dict]:
        method = self.method(name)
        ask = self.channel.unary_stream(f"/{PACKAGE}.{name}", **forms(method))
        messages = ask(as_message(method, request))
        try:
            for message in messages:
                yield as_json(message)
        except grpc.RpcError as error:
            raise refused(error) from error
        finally:
            messages.cancel()

    def method(self, name: str) -> MethodDescriptor:
        service, call = name.split("/")
        try:
            # What was not found stays so in a pool: kept only once it has worked.
            with self.lock:
                pool = self.pool or DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
                method = pool.FindServiceByName(f"{PACKAGE}.{service}").methods_by_name[call]
                self.pool = pool
                return method
        except grpc.RpcError as error:
            raise refused(error) from error
        except KeyError:
            raise Refused("unimplemented", f"the service does not describe a call {PACKAGE}.{name}") from None


def forms(method: MethodDescriptor) -> dict[str, Callable]:
    return {
        "request_serializer": GetMessageClass(method.input_type).SerializeToString,
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }


def as_message(method: MethodDescriptor, request: dict) -> Message:
    try:
        return ParseDict(request, GetMessageClass(method.input_type)())
    except ParseError as error:
        # Named by the client itself; the JSON door would have said it.
        raise Refused("invalid_argument", f"not a {method.input_type.name}: {error}", "INVALID_FIELDS") from error


def as_json(message: Message) -> dict:
    return MessageToDict(message, always_print_fields_with_no_presence=True)


def refused(error: grpc.RpcError) -> Refused:
    code = error.code().name.lower().replace("cancelled", "canceled")
    status = rpc_status.from_call(error)
    details = [MessageToDict(detail) for detail in status.details] if status else []
    return refused_by(code, error.details(), details)
