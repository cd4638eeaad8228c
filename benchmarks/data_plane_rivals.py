"""The same graph behind other servers, each as fast as its own documentation lets it be.

The plain ones do no more than answer; those "of the same job" also do what Halftone does: they let
in who has a token, say which request and version an answer is of, and write a metric line. All
check bodies as pydantic does it fastest, text in one go (``json.loads`` alone takes longer).
"""

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
PATH = "/endpoints/digits/invocations"
OUTPUTS = ["label", "probabilities"]
LATE_AFTER_MS = 500.0
_COUNTS = ("Requests", "Errors", "ClientErrors", "ColdStart", "Late")

Pixel = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """One record, with the checks of Halftone's signature."""

    model_config = ConfigDict(extra="forbid")
    X: Annotated[list[Pixel], Field(min_length=64, max_length=64)]


class Body(BaseModel):
    """A body of plain JSON."""

    model_config = ConfigDict(extra="forbid")
    instances: Annotated[list[Record], Field(min_length=1)]


def session_of(graph: Path) -> Any:
    """A session as Halftone has it: threads that spin would slow down whoever comes next."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def own_time(graph: Path, request: dict[str, Any]) -> Handler:
    """The run of the graph and nothing else."""
    session = session_of(graph)
    rows = np.array(
        [record["X"] for record in json.loads(request["body"])["instances"]], np.float32
    )

    def run(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        session.run(OUTPUTS, {"X": rows})
        return {}

    return run


def bare(graph: Path) -> Handler:
    """As little as it takes; it checks nothing, tells nothing and lets everybody in."""
    session = session_of(graph)

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        records = json.loads(event["body"])["instances"]
        answer = _predicted(session, [record["X"] for record in records])
        headers = {"content-type": "application/json"}
        return {"statusCode": 200, "headers": headers, "body": json.dumps(answer)}

    return handler


def powertools(graph: Path) -> Handler:
    """Powertools for AWS Lambda: its resolver for HTTP APIs. Its own validation takes twice as long
    as pydantic alone, and so does its own serialisation of the answer take longer.
    """
    from aws_lambda_powertools.event_handler import (  # noqa: PLC0415
        APIGatewayHttpResolver,
        Response,
    )

    app, session = APIGatewayHttpResolver(), session_of(graph)

    @app.post(PATH)
    def invoke() -> Response[str]:
        answer = _checked(session, app.current_event.body or "")
        return Response(200, "application/json", json.dumps(answer))

    return app.resolve


def powertools_same_job(graph: Path, tokens: "Tokens") -> Handler:
    """Resolver and ``Metrics``, as it is meant to be used, at its fastest."""
    from aws_lambda_powertools import Metrics  # noqa: PLC0415
    from aws_lambda_powertools.event_handler import (  # noqa: PLC0415
        APIGatewayHttpResolver,
        Response,
    )
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

    app, session = APIGatewayHttpResolver(), session_of(graph)
    metrics = Metrics(namespace="Rival")
    metrics.set_default_dimensions(Endpoint="digits", Version="3")

    @app.post(PATH)
    def invoke() -> Response[str]:
        headers = _named(app.lambda_context)
        if tokens.client(app.current_event.headers.get("authorization")) is None:
            return Response(401, "application/json", "{}", headers)
        try:
            answer = _checked(session, app.current_event.body or "")
        except ValidationError as error:
            return Response(422, "application/json", error.json(), headers)
        return Response(200, "application/json", json.dumps(answer), headers)

    @metrics.log_metrics
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        began = time.perf_counter_ns()
        answer: dict[str, Any] = app.resolve(event, context)
        latency_ms = (time.perf_counter_ns() - began) / 1e6
        counts = _counts(answer["statusCode"], latency_ms)
        for name, count in zip(_COUNTS, counts, strict=True):
            metrics.add_metric(name, MetricUnit.Count, count, 1)
        metrics.add_metric("Latency", MetricUnit.Milliseconds, latency_ms, 1)
        return answer

    return handler


def fastapi_declared(graph: Path) -> Handler:
    """FastAPI through Mangum as its tutorial has it: the body is declared, the answer a dict."""
    from fastapi import FastAPI  # noqa: PLC0415
    from mangum import Mangum  # noqa: PLC0415

    app, session = FastAPI(), session_of(graph)

    async def invoke(body: Body) -> dict[str, Any]:
        return _predicted(session, [record.X for record in body.instances])

    app.add_api_route(PATH, invoke, methods=["POST"])
    handler: Handler = Mangum(app, lifespan="off")
    return handler


def fastapi_mangum(graph: Path) -> Handler:
    """FastAPI through Mangum in its fastest form: it leaves body and answer to its route."""
    from fastapi import FastAPI, Request  # noqa: PLC0415
    from fastapi.responses import JSONResponse  # noqa: PLC0415
    from mangum import Mangum  # noqa: PLC0415

    app, session = FastAPI(), session_of(graph)

    async def invoke(request: Request) -> JSONResponse:
        return JSONResponse(_checked(session, await request.body()))

    app.add_api_route(PATH, invoke, methods=["POST"])
    handler: Handler = Mangum(app, lifespan="off")
    return handler


def fastapi_same_job(graph: Path, tokens: "Tokens") -> Handler:
    """The same with what Halftone does, in the route itself: dependencies, middleware and
    Powertools' metrics would all take longer.
    """
    from fastapi import FastAPI, Request  # noqa: PLC0415
    from fastapi.responses import JSONResponse, Response  # noqa: PLC0415
    from mangum import Mangum  # noqa: PLC0415

    app, session = FastAPI(), session_of(graph)

    async def invoke(request: Request) -> Response:
        began = time.perf_counter_ns()
        headers = _named(request.scope["aws.context"])
        if tokens.client(request.headers.get("authorization")) is None:
            return JSONResponse({}, 401, headers)
        answer: Response
        try:
            answer = JSONResponse(_checked(session, await request.body()), headers=headers)
        except ValidationError as error:
            answer = Response(error.json(), 422, headers, "application/json")
        latency_ms = (time.perf_counter_ns() - began) / 1e6
        print(_metric_line(answer.status_code, latency_ms))
        return answer

    app.add_api_route(PATH, invoke, methods=["POST"])
    handler: Handler = Mangum(app, lifespan="off")
    return handler


@dataclass(frozen=True)
class Tokens:
    """SHA-256 of the tokens of clients, by the tokens' ids."""

    digests: dict[str, tuple[str, str]]

    def client(self, authorization: str | None) -> str | None:
        """Who has the token in a header ``Bearer ht_<id>_<secret>``."""
        if not authorization or not authorization.startswith("Bearer ht_"):
            return None
        name, expected = self.digests.get(authorization[10:18], ("", ""))
        digest = sha256(authorization[7:].encode()).hexdigest()
        return name if hmac.compare_digest(digest, expected) else None


