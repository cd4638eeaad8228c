"""The smoke test: a package's own samples as requests, and the judgement of the answers.

It is sent straight to one published version, in the shape in which API Gateway sends requests, so
that a version is proven on the very path that clients will use.
"""

import json
import math
from collections.abc import Mapping, Sequence

from halftone.domain.audit import canonical_json
from halftone.domain.package import Sample

MARK = "smoke"
"""What ``requestContext.halftone`` holds. API Gateway writes that context, so no client can."""


def smoke_event(endpoint: str, sample: Sample) -> dict[str, object]:
    """An event of HTTP API payload format 2.0 that asks for the sample's predictions."""
    path = f"/endpoints/{endpoint}/invocations"
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "halftone": MARK,
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1"},
            "requestId": MARK,
            "stage": "$default",
        },
        "body": canonical_json({"instances": sample.instances}).decode(),
        "isBase64Encoded": False,
    }


def check_answer(sample: Sample, response: Mapping[str, object]) -> str | None:
    """Why ``response`` is not the answer that ``sample`` expects; None if it is."""
    status = response.get("statusCode")
    body = response.get("body")
    try:
        answer = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        answer = None
    if status != 200:
        detail = answer.get("detail") if isinstance(answer, dict) else None
        # A function that crashed answers with errorMessage instead of a status.
        words = detail or response.get("errorMessage") or "no reason given"
        return f"status is {status}, expected 200: {words}"
    predictions = answer.get("predictions") if isinstance(answer, dict) else None
    return _difference("predictions", sample.predictions, predictions, sample.tolerance)


def _difference(at: str, expected: object, found: object, tolerance: float) -> str | None:
    if isinstance(expected, Mapping):
        if not isinstance(found, dict) or found.keys() != expected.keys():
            return f"{at} is {_shown(found)}, expected the fields {', '.join(expected)}"
        pairs = [(f"{at}.{name}", expected[name], found[name]) for name in expected]
    elif isinstance(expected, Sequence) and not isinstance(expected, str):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{at} is {_shown(found)}, expected a list of {len(expected)}"
        pairs = [(f"{at}[{i}]", expected[i], found[i]) for i in range(len(expected))]
    else:
        return _scalar_difference(at, expected, found, tolerance)
    return next(filter(None, (_difference(*pair, tolerance) for pair in pairs)), None)


def _scalar_difference(at: str, expected: object, found: object, tolerance: float) -> str | None:
    if isinstance(expected, float) and type(found) in (int, float):
        allowed = tolerance * max(1.0, abs(expected))
        if math.isfinite(found) and abs(found - expected) <= allowed:  # type: ignore[arg-type, operator]
            return None
        return f"{at} is {_shown(found)}, expected {expected!r} within {allowed:g}"
    if type(found) is type(expected) and found == expected:
        return None
    return f"{at} is {_shown(found)}, expected {expected!r}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
