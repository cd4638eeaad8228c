"""The OpenAPI document, with what every route has in common said once.

python -m halftone.api.openapi docs/openapi.json      write it
"""

import json
import sys
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from halftone.api.authorizer import Authorizer, Deletes, Edits, Posts, Reads
from halftone.api.errors import PROBLEM, Problem
from halftone.api.responses import JSON, SHAPES

VERSION = "1.0.0"
"""A breaking change raises the first number, and is told in the changelog."""

_REF = "#/components/schemas/{name}"
_WORDS = {
    400: "A value can't be taken; `field` and `value` name it.",
    403: "The principal may not do that to this resource.",
    404: "There is nothing of that name.",
    409: "The present state forbids it, or the same request is being carried out.",
    412: "It is no longer at the revision in If-Match.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key stands for another request.",
    428: "If-Match is missing.",
    503: "A service that Halftone stands on did not answer; ask again.",
}
_SERVERS: list[dict[str, str | Any]] = [
    {"url": "/", "description": "The stage that answers this document."},
    {
        "url": "https://{api}.execute-api.{region}.amazonaws.com",
        "description": "A stage by the output `ControlUrl` of its platform stack, without `/v1`.",
        "variables": {
            "api": {"default": "abcdefghij", "description": "The id of the stage's control API."},
            "region": {"default": "eu-central-1", "description": "The region of the stage."},
        },
    },
]
_SIGV4: Mapping[str, str] = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    # How API Gateway itself describes this scheme, which OpenAPI has no type for.
    "x-amazon-apigateway-authtype": "awsSigv4",
    "description": "AWS Signature Version 4 for the service `execute-api`. With temporary "
    "credentials, X-Amz-Security-Token carries the session token. The query is signed with its "
    "names sorted and each followed by `=`.",
}
_ALWAYS = (400, 403, 404, 503)
_BY_GUARD: Mapping[type[Authorizer], tuple[int, ...]] = {
    Posts: (*_ALWAYS, 409, 413, 415, 422),
    Edits: (*_ALWAYS, 409, 412, 413, 415, 428),
    Deletes: (*_ALWAYS, 409),
}


def describe(app: FastAPI) -> None:
    """Let ``app`` answer its document at ``/v1/openapi.json``, and make it when it is asked for."""
    described: dict[str, Any] = {}

    async def openapi(_: Request) -> Response:
        if not described:
            described.update(document(app))
        return Response(json.dumps(described), media_type=JSON)

    app.router.add_route("/v1/openapi.json", openapi, methods=["GET"])


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of ``app``."""
    specification = get_openapi(
        title="Halftone control API",
        version=VERSION,
        summary="Releases, rollouts and endpoints of one stage.",
        description="Requests are signed (SigV4, service `execute-api`). Errors are problem "
        "details (RFC 9457). docs/control.md says the rest.",
        routes=app.routes,
        servers=_SERVERS,
    )
    specification["security"] = [{"sigv4": []}]
    specification.setdefault("components", {})["securitySchemes"] = {"sigv4": _SIGV4}
    schemas = specification.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _, ours = msgspec.json.schema_components([Problem, *SHAPES.values()], ref_template=_REF)
    for shape in ours.values():
        # Python 3.13 takes the indentation out of docstrings, and 3.11 leaves it in.
        shape["description"] = cleandoc(shape.get("description", ""))
    schemas.update(ours)
    specification["components"]["schemas"] = dict(sorted(schemas.items()))
    for route in routes_of(app):
        for method in route.methods or ():
            _complete(specification["paths"][route.path][method.lower()], guard_of(route))
    return specification


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """The routes that the document has."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield route


def guard_of(route: APIRoute) -> Authorizer | None:
    """The guard of a route, or None if it has none."""
    calls: list[object] = [inner.call for inner in route.dependant.dependencies]
    return next((call for call in calls if isinstance(call, Authorizer)), None)


def _complete(operation: dict[str, Any], guard: Authorizer | None) -> None:
    # The docstring's first paragraph is a sentence; further ones are there to be read as well.
    summary, _, more = operation.pop("description", "").partition("\n\n")
    operation["summary"] = " ".join(summary.split()).removesuffix(".")
    if more:
        operation["description"] = " ".join(more.split())
    answers = operation["responses"]
    answers.pop("422", None)
    problem = {PROBLEM: {"schema": {"$ref": _REF.format(name="Problem")}}}
    for status in _BY_GUARD.get(type(guard), _ALWAYS) if guard else ():
        answers[str(status)] = {"description": _WORDS[status], "content": problem}
    for status, description in answers.items():
        if status >= "400":
            description["content"] = problem
    operation["responses"] = dict(sorted(answers.items()))
    if type(guard) is Reads and JSON in answers.get("200", {}).get("content", {}):
        answers["304"] = {"description": "Nothing moved since the ETag in If-None-Match."}
        operation["responses"] = dict(sorted(answers.items()))
    if guard:
        operation["x-halftone-action"] = guard.action.value
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "if-match":
            parameter["required"] = True


def main(target: str) -> None:
    """Write the document to ``target``."""
    Path(target).write_text(text(), encoding="utf-8")


def text() -> str:
    """The document as it is committed."""
    from halftone.api.app import create_app  # noqa: PLC0415 - it imports this module
    from halftone.api.authorizer import ApiContext  # noqa: PLC0415
    from halftone.testing import InMemoryStage  # noqa: PLC0415 - not on Lambda

    app = create_app(ApiContext(InMemoryStage().ports(), lambda _: ""))
    return json.dumps(document(app), indent=1) + "\n"


if __name__ == "__main__":
    main(sys.argv[1])