def _predicted(session: Any, rows: list[list[float]]) -> dict[str, Any]:
    labels, probabilities = session.run(OUTPUTS, {"X": np.array(rows, np.float32)})
    pairs = zip(labels.tolist(), probabilities.tolist(), strict=True)
    return {"predictions": [{"label": one, "probabilities": many} for one, many in pairs]}


def _checked(session: Any, body: str | bytes) -> dict[str, Any]:
    return _predicted(session, [record.X for record in Body.model_validate_json(body).instances])


def _named(context: Any) -> dict[str, str]:
    request_id = f"{context.aws_request_id}.{context.function_version}"
    return {"x-request-id": request_id, "x-halftone-version": context.function_version}


def _counts(status: int, latency_ms: float) -> tuple[int, ...]:
    return (1, int(status >= 500), int(400 <= status < 500), 0, int(latency_ms > LATE_AFTER_MS))


_DIRECTIVE = {
    "Namespace": "Rival",
    "Dimensions": [["Endpoint", "Version"]],
    "Metrics": [
        {"Name": name, "Unit": unit, "StorageResolution": 1}
        for name, unit in (*((name, "Count") for name in _COUNTS), ("Latency", "Milliseconds"))
    ],
}


def _metric_line(status: int, latency_ms: float) -> str:
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [_DIRECTIVE]},
        "Endpoint": "digits",
        "Version": "3",
        **dict(zip(_COUNTS, _counts(status, latency_ms), strict=True)),
        "Latency": round(latency_ms, 3),
    }
    return json.dumps(line, separators=(",", ":"))
