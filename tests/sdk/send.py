"""Sends one small story with the official Python SDK: an experience API calls a process API, which uses its database and fails once.

    send.py PROTOCOL ENDPOINT CALLS     PROTOCOL: grpc, http/protobuf; a "+gzip" behind it compresses
"""

import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

protocol, endpoint, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
protocol, _, coding = protocol.partition("+")
failures = []


def exporter():
    if protocol == "grpc":
        from grpc import Compression
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        made = OTLPSpanExporter(endpoint, insecure=True, compression=Compression.Gzip if coding else Compression.NoCompression)
    else:
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        made = OTLPSpanExporter(endpoint + "/v1/traces", compression=Compression.Gzip if coding else Compression.NoCompression)
    send = made.export

    def export(spans):
        result = send(spans)
        if result is not SpanExportResult.SUCCESS:
            failures.append(result)
        return result

    made.export = export
    return made


def provider(service):
    made = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "sdk", "deployment.environment.name": "test"}))
    made.add_span_processor(BatchSpanProcessor(exporter()))
    return made


shop, orders = provider("shop-exp-api"), provider("order-prc-api")
caller, callee = shop.get_tracer("test"), orders.get_tracer("test")
from opentelemetry.trace import set_span_in_context

for number in range(calls):
    failed = number == 0
    with caller.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes={"http.request.method": "POST", "http.route": "/orders"}):
        with caller.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes={"http.request.method": "POST", "server.address": "order-prc-api", "url.full": "http://order-prc-api/orders"}) as out:
            with callee.start_as_current_span("POST /orders", context=set_span_in_context(out), kind=SpanKind.SERVER, attributes={"http.request.method": "POST", "http.route": "/orders"}) as server:
                with callee.start_as_current_span("INSERT orders", kind=SpanKind.CLIENT, attributes={"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "db.test"}):
                    pass
                if failed:
                    server.set_attribute("http.response.status_code", 500)
                    server.set_status(Status(StatusCode.ERROR, "no stock"))
            if failed:
                out.set_status(Status(StatusCode.ERROR))

for made in (shop, orders):
    made.force_flush()
    made.shutdown()
if failures:
    sys.exit(f"not exported: {failures}")
