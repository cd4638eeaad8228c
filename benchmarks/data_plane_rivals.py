"""The same graph behind other servers, each written as its own documentation would have it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
OUTPUTS = ["label", "probabilities"]


def _session(graph: Path) -> Any:
    options = onnxruntime.SessionOptions()
    # As Halftone has it: threads that spin would slow down whoever comes next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _predict(session: Any, body: Any) -> dict[str, Any]:
    rows = np.array([record["X"] for record in body["instances"]], np.float32)
    labels, probabilities = session.run(OUTPUTS, {"X": rows})
    pairs = zip(labels.tolist(), probabilities.tolist(), strict=True)
    return {"predictions": [{"label": one, "probabilities": many} for one, many in pairs]}


def own_time(graph: Path, asked: dict[str, Any]) -> Handler:
    """The run of the graph and nothing else."""
    session = _session(graph)
    records = json.loads(asked["body"])["instances"]
    rows = np.array([record["X"] for record in records], np.float32)

    def run(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        session.run(OUTPUTS, {"X": rows})
        return {}

    return run


def bare(graph: Path) -> Handler:
    """As little as it takes; it checks nothing, tells nothing and lets everybody in."""
    session = _session(graph)

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        answer = _predict(session, json.loads(event["body"]))
        headers = {"content-type": "application/json"}
        return {"statusCode": 200, "headers": headers, "body": json.dumps(answer)}

    return handler


def powertools(graph: Path) -> Handler:
    """Powertools for AWS Lambda, its resolver for HTTP APIs, without validation."""
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver  # noqa: PLC0415

    app, session = APIGatewayHttpResolver(), _session(graph)

    @app.post("/endpoints/digits/invocations")
    def invoke() -> dict[str, Any]:
        return _predict(session, app.current_event.json_body)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answer: dict[str, Any] = app.resolve(event, context)
        return answer

    return handler


def fastapi_mangum(graph: Path) -> Handler:
    """FastAPI through Mangum, in its fastest form: an async route without a model of the body."""
    from fastapi import FastAPI, Request  # noqa: PLC0415
    from fastapi.responses import JSONResponse  # noqa: PLC0415
    from mangum import Mangum  # noqa: PLC0415

    app, session = FastAPI(), _session(graph)

    async def invoke(request: Request) -> JSONResponse:
        return JSONResponse(_predict(session, await request.json()))

    app.add_api_route("/endpoints/digits/invocations", invoke, methods=["POST"])
    handler: Handler = Mangum(app, lifespan="off")
    return handler
