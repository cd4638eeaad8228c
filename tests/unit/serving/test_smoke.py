"""The smoke test judges a version by the samples of its own package."""

import json

import pytest

from halftone.domain.model.samples import Sample
from halftone.domain.model.smoke_test import check_answer, smoke_event


def sample(*predictions, tolerance=1e-3):
    return Sample(tuple({"x": 1.0} for _ in predictions), predictions, tolerance)


def ok(*predictions):
    return {"statusCode": 200, "body": json.dumps({"predictions": predictions})}


def test_a_good_version_passes_and_leaves_no_metric(serve):
    served = serve()
    (own,) = served.package.manifest.samples
    assert check_answer(own, served.send(smoke_event("double", own))) is None
    assert served.log == []


def test_a_version_that_raises_says_so_to_the_smoke_test_alone(serve):
    served = serve("def run(instances):\n    raise KeyError('bin 17')")
    (own,) = served.package.manifest.samples
    reason = check_answer(own, served.send(smoke_event("double", own)))
    assert (
        reason == "status is 500, expected 200: the model raised an exception: KeyError: 'bin 17'"
    )
    assert served.metrics == []


def test_no_client_can_claim_to_be_the_smoke_test(serve):
    served = serve()
    headers = {"halftone": "smoke", "x-halftone": "smoke"}
    served.post({"instances": [{"x": 1}]}, headers=headers, halftone="smoke")
    assert len(served.metrics) == 1


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"y": 2.0}, {"y": 2.0009}),
        ({"y": 2.0}, {"y": 2}),
        ({"y": 4000.0}, {"y": 4003.9}),
        ({"y": [[0.5], [0.25]]}, {"y": [[0.5005], [0.2495]]}),
        ({"label": "a", "n": 3, "b": True}, {"label": "a", "n": 3, "b": True}),
    ],
)
def test_answers_within_tolerance_pass(expected, found):
    assert check_answer(sample(expected), ok(found)) is None


@pytest.mark.parametrize(
    ("expected", "found", "at"),
    [
        ({"y": 2.0}, {"y": 2.003}, "predictions[0].y is 2.003, expected 2.0 within 0.002"),
        ({"y": 2.0}, {"y": "2.0"}, "predictions[0].y is '2.0'"),
        ({"y": 2.0}, {"y": True}, "predictions[0].y is True"),
        ({"y": 2.0}, {"y": None}, "predictions[0].y is None"),
        ({"y": 2.0}, {"z": 2.0}, "predictions[0] is {'z': 2.0}, expected the fields y"),
        ({"y": [0.5, 0.5]}, {"y": [0.5]}, "predictions[0].y is [0.5], expected a list of 2"),
        ({"y": [0.5, 0.5]}, {"y": [0.5, 0.6]}, "predictions[0].y[1] is 0.6"),
        ({"n": 3}, {"n": 4}, "predictions[0].n is 4, expected 3"),
        ({"n": 1}, {"n": True}, "predictions[0].n is True"),
        ({"label": "a"}, {"label": "b"}, "predictions[0].label is 'b', expected 'a'"),
    ],
)
def test_other_answers_are_told_by_path_and_value(expected, found, at):
    assert check_answer(sample(expected), ok(found)).startswith(at)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({}, "status is None, expected 200: no reason given"),
        ({"errorMessage": "Task timed out"}, "status is None, expected 200: Task timed out"),
        ({"statusCode": 500, "body": "oops"}, "status is 500, expected 200: no reason given"),
        ({"statusCode": 200, "body": "oops"}, "predictions is None, expected a list of 1"),
        ({"statusCode": 200, "body": "[]"}, "predictions is None, expected a list of 1"),
        ({"statusCode": 200, "body": '{"predictions": []}'}, "predictions is [], expected a"),
        (
            {"statusCode": 200, "body": '{"predictions": [{"y": NaN}]}'},
            "predictions[0].y is nan, expected 2.0 within 0.002",
        ),
        ({"statusCode": 200, "body": "[" * 99_999}, "predictions is None"),
    ],
)
def test_what_is_no_answer_is_told(response, reason):
    assert check_answer(sample({"y": 2.0}), response).startswith(reason)
