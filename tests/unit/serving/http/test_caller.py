"""What a python model may know of who calls, and models that take and give any JSON."""

import json

import pytest

from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.serving.http.caller import Context, context_of

TELLS = """
def run(instances, context):
    told = f"{context.client} {context.request_id} {sorted(context.headers.items())}"
    return [{"y": told} for _ in instances]
"""
TEXT = {
    "outputs": [{"name": "y", "type": "string"}],
    "samples": [{"instances": [{"x": 1}]}],
}
FREE = {"inputs": None, "outputs": None, "samples": [{"request": [1, 2], "response": 3}]}


def answered(answer):
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])


def test_a_run_with_a_second_parameter_sees_the_headers(serve):
    served = serve(TELLS, {**TEXT, "headers": ["X-Region", "x-missing"]})
    headers = {"x-region": "north", "x-other": "1", "authorization": "Bearer secret"}
    answer = served.post({"instances": [{"x": 1}]}, headers=headers)
    (prediction,) = answered(answer)["predictions"]
    assert prediction["y"] == "None request-1 [('x-region', 'north')]"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("instances", False),
        ("instances, context", True),
        ("instances, context=None", True),
        ("instances, around", True),
        ("instances, threshold=0.5", False),
        ("instances, *others", False),
        ("instances, *, context=None", False),
    ],
)
def test_who_gets_a_context_is_decided_by_the_signature(serve, parameters, told):
    second = parameters.split(", ")[-1].lstrip("*").split("=")[0]
    code = f"""
    from halftone.serving.http.caller import Context
    def run({parameters}):
        return [{{"y": str(isinstance({second}, Context))}} for _ in instances]
    """
    served = serve(code, TEXT)
    (prediction,) = answered(served.post({"instances": [{"x": 1}]}))["predictions"]
    assert prediction["y"] == str(told)


def test_the_client_s_name_is_halftone_s_to_say():
    forged = {"x-forwarded-user": "mallory", "x-region": "north"}
    assert context_of(forged, ["x-forwarded-user", "x-region"]).headers == {"x-region": "north"}
    context = context_of(forged, [], client="ann", request_id="7")
    assert context == Context("ann", "7", {"x-forwarded-user": "ann"})


def test_nobody_changes_a_context():
    context = context_of({"x-region": "north"}, ["x-region"])
    with pytest.raises(AttributeError):
        context.client = "ann"
    with pytest.raises(TypeError):
        context.headers["x-region"] = "south"


@pytest.mark.parametrize("body", ["[1, 2]", '{"a": [null, true]}', '"text"', "7", "null"])
def test_without_a_signature_any_json_goes_in_and_comes_out(serve, body):
    served = serve("def run(body):\n    return {'given': body}", FREE)
    assert answered(served.post(body)) == {"given": json.loads(body)}


def test_free_json_is_smoke_tested_by_its_samples(serve):
    served = serve("def run(body):\n    return sum(body) + 1e-9", FREE)
    (sample,) = served.package.manifest.samples
    assert check_answer(sample, served.send(smoke_event("double", sample))) is None


def test_free_json_that_is_answered_otherwise_does_not_pass(serve):
    served = serve("def run(body):\n    return sum(body) + 1", FREE)
    (sample,) = served.package.manifest.samples
    fault = check_answer(sample, served.send(smoke_event("double", sample)))
    assert fault == "response is 4, expected 3"


def test_numpy_values_anywhere_in_an_answer_become_plain_ones(serve):
    code = """
    import numpy as np
    def run(body):
        return {"sum": np.float32(1.5), "rows": (np.arange(2), [np.int64(7)])}
    """
    answer = serve(code, FREE).post("{}")
    assert answered(answer) == {"sum": 1.5, "rows": [[0, 1], [7]]}


@pytest.mark.parametrize(
    "result", ["object()", "{1, 2}", "float('nan')", "{(1, 2): 3}", "b'bytes'", "nested"]
)
def test_an_answer_that_is_no_json_is_the_model_s_fault(serve, result):
    code = f"""
    nested = []
    nested.append(nested)
    def run(body):
        return {result}
    """
    served = serve(code, FREE)
    answer = served.post("{}")
    assert answer["statusCode"] == 500
    assert "body" not in json.loads(answer["body"])
    assert served.metrics[0]["Errors"] == 1


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "NaN"])
def test_a_body_that_is_no_json_is_the_client_s_fault(serve, body):
    served = serve("def run(body):\n    return 1", FREE)
    assert served.post(body)["statusCode"] == 400
    assert served.metrics[0]["Errors"] == 0
