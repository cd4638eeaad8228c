"""The control function as Lambda starts it: a fresh process, its environment, one import."""

import asyncio
import json
import os
import subprocess
import sys

import httpx

from halftone.api.app import create_app
from halftone.api.serve import NOBODY, control
from tests.support.control import ANN, event

ENVIRONMENT = {
    "HALFTONE_STAGE": "dev",
    "HALFTONE_TABLE": "table",
    "HALFTONE_ARTIFACTS": "bucket",
    "PYDANTIC_DISABLE_PLUGINS": "true",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    # Nothing answers there: what asks AWS while it is imported would be seen.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
SCRIPT = """
import json, sys
import boto3.session
made, client = [], boto3.session.Session.client
boto3.session.Session.client = lambda self, name, **more: (
    made.append(name) or client(self, name, **more)
)
import handler
clients = [*made]
answer = handler.handler(json.load(sys.stdin), None)
print(json.dumps({"answer": answer, "modules": sorted(sys.modules), "clients": clients}))
"""


def started(root, given, **environment):
    """What a fresh process answers to the event, and the modules that it has imported."""
    paths = os.pathsep.join(map(str, (root / "functions" / "control", root / "layers/core/python")))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**ENVIRONMENT, "PYTHONPATH": paths, **environment},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(done.stdout)
    return document["answer"], {*document["modules"]}, document["clients"]


def test_it_answers_and_has_imported_only_what_it_needs(request):
    sent = event("DELETE", "/v1/me", {"host": "control"}, None, "")
    answer, modules, clients = started(request.config.rootpath, sent)
    assert answer["statusCode"] == 405
    assert json.loads(answer["body"])["type"] == "urn:halftone:problem:no-such-method"
    unneeded = {"pydantic.v1.main", "halftone.serving", "numpy", "yaml", "uvicorn", "httpx"}
    assert not unneeded & modules
    assert clients == ["dynamodb"]


def test_before_a_snapshot_it_makes_every_client(request):
    """What is in the snapshot costs no request anything."""
    sent = event("DELETE", "/v1/me", {"host": "control"}, None, "")
    mode = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    _, _, clients = started(request.config.rootpath, sent, **mode)
    assert {*clients} == {
        "apigatewayv2",
        "cloudwatch",
        "dynamodb",
        "lambda",
        "logs",
        "s3",
        "stepfunctions",
    }


def test_a_body_is_checked_although_models_are_built_late(request):
    headers = {"host": "control", "content-type": "application/json", "if-match": "*"}
    path = "/v1/models/churn/versions/1"
    sent = event("PATCH", path, headers, '{"description": 7}', ANN)
    answer, _, _ = started(request.config.rootpath, sent)
    document = json.loads(answer["body"])
    assert (answer["statusCode"], document["field"], document["value"]) == (400, "description", 7)


def test_the_document_can_be_had_though_models_are_built_late(request):
    sent = event("GET", "/v1/openapi.json", {"host": "control"}, None, ANN)
    answer, _, _ = started(request.config.rootpath, sent)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["openapi"].startswith("3.1")


def test_the_same_app_is_served_on_this_machine():
    app = create_app(control(memory=True))
    me = asyncio.run(_get(app, "/v1/me"))
    assert (me.status_code, me.json()["arn"]) == (200, NOBODY)


async def _get(app, path):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://here"
    ) as client:
        return await client.get(path)
