"""HTTP as API Gateway hands it to a function, and a function's answer as API Gateway returns it.

The shapes are those of HTTP API with payload format 2.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

MAX_REQUEST = 6_000_000
"""Bytes of a body that reach a function: Lambda takes events of 6 MB, API Gateway bodies of 10."""

_TEXT = re.compile(
    r"text/.*|application/(.+\+)?(json|xml)|application/(javascript|x-www-form-urlencoded)"
)
_MESSAGES = {413: "Request Too Long"}  # what HTTP calls Content Too Large


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came in; ``target`` is the path with the query, if there is one."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    source: str = "127.0.0.1"


@dataclass(frozen=True)
class HttpResponse:
    """What goes back."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header, "" if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True)
class Invocation:
    """What Lambda hands to a function beside the event."""

    function_name: str
    function_version: str
    seconds: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def invoked_function_arn(self) -> str:
        """An ARN in Lambda's form, of a function that is nowhere."""
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still take."""
        spent = (datetime.now(UTC) - self.started).total_seconds()
        return max(0, int((self.seconds - spent) * 1000))


def event_of(request: HttpRequest, now: datetime) -> dict[str, object]:
    """The event that API Gateway makes of ``request``.

    Header names are in lower case, the values of one that came twice are joined by commas, cookies
    stand apart, and a body that is no text is base64. Where the request came from stands in the
    headers ``x-forwarded-*``.
    """
    path, _, query = request.target.partition("?")
    headers = _joined((name.lower(), _in_utf8(value)) for name, value in request.headers)
    came_from = headers.get("x-forwarded-for")
    headers |= {
        "x-forwarded-for": f"{came_from}, {request.source}" if came_from else request.source,
        "x-forwarded-port": _port_in(headers.get("host", "")),
        "x-forwarded-proto": "http",
    }
    cookies = headers.pop("cookie", "")
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": request.source,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": "$default",
            "stage": "$default",
            "time": f"{now:%d/%b/%Y:%H:%M:%S +0000}",
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if request.body:
        text = _as_text(headers.get("content-type", ""), request.body)
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
        event["isBase64Encoded"] = text is None
    return event


def response_of(response: object) -> HttpResponse:
    """What a client gets when a function answers ``response``: 500 if it is no answer at all."""
    if not isinstance(response, Mapping) or not isinstance(response.get("statusCode"), int):
        return gateways_own(500)
    body = response.get("body") or ""
    data = base64.b64decode(body) if response.get("isBase64Encoded") else str(body).encode()
    headers = [(str(name), str(value)) for name, value in response.get("headers", {}).items()]
    headers += [("set-cookie", str(cookie)) for cookie in response.get("cookies", ())]
    return HttpResponse(response["statusCode"], tuple(headers), data)


def gateways_own(status: int) -> HttpResponse:
    """What API Gateway says itself when no function answered."""
    message = _MESSAGES.get(status) or HTTPStatus(status).phrase
    body = json.dumps({"message": message}).encode()
    return HttpResponse(status, (("content-type", "application/json"),), body)


def _in_utf8(value: str) -> str:
    """A header's value, which http.server reads as Latin-1, as the UTF-8 that was sent."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _port_in(host: str) -> str:
    match = re.search(r":([0-9]{1,5})$", host)
    return match[1] if match else "80"


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(content_type: str, body: bytes) -> str | None:
    if content_type and not _TEXT.fullmatch(content_type.partition(";")[0].strip().lower()):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
