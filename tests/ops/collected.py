#!/usr/bin/env python3
"""Traces, numbers and lines of the log reach a collector that others made, and a client's trace goes on in the service.

A client in Python (grpcio, with the SDK of OpenTelemetry) calls the service; both send to a collector (rotel), which sends
on to this script. Usage: collected.py VERBATIM
"""

import importlib.util
import re
import socket
import subprocess
import sys
import tempfile
import time
from concurrent import futures
from pathlib import Path

import grpc
import rotel
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

# Longer than anything here takes on a busy machine; reached only by what hangs.
PATIENCE_SECONDS = 60
CALL = "QualificationService/RecordBuyerStatement"
STEPS = {"decode", "load", "decide", "append", "derive"}
QUOTE = "We lose a day a week to this."


class Sink(
    trace_service_pb2_grpc.TraceServiceServicer,
    metrics_service_pb2_grpc.MetricsServiceServicer,
    logs_service_pb2_grpc.LogsServiceServicer,
):
    """What the collector sends on, by the service that it came from."""

    def __init__(self):
        self.spans, self.metrics, self.records = [], [], []

    def Export(self, request, context):
        for resource in getattr(request, "resource_spans", []):
            self.spans += [(named(resource), span) for scope in resource.scope_spans for span in scope.spans]
        for resource in getattr(request, "resource_metrics", []):
            self.metrics += [(named(resource), each) for scope in resource.scope_metrics for each in scope.metrics]
        for resource in getattr(request, "resource_logs", []):
            self.records += [(named(resource), each) for scope in resource.scope_logs for each in scope.log_records]
        if hasattr(request, "resource_spans"):
            return trace_service_pb2.ExportTraceServiceResponse()
        if hasattr(request, "resource_metrics"):
            return metrics_service_pb2.ExportMetricsServiceResponse()
        return logs_service_pb2.ExportLogsServiceResponse()


def named(resource):
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    return attributes.get("service.name")


def sink():
    server = grpc.server(futures.ThreadPoolExecutor(4))
    kept = Sink()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(kept, server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(kept, server)
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(kept, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return kept, server, port


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def collector(home, to, running):
    """Starts rotel, which cannot say which port it took; answers the one it was told."""
    port = free_port()
    program = Path(rotel.__file__).parent / "rotel-agent"
    command = [program, "start", f"--pid-file={home / 'pid'}", f"--otlp-grpc-endpoint=127.0.0.1:{port}"]
    command += [f"--otlp-http-endpoint=127.0.0.1:{free_port()}", "--exporter=otlp", "--otlp-exporter-protocol=grpc"]
    command += [f"--otlp-exporter-endpoint=http://127.0.0.1:{to}", "--batch-timeout=100ms"]
    running.append(subprocess.Popen(command, stdout=(home / "rotel").open("w"), stderr=subprocess.STDOUT))
    wait_for("the collector listens", lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None)
    return port


def wait_for(what, holds):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if holds():
                print(f"{what}: yes")
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"{what}: not within {PATIENCE_SECONDS} s")


def record(address, traceparent):
    """Calls the service by what it says of itself, as any client may."""
    spec = importlib.util.find_spec("grpc_reflection")
    if spec is None:
        sys.exit("grpcio-reflection is not there")
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    with grpc.insecure_channel(address) as channel:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName("verbatim.v1.QualificationService").methods_by_name["RecordBuyerStatement"]
        request = message_factory.GetMessageClass(method.input_type)
        response = message_factory.GetMessageClass(method.output_type)
        statement = {
            "dealId": "d1",
            "speaker": {"stakeholderId": "p1", "displayName": "Zebra"},
            "quote": QUOTE,
            "attribution": "ATTRIBUTION_VERBATIM",
            "claims": [{"topic": "TOPIC_PROBLEM"}],
        }
        message = json_format.ParseDict({"statement": statement}, request(), descriptor_pool=pool)
        call = channel.unary_unary(
            "/verbatim.v1.QualificationService/RecordBuyerStatement",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        call(message, metadata=[("traceparent", traceparent)], timeout=PATIENCE_SECONDS)


def check(verbatim, home, running):
    kept, server, port = sink()
    endpoint = f"http://127.0.0.1:{collector(home, port, running)}"
    serve = [verbatim, "serve", "--data", str(home / "deals"), "--listen", "127.0.0.1:0", "--log-level", "debug"]
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "PATH": "/usr/bin:/bin"}
    service = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True, env=environment)
    running.append(service)
    address = next(found[1] for line in service.stderr if (found := re.search(r"listens on http://([0-9.:]+)", line)))

    provider = TracerProvider(resource=Resource.create({"service.name": "crm"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint, insecure=True)))
    with provider.get_tracer("crm").start_as_current_span("sync notes") as span:
        carrier = {}
        propagate.inject(carrier)
        record(address, carrier["traceparent"])
        context = span.get_span_context()
    provider.shutdown()
    # What is left is sent when the service ends.
    service.terminate()
    service.stderr.read()
    if service.wait(PATIENCE_SECONDS) != 0:
        sys.exit("the service did not end in good order")

    trace = context.trace_id.to_bytes(16, "big")

    def ours():
        return {span.name: span for name, span in kept.spans if name == "verbatim" and span.trace_id == trace}

    def theirs():
        return [span for name, span in kept.spans if name == "crm"]

    wait_for("the collector has the client's span", theirs)
    wait_for("the service's spans are in the client's trace", lambda: STEPS | {CALL, "sync"} <= set(ours()))
    spans = ours()
    (parent,) = theirs()
    if spans[CALL].parent_span_id != parent.span_id:
        sys.exit("the call is no child of the client's span")
    if any(spans[step].parent_span_id != spans[CALL].span_id for step in STEPS):
        sys.exit("a step is no child of its call")
    if spans["sync"].parent_span_id != spans["append"].span_id:
        sys.exit("the sync is no child of its append")
    print("each span is a child of the one that caused it: yes")

    def counted():
        points = [
            point.as_double
            for name, metric in kept.metrics
            if name == "verbatim" and metric.name == "verbatim_requests_total"
            for point in metric.sum.data_points
            if any(each.value.string_value == "RecordBuyerStatement" for each in point.attributes)
        ]
        return 1.0 in points

    wait_for("the collector has the numbers", counted)
    wait_for("the collector has the line of the call", lambda: [r for _, r in kept.records if r.trace_id == trace])
    sent = f"{kept.spans} {kept.metrics} {kept.records}"
    if QUOTE in sent or "Zebra" in sent:
        sys.exit("a quote or a name was sent")
    print("no quote and no name was sent: yes")
    server.stop(None)


def main():
    (verbatim,) = sys.argv[1:]
    running = []
    with tempfile.TemporaryDirectory() as home:
        try:
            check(verbatim, Path(home), running)
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(PATIENCE_SECONDS)


main()
