"""The Open Inference Protocol's server, of which a stage's HTTP API is one: /v2 and its health.

It stands at the API's root, where no endpoint is. Each endpoint answers for its own model.
"""

from halftone.serving.http.response import JSON, as_json
from halftone.serving.inference.metadata import SERVER

_ANSWERS = {
    "/v2": as_json(SERVER),
    "/v2/health/live": as_json({"live": True}),
    "/v2/health/ready": as_json({"ready": True}),
}


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """The answer to one HTTP API event (payload format 2.0) of a route that the API has."""
    path, context_of = str(event.get("rawPath")), event.get("requestContext")
    http = context_of.get("http") if isinstance(context_of, dict) else None
    head = isinstance(http, dict) and http.get("method") == "HEAD"
    # By its end, because a stage other than $default may stand before it, whatever its name.
    known = [body for end, body in _ANSWERS.items() if path.rstrip("/").endswith(end)]
    body = known[0] if known else as_json({"error": f"nothing answers at {path[:200]!r}"})
    request_id = str(getattr(context, "aws_request_id", ""))
    return {
        "statusCode": 200 if known else 404,
        "headers": {"content-type": JSON, "x-request-id": request_id},
        "body": "" if head else body,
    }
