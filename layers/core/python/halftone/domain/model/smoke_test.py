"""The smoke test: a package's own samples as requests, and the judgement of the answers.

It is sent straight to one published version, in the shape in which API Gateway sends requests, so
that a version is proven on the very path that clients will use.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence

from halftone.domain.model.samples import AnySample, AppSample, JsonSample

MARK = "smoke"
"""What ``requestContext.halftone`` holds. API Gateway writes that context, so no client can."""


def smoke_event(endpoint: str, sample: AnySample) -> dict[str, object]:
    """An event of HTTP API payload format 2.0 that asks for the sample's answer."""
    call = sample.call
    path, _, query = f"/endpoints/{endpoint}{call.path}".partition("?")
    return {
        "version": "2.0",
        "routeKey": f"{call.method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "halftone": MARK,
            "http": {
                "method": call.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
            },
            "requestId": MARK,
            "stage": "$default",
        },
        **({} if call.body is None else {"body": call.body}),
        "isBase64Encoded": False,
    }


def check_answer(sample: AnySample, response: Mapping[str, object]) -> str | None:
    """Why ``response`` is not the answer that ``sample`` expects; None if it is."""
    status = response.get("statusCode")
    answer = _json(_text(response))
    expected_status = sample.status if isinstance(sample, AppSample) else 200
    if status != expected_status:
        detail = answer.get("detail") if isinstance(answer, dict) else None
        # A function that crashed answers with errorMessage instead of a status.
        explanation = detail or response.get("errorMessage") or "no reason given"
        return f"status is {status}, expected {expected_status}: {explanation}"
    if isinstance(sample, AppSample):
        if sample.response is None:
            return None
        actual = _text(response) if isinstance(sample.response, str) and answer is None else answer
        return _difference("response", sample.response, actual, sample.tolerance)
    if isinstance(sample, JsonSample):
        return _difference("response", sample.response, answer, sample.tolerance)
    predictions = answer.get("predictions") if isinstance(answer, dict) else None
    if sample.predictions is None:
        # That they fit the signature is what the status says.
        count = len(sample.instances)
        fits = isinstance(predictions, list) and len(predictions) == count
        return None if fits else f"predictions is {_shown(predictions)}, expected a list of {count}"
    return _difference("predictions", sample.predictions, predictions, sample.tolerance)


def _text(response: Mapping[str, object]) -> str | None:
    body = response.get("body")
    if not isinstance(body, str) or not response.get("isBase64Encoded"):
        return body if isinstance(body, str) else None
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError:
        return None


def _json(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _difference(at: str, expected: object, actual: object, tolerance: float) -> str | None:
    if isinstance(expected, Mapping):
        if not isinstance(actual, dict) or actual.keys() != expected.keys():
            return f"{at} is {_shown(actual)}, expected the fields {', '.join(expected)}"
        pairs = [(f"{at}.{name}", expected[name], actual[name]) for name in expected]
    elif isinstance(expected, Sequence) and not isinstance(expected, str):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return f"{at} is {_shown(actual)}, expected a list of {len(expected)}"
        pairs = [(f"{at}[{i}]", expected[i], actual[i]) for i in range(len(expected))]
    else:
        return _scalar_difference(at, expected, actual, tolerance)
    return next(filter(None, (_difference(*pair, tolerance) for pair in pairs)), None)


def _scalar_difference(at: str, expected: object, actual: object, tolerance: float) -> str | None:
    if type(actual) is type(expected) and actual == expected:
        return None
    # JSON does not tell 3 from 3.0. NaN is never near anything.
    if {type(expected), type(actual)} in ({float}, {float, int}):
        expected_number = _float(expected)
        allowed = tolerance * max(1.0, abs(expected_number))
        if math.isfinite(expected_number) and abs(_float(actual) - expected_number) <= allowed:
            return None
        return f"{at} is {_shown(actual)}, expected {expected!r} within {allowed:g}"
    return f"{at} is {_shown(actual)}, expected {expected!r}"


def _float(number: object) -> float:
    try:
        return float(number)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
