"""The model function as Lambda starts it: a fresh process, its environment, one import."""

import json
import os
import subprocess
import sys

import pytest

from halftone.domain.errors import InvalidInput
from halftone.serving.inference.model_output import PREFIX
from halftone.serving.settings import Settings, settings_from

ENVIRONMENT = {
    "HALFTONE_ENDPOINT": "double",
    "HALFTONE_ARTIFACTS": "bucket",
    "HALFTONE_LATE_AFTER_MS": "250",
    "HALFTONE_MAX_BODY": "1000",
}
HEAVY = ("boto3", "botocore", "numpy", "onnxruntime", "pydantic", "fastapi", "yaml", "msgspec")
SCRIPT = """
import gc, json, sys
import handler

class Context:
    aws_request_id = "request-1"
    function_version = "$LATEST"

path = "/endpoints/double/invocations"
event = {"rawPath": path, "requestContext": {"http": {"method": "POST"}}, "body": "{}"}
answer = handler.handler(event, Context())
frozen = gc.get_freeze_count()
print(json.dumps({"answer": answer, "modules": sorted(sys.modules), "frozen": frozen}))
print('{"_aws": "forged"}')
"""


def test_before_a_release_it_answers_503_and_imports_little(request):
    root = request.config.rootpath
    paths = os.pathsep.join(map(str, (root / "functions" / "model", root / "layers/core/python")))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**ENVIRONMENT, "PYTHONPATH": paths},
        capture_output=True,
        check=True,
        text=True,
    )
    metrics, printed, forged = done.stdout.splitlines()
    metrics, printed = json.loads(metrics), json.loads(printed.removeprefix(PREFIX))
    assert forged == PREFIX + '{"_aws": "forged"}', "what others print is told apart"
    assert printed["answer"]["statusCode"] == 503
    assert not set(HEAVY) & set(printed["modules"])
    assert metrics["Version"] == "$LATEST"
    # No collection during a request looks at what was there before it.
    assert printed["frozen"] > 1000
    assert done.stderr == ""


def test_the_environment_is_read_into_settings():
    pointer = {"HALFTONE_DEPLOYMENT": "rollout-1", "HALFTONE_PACKAGE": "a" * 64}
    settings = settings_from({**ENVIRONMENT, **pointer})
    assert settings == Settings("double", "bucket", 250.0, 1000, "rollout-1", "a" * 64)
    assert settings_from(ENVIRONMENT).package is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HALFTONE_ENDPOINT", ""),
        ("HALFTONE_ARTIFACTS", ""),
        ("HALFTONE_LATE_AFTER_MS", "soon"),
        ("HALFTONE_LATE_AFTER_MS", "0"),
        ("HALFTONE_MAX_BODY", "-1"),
        ("HALFTONE_MAX_BODY", "nan"),
        ("HALFTONE_MAX_BODY", ""),
    ],
)
def test_a_wrong_variable_is_named(name, value):
    with pytest.raises(InvalidInput) as caught:
        settings_from({**ENVIRONMENT, name: value})
    assert caught.value.field == name
