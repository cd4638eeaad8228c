"""What the HTTP API hands to a function and back, as AWS documents it.

"Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", payload format version 2.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Bodies of a text type come as text, others in base64 with ``isBase64Encoded``; a function answers
bytes in base64 with the same flag. Names of headers are in lower case.
"""

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.contract.local.support import Function, eventually

ECHO = """
import json
def handler(event, context):
    if event["rawPath"].endswith("/bytes"):
        body = {"body": event["body"], "isBase64Encoded": event["isBase64Encoded"]}
        kind = "application/octet-stream"
        headers = {"content-type": kind, "inference-header-content-length": "2"}
        return {"statusCode": 200, "headers": headers, **body}
    return {"statusCode": 200, "body": json.dumps(event)}
"""
RAW = bytes(range(256))


@pytest.fixture(scope="module")
def post(client: Callable[[str], Any], aws: Any) -> Callable[..., Any]:
    """post(path, data, **headers) to an API whose every path leads to the function."""
    function = Function(client, "http-api-echo", [ECHO])
    arn = function.alias("live", function.versions[0])
    gateway = client("apigatewayv2")
    api = gateway.create_api(Name="echo", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(
        ApiId=api, RouteKey="ANY /v2/{proxy+}", Target=f"integrations/{integration}"
    )
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    base = f"{aws.endpoint_url}/_aws/execute-api/{api}/$default"

    def posted(path: str, data: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{base}{path}", data, named)
        return urllib.request.urlopen(request, timeout=20)

    def there() -> bool:
        with posted("/v2/x", b"{}") as answer:
            return bool(answer.status == 200)

    eventually(there)
    return posted


def test_bytes_come_in_base64_and_go_as_they_were(post: Callable[..., Any]) -> None:
    with post("/v2/bytes", RAW, Content_Type="application/octet-stream") as answer:
        assert answer.read() == RAW
        assert answer.headers["Inference-Header-Content-Length"] == "2"
        assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/octet-stream", True),
        ("application/vnd.inference", True),
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("text/csv", False),
    ],
)
def test_the_type_decides_how_a_body_comes(
    post: Callable[..., Any], content_type: str, encoded: bool
) -> None:
    with post("/v2/x", b'{"a": 1}', Content_Type=content_type) as answer:
        event = json.load(answer)
    assert event["isBase64Encoded"] is encoded
    assert event["body"] == ("eyJhIjogMX0=" if encoded else '{"a": 1}')


def test_header_names_are_in_lower_case_and_the_query_is_read(
    post: Callable[..., Any],
) -> None:
    with post("/v2/models/a?version=7", b"{}", Inference_Header_Content_Length="2") as answer:
        event = json.load(answer)
    assert event["version"] == "2.0"
    assert event["rawPath"] == "/v2/models/a"
    assert event["headers"]["inference-header-content-length"] == "2"
    assert event["queryStringParameters"] == {"version": "7"}
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["pathParameters"] == {"proxy": "models/a"}


def test_a_greedy_route_takes_a_final_slash_with_an_empty_rest(post: Callable[..., Any]) -> None:
    """The Open Inference Protocol's own path is `/v2/`, and no route may end in a slash."""
    with post("/v2/", b"{}") as answer:
        event = json.load(answer)
    assert (event["rawPath"], event["routeKey"]) == ("/v2/", "ANY /v2/{proxy+}")
    with pytest.raises(HTTPError, match="404"):
        post("/v2", b"{}")
