"""CloudWatch's newer protocol: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html

The SDK for Rust asks CloudWatch in CBOR only; moto understands JSON. Each request and each answer is put into the other's words, by botocore's own
encoder, decoder and model of the service.
"""

import datetime
import io
import json

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize

PATH = "/service/GraniteServiceVersion20100801/operation/"


def understood(application):
    """The same application for requests in CBOR, too."""
    model = botocore.loaders.Loader().load_service_model("cloudwatch", "service-2")
    service = botocore.model.ServiceModel(model, "cloudwatch")

    def answer(environ, start_response):
        if not environ["PATH_INFO"].startswith(PATH):
            return application(environ, start_response)
        operation = environ["PATH_INFO"].removeprefix(PATH)
        asked = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, said = ask(application, environ, operation, decoded(asked))
        shape = service.operation_model(operation).output_shape if status.startswith("200") else None
        body = encoded(said, shape)
        headers = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    return answer


def ask(application, environ, operation, question):
    """Asks in JSON; the status and what was answered."""
    body = json.dumps(question, default=seconds).encode()
    environ = environ | {
        "PATH_INFO": "/",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZ_TARGET": f"GraniteServiceVersion20100801.{operation}",
        "wsgi.input": io.BytesIO(body),
    }
    # With these moto would take it for CBOR after all.
    for header in ("HTTP_SMITHY_PROTOCOL", "HTTP_ACCEPT"):
        environ.pop(header, None)
    started = []
    answer = b"".join(application(environ, lambda status, headers, *_: started.append(status)))
    return started[0], json.loads(answer or b"{}")


def seconds(value):
    """A time, as JSON has it here."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} is nothing that is asked")


def decoded(data):
    parser = botocore.parsers.RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(data)) if data else {}


def encoded(answer, shape):
    """As the model says where there is one; an error has texts only."""
    if shape is None:
        texts = {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}}
        shapes = {"Texts": texts, "Text": {"type": "string"}}
        shape = botocore.model.ShapeResolver(shapes).get_shape_by_name("Texts")
        answer = {name: text for name, text in answer.items() if isinstance(text, str)}
    data = bytearray()
    botocore.serialize.RpcV2CBORSerializer()._serialize_data_item(data, answer, shape)
    return bytes(data)
