"""Requests as MLflow documents them are read as MLflow's own scoring server reads them.

What that server answered is on record (``tests/data/mlflow/requests``). A request that it refuses
is refused here, with the field at fault; one that it takes reaches the model as the same records.
Where the two are meant to differ the record says which way and why, and that is held, too.
"""

import json
from pathlib import Path

import pytest

KEPT = json.loads((Path(__file__).parents[3] / "data/mlflow/requests/answers.json").read_text())
ECHO = "def run(instances):\n    return instances"
MODELS = {
    "columns": {"a": ["float64"], "b": ["int32"]},
    "flags": {"f": ["bool"], "n": ["int64"], "p": ["float32"]},
    "text": {"prompt": ["string"]},
    "texts": {"question": ["string"], "context": ["string"]},
    "tensor": {"input": ["float32", 3]},
    "tensors": {"x": ["float32", 2], "k": ["int64"]},
}
ZEROS = {"string": "", "bool": False}


@pytest.fixture
def model(serve):
    """The server of a model that answers the records that it was given."""

    def named(name):
        fields = [
            {"name": field, "type": kind, "shape": shape}
            for field, (kind, *shape) in MODELS[name].items()
        ]
        zeros = {
            field: [0] * shape[0] if shape else ZEROS.get(kind, 0)
            for field, (kind, *shape) in MODELS[name].items()
        }
        message = {"inputs": fields, "outputs": fields, "samples": [{"instances": [zeros]}]}
        return serve(ECHO, message)

    return named


@pytest.mark.parametrize(
    "asked", KEPT["requests"], ids=lambda asked: f"{asked['model']} {asked['body'][:60]}"
)
def test_a_request_is_read_as_mlflow_reads_it(model, asked):
    answer = model(asked["model"]).post(asked["body"], headers={"content-type": asked["sent_as"]})
    status, document = answer["statusCode"], json.loads(answer["body"])
    if asked["status"] == 200 and not asked["differs"]:
        assert status == 200, document
        assert document == json.loads(asked["answer"])
        return
    assert (asked["status"] == 200) == (asked["differs"] == "stricter"), asked["why"]
    if asked["differs"] == "lenient":
        assert status == 200, document
        return
    assert status in (400, 415, 422), document
    if status != 415:
        assert document["field"]
    if status == 422:
        assert "value" in document
        assert document["detail"].startswith(f"{document['field']} is ")


def test_the_record_has_every_shape_both_ways():
    for shape in ("instances", "inputs", "dataframe_split", "dataframe_records"):
        requests = [one for one in KEPT["requests"] if one["body"].startswith(f'{{"{shape}"')]
        assert {one["status"] for one in requests} >= {200, 400}, shape
