"""A model that imports what is not installed: the reason names the module and the remedy."""

import json

import pytest

from halftone.domain.model.smoke_test import MARK

REMEDY = (
    "ModuleNotFoundError: No module named 'pandas_of_theirs'; neither the package nor what is "
    "installed for it on Lambda has pandas_of_theirs: bring it along (docs/serving.md, What is "
    "installed)"
)
AT_LOAD = """
import pandas_of_theirs.frame
def run(instances):
    return instances
"""
WRAPPED = """
try:
    import pandas_of_theirs
except ImportError as error:
    raise RuntimeError("the model needs pandas") from error
def run(instances):
    return instances
"""
AT_REQUEST = """
def run(instances):
    import pandas_of_theirs
"""
RING = """
error = ValueError("no module is missing here")
error.__cause__ = other = KeyError("a")
other.__cause__ = error
raise error
"""


def smoke(served):
    context = {"halftone": MARK, "http": {"method": "POST"}}
    answer = served.post({"instances": [{"x": 1}]}, requestContext=context)
    return answer["statusCode"], json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (AT_LOAD, 503, f"the model could not be loaded: {REMEDY}"),
        (WRAPPED, 503, "the model could not be loaded: RuntimeError: the model needs pandas; "),
        (AT_REQUEST, 500, REMEDY),
    ],
)
def test_the_smoke_test_reads_the_remedy(serve, code, status, expected):
    answered, detail = smoke(serve(code))
    assert answered == status
    assert expected in detail
    assert REMEDY.partition("; ")[2] in detail


def test_the_log_of_the_function_has_it_too(serve):
    [line] = serve(AT_LOAD).faults
    assert line["event"] == "model not loaded"
    assert line["reason"] == f"the model could not be loaded: {REMEDY}"


def test_other_errors_have_no_such_remedy(serve):
    assert smoke(serve(RING))[1].endswith("ValueError: no module is missing here")
