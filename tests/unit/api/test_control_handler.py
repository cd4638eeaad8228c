"""The control function as Lambda starts it: a fresh process, its environment, one import."""

import asyncio
import json
import os
import subprocess
import sys

import httpx

from halftone.api.app import create_app
from halftone.api.serve import NOBODY, control
from tests.support.control import event

ENVIRONMENT = {
    "HALFTONE_STAGE": "dev",
    "HALFTONE_TABLE": "table",
    "HALFTONE_ARTIFACTS": "bucket",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    # Nothing answers there: what asks AWS while it is imported would be seen.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
SCRIPT = """
import json, sys
import handler
answer = handler.handler(json.load(sys.stdin), None)
print(json.dumps({"answer": answer, "modules": sorted(sys.modules)}))
"""


def test_it_answers_and_has_imported_nothing_that_it_does_not_need(request):
    root = request.config.rootpath
    paths = os.pathsep.join(map(str, (root / "functions" / "control", root / "layers/core/python")))
    given = event("DELETE", "/v1/me", {"host": "control"}, None, "")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**ENVIRONMENT, "PYTHONPATH": paths},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["answer"]["statusCode"] == 405
    assert json.loads(told["answer"]["body"])["type"] == "urn:halftone:problem:no-such-method"
    unneeded = {"pydantic.v1.main", "halftone.serving", "numpy", "yaml", "uvicorn", "httpx"}
    assert not unneeded & {*told["modules"]}


def test_the_same_app_is_served_on_this_machine():
    app = create_app(control(memory=True))
    me = asyncio.run(_get(app, "/v1/me"))
    assert (me.status_code, me.json()["arn"]) == (200, NOBODY)


async def _get(app, path):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://here"
    ) as client:
        return await client.get(path)
