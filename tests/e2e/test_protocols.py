"""Clients of others against deployed endpoints: NVIDIA's for the Open Inference Protocol, and JSON
in the shapes of MLflow's scoring server.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from openapi_spec_validator import OpenAPIV31SpecValidator
from tritonclient.utils import InferenceServerException

from tests.e2e.support import Stage

DIGITS, TUMOURS = "digits", "promoted"
BASES = ["", f"/endpoints/{DIGITS}"]


def root(stage: Stage) -> str:
    """The API's address without its scheme."""
    url = stage.cloud.url(DIGITS)
    return url.partition("://")[2].rpartition("/endpoints/")[0]


@pytest.fixture(params=BASES, ids=["root", "below the endpoint"])
def inference(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Any]:
    with triton.InferenceServerClient(root(stage) + request.param) as client:
        yield client


def records(stage: Stage, endpoint: str, count: int) -> list[dict[str, Any]]:
    """The first records of an example's traffic."""
    lines = (stage.cloud.endpoints / endpoint / "traffic.jsonl").read_text().splitlines()
    documents = [json.loads(line) for line in lines[:count]]
    return [one["instance"] for one in documents]


def answers(stage: Stage, endpoint: str, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    status, body = stage.ask(endpoint, json.dumps({"instances": given}).encode())
    assert status == 200, body
    predictions: Any = body["predictions"]
    return list(predictions)


def tensor(name: str, array: Any, datatype: str, *, binary: bool) -> Any:
    tensor = triton.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


def test_server_and_model_tell_of_themselves(inference: Any) -> None:
    assert inference.is_server_live()
    assert inference.is_server_ready()
    assert inference.is_model_ready(DIGITS)
    assert "binary_tensor_data" in inference.get_server_metadata()["extensions"]
    metadata = inference.get_model_metadata(DIGITS)
    assert metadata["name"] == DIGITS
    assert metadata["inputs"] == [{"name": "pixels", "datatype": "FP32", "shape": [-1, 8, 8]}]
    assert [output["name"] for output in metadata["outputs"]] == ["label", "probabilities"]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_triton_infers_what_json_does(
    inference: Any, stage: Stage, binary: bool, compression: str | None
) -> None:
    value = records(stage, DIGITS, 3)
    pixels = np.array([record["pixels"] for record in value], np.float32)
    request = [
        triton.InferRequestedOutput("label", binary_data=not binary),
        triton.InferRequestedOutput("probabilities", binary_data=binary),
    ]
    answer = inference.infer(
        DIGITS,
        [tensor("pixels", pixels, "FP32", binary=binary)],
        outputs=request,
        request_id="request-42",
        request_compression_algorithm=compression,
    )
    expected = answers(stage, DIGITS, value)
    assert answer.get_response()["id"] == "request-42"
    assert answer.as_numpy("label").tolist() == [one["label"] for one in expected]
    probabilities = [one["probabilities"] for one in expected]
    assert np.allclose(answer.as_numpy("probabilities"), probabilities, atol=1e-6)


def test_without_requested_outputs_all_come_in_bytes(inference: Any, stage: Stage) -> None:
    pixels = np.array([record["pixels"] for record in records(stage, DIGITS, 2)], np.float32)
    answer = inference.infer(DIGITS, [tensor("pixels", pixels, "FP32", binary=True)])
    assert all("binary_data_size" in o["parameters"] for o in answer.get_response()["outputs"])
    assert answer.as_numpy("probabilities").shape == (2, 10)


def test_a_version_is_pinned_by_its_number(inference: Any, stage: Stage) -> None:
    pixels = np.array([record["pixels"] for record in records(stage, DIGITS, 1)], np.float32)
    inputs = [tensor("pixels", pixels, "FP32", binary=True)]
    champion = stage.state(DIGITS).champion
    assert champion is not None
    answer = inference.infer(DIGITS, inputs, model_version=champion.version)
    assert answer.get_response()["model_version"] == champion.version
    assert inference.is_model_ready(DIGITS, champion.version)


def test_thirty_scalars_and_a_text_are_thirty_one_tensors(stage: Stage) -> None:
    value = records(stage, TUMOURS, 4)
    inputs = [
        tensor(name, np.array([record[name] for record in value], np.float64), "FP64", binary=b)
        for name, b in zip(value[0], [True, False] * 15, strict=True)
    ]
    with triton.InferenceServerClient(root(stage)) as client:
        answer = client.infer(TUMOURS, inputs)
    expected = answers(stage, TUMOURS, value)
    assert answer.as_numpy("diagnosis").tolist() == [o["diagnosis"].encode() for o in expected]
    assert np.allclose(answer.as_numpy("probability"), [one["probability"] for one in expected])


def test_errors_are_what_triton_reads(inference: Any) -> None:
    def infer(shape: list[int], datatype: str, kind: Any) -> None:
        inference.infer(DIGITS, [tensor("pixels", np.zeros(shape, kind), datatype, binary=True)])

    with pytest.raises(InferenceServerException, match=r"shape is \[1, 64\], expected \[records"):
        infer([1, 64], "FP32", np.float32)
    with pytest.raises(
        InferenceServerException, match="datatype is 'FP64', expected FP32"
    ) as refusal:
        infer([1, 8, 8], "FP64", np.float64)
    assert refusal.value.status() == "400"
    pixels = np.zeros((1, 8, 8), np.float32)
    pixels[0, 0, 3] = 99
    inputs = [tensor("pixels", pixels, "FP32", binary=True)]
    with pytest.raises(InferenceServerException, match=r"inputs\[0\]\.data\[3\] is 99"):
        inference.infer(DIGITS, inputs)


def test_every_shape_of_mlflows_server_is_the_same_request(stage: Stage) -> None:
    value = records(stage, TUMOURS, 2)
    names = list(value[0])
    rows = [list(record.values()) for record in value]
    expected = answers(stage, TUMOURS, value)
    for body in (
        {"dataframe_split": {"columns": names, "data": rows}},
        {"dataframe_records": value},
        {"inputs": {name: [record[name] for record in value] for name in names}},
        {"inputs": rows},
        {"instances": rows},
    ):
        status, result = stage.ask(TUMOURS, json.dumps(body).encode())
        assert (status, result) == (200, {"predictions": expected})
    table = "\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows)])
    for sent_as in ("text/csv; charset=utf-8", "application/csv"):  # as text, and in base64
        sent = urllib.request.Request(
            stage.cloud.url(TUMOURS), table.encode(), {"content-type": sent_as}
        )
        with urllib.request.urlopen(sent, timeout=30) as answer:
            assert json.load(answer) == {"predictions": expected}


def test_an_endpoint_has_a_document_and_its_health(stage: Stage) -> None:
    base = stage.cloud.url(DIGITS).rpartition("/")[0]
    with urllib.request.urlopen(f"{base}/openapi.json", timeout=30) as answer:
        OpenAPIV31SpecValidator(json.load(answer)).validate()
    answers(stage, DIGITS, records(stage, DIGITS, 1))
    champion = stage.state(DIGITS).champion
    assert champion is not None
    for request in ("health", f"health?version={champion.version}"):
        with urllib.request.urlopen(f"{base}/{request}", timeout=30) as answer:
            document = json.load(answer)
        assert (document["loaded"], document["version"]) == (True, champion.version)
        assert document["last_minute"]["error_rate"] in (None, 0.0)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{base}/health?version=99", timeout=30)
