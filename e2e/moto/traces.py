"""Stands for X-Ray's OTLP endpoint on a free port of the loopback address, which moto has not.

Nothing here is taken on trust: botocore signs each request again and compares, OpenTelemetry's own messages read the spans, and
botocore's description of X-Ray's API says whether a question is one. Prints its port on a line of its own, then a line of JSON for
each request: what was found in it, or what is wrong with it. Serves until it is killed or its standard input ends.
"""

import base64
import hashlib
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REGION = "eu-west-1"
CREDENTIALS = Credentials(
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_SESSION_TOKEN"]
)
API = botocore.session.get_session().get_service_model("xray")
OPERATIONS = {
    operation.http["requestUri"]: operation for operation in map(API.operation_model, API.operation_names)
}


class XRay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            check_signature(self.path, self.headers, body)
            found = {"path": self.path, **read(self.path, self.headers, body)}
        except Exception as error:
            found = {"path": self.path, "wrong": repr(error)}
        print(json.dumps(found), flush=True)
        self.send_response(403 if "wrong" in found else 200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def check_signature(path, headers, body):
    """Signs the request again, with the headers that were signed and no others."""
    fields = dict(field.split("=", 1) for field in headers["authorization"].split(" ", 1)[1].split(", "))
    signed = {name: headers[name] for name in fields["SignedHeaders"].split(";")}
    assert signed["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest(), "another body was signed"
    assert signed["x-amz-security-token"] == CREDENTIALS.token, "the session's token is not signed"
    request = AWSRequest("POST", f"http://{headers['host']}{path}", signed, body)
    request.context["timestamp"] = signed["x-amz-date"]
    botocore_ = SigV4Auth(CREDENTIALS, "xray", REGION)
    to_sign = botocore_.string_to_sign(request, botocore_.canonical_request(request))
    assert fields["Signature"] == botocore_.signature(to_sign, request), "the signature is another"
    assert fields["Credential"] == botocore_.scope(request), "the scope is another"


def read(path, headers, body):
    question = json.loads(body)
    assert headers["content-type"] == "application/json"
    if path == "/v1/traces":
        return spans(question)
    problems = ParamValidator().validate(question, OPERATIONS[path].input_shape)
    assert not problems.has_errors(), problems.generate_report()
    return {"question": question}


def spans(question):
    """Strictly: a name or a type that the messages do not have is an error. OTLP has ids in hexadecimal, where JSON of protobuf has base64.

    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    """
    for resource in question["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    request = json_format.ParseDict(question, ExportTraceServiceRequest())
    (resource,) = request.resource_spans
    services = [it.value.string_value for it in resource.resource.attributes if it.key == "service.name"]
    found = [span for scope in resource.scope_spans for span in scope.spans]
    for span in found:
        assert len(span.trace_id) == 16 and len(span.span_id) == 8, "an id has another length"
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, "it ended before it began"
    named = [{"name": span.name, "trace": span.trace_id.hex(), "kind": span.kind} for span in found]
    return {"service": services[0], "spans": named}


def stop_with_parent():
    """Who started this server holds the other end of standard input: it ends with them, however they ended."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), XRay)
    threading.Thread(target=stop_with_parent, daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()
