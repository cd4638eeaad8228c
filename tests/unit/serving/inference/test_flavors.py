"""How each flavor loads and calls a model."""

import json
import sys

import numpy as np
import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest_schema import load_manifest
from halftone.serving.inference.loader import load

COUNTS = """
from pathlib import Path
from . import tables

inits = []

def init():
    inits.append(Path(__file__).parent.name)

def run(instances):
    return [{"y": float(len(inits)) + tables.OFFSET} for _ in instances]
"""


def test_init_runs_once_and_siblings_are_imported_with_a_dot(serve):
    served = serve(COUNTS, files={"tables.py": "OFFSET = 0.5"})
    for _ in range(3):
        answer = served.post({"instances": [{"x": 1}]})
        assert json.loads(answer["body"]) == {"predictions": [{"y": 1.5}]}


def test_a_package_leaves_the_import_path_and_other_names_alone(serve):
    before = list(sys.path)
    served = serve("import json\n" + COUNTS, files={"tables.py": "OFFSET = 1", "json.py": "x = 1"})
    assert served.post({"instances": [{"x": 1}]})["statusCode"] == 200
    assert sys.path == before
    assert "tables" not in sys.modules
    assert "predict" not in sys.modules


def test_numpy_values_of_a_python_model_become_plain_ones(serve):
    code = """
    import numpy as np
    def run(instances):
        x = np.array([record["x"] for record in instances], dtype=np.float32)
        return [{"y": 2 * one, "label": np.int64(1), "all": x[:2]} for one in x]
    """
    outputs = [
        {"name": "y", "type": "float32"},
        {"name": "label", "type": "int64"},
        {"name": "all", "type": "float32", "shape": [2]},
    ]
    predictions = [{"y": 2, "label": 1, "all": [1, 3]}, {"y": 6, "label": 1, "all": [1, 3]}]
    sample = {"instances": [{"x": 1}, {"x": 3}], "predictions": predictions}
    served = serve(code, manifest={"outputs": outputs, "samples": [sample]})
    answer = served.post({"instances": [{"x": 1}, {"x": 3}]})
    assert json.loads(answer["body"]) == {"predictions": predictions}


@pytest.fixture
def graph(request):
    """The champion of the digits example: rows of 64 floats to a label and ten probabilities."""
    path = request.config.rootpath / "examples" / "digits" / "models" / "champion" / "model.onnx"
    return path.read_bytes()


def onnx_manifest(**changes):
    pixels = {"name": "X", "type": "float32", "shape": [64], "minimum": 0, "maximum": 1}
    fields = {
        "name": "rows",
        "flavor": "onnx",
        "entry": "model.onnx",
        "inputs": [pixels],
        "outputs": [
            {"name": "label", "type": "int64"},
            {"name": "probabilities", "type": "float32", "shape": [10]},
        ],
    }
    sample = {"X": [0] * 64}
    answer = {"label": 0, "probabilities": [0.1] * 10}
    fields["samples"] = [{"instances": [sample], "predictions": [answer]}]
    return load_manifest({**fields, **changes})


def test_without_steps_fields_are_inputs_and_outputs_of_a_graph(graph, tmp_path):
    (tmp_path / "model.onnx").write_bytes(graph)
    predict = load(tmp_path, onnx_manifest(), "a" * 64).predict
    predictions = predict([{"X": [0.0] * 64}, {"X": [1.0] * 64}])
    assert [set(prediction) for prediction in predictions] == [{"label", "probabilities"}] * 2
    assert all(type(prediction["label"]) is int for prediction in predictions)
    sums = [sum(prediction["probabilities"]) for prediction in predictions]
    assert np.allclose(sums, 1.0, atol=1e-5)


def test_a_step_on_either_side_travels_in_the_package(graph, tmp_path):
    (tmp_path / "model.onnx").write_bytes(graph)
    (tmp_path / "steps.py").write_text(
        "import numpy as np\n"
        "def preprocess(instances):\n"
        "    return {'X': np.array([r['ink'] * np.ones(64) for r in instances], np.float32)}\n"
        "def postprocess(outputs):\n"
        "    return [{'best': float(p.max())} for p in outputs['probabilities']]\n"
    )
    manifest = onnx_manifest(
        preprocess="steps.py",
        inputs=[{"name": "ink", "type": "float64"}],
        outputs=[{"name": "best", "type": "float64"}],
        samples=[{"instances": [{"ink": 0}], "predictions": [{"best": 0.1}]}],
    )
    (prediction,) = load(tmp_path, manifest, "b" * 64).predict([{"ink": 0.5}])
    assert 0.1 <= prediction["best"] <= 1.0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"inputs": [{"name": "X", "type": "float32", "shape": [63]}]}, "inputs"),
        ({"inputs": [{"name": "X", "type": "float32", "shape": [8, 8, 2]}]}, "inputs"),
        ({"inputs": [{"name": "X", "type": "float32"}]}, "inputs"),
        ({"outputs": [{"name": "score", "type": "float32"}]}, "outputs"),
    ],
)
def test_a_signature_that_is_not_the_graphs_is_refused_at_load(graph, tmp_path, changes, field):
    (tmp_path / "model.onnx").write_bytes(graph)
    shape = changes.get("inputs", [{"shape": [64]}])[0].get("shape", [])
    sample = {"instances": [{"X": np.zeros(shape).tolist()}]}
    with pytest.raises(InvalidPackage) as caught:
        load(tmp_path, onnx_manifest(**changes, samples=[sample]), "c" * 64)
    assert caught.value.field == field


@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_the_only_input_of_a_graph_takes_the_fields(graph, tmp_path, kind):
    """As MLflow's signatures have it, and as a client finds it natural."""
    (tmp_path / "model.onnx").write_bytes(graph)
    by_name = load(tmp_path, onnx_manifest(), "a" * 64).predict
    row = [i % 2 for i in range(64)]
    expected = by_name([{"X": [float(ink) for ink in row]}])

    image = {"pixels": np.array(row).reshape(8, 8).tolist()}
    field = {"name": "pixels", "type": kind, "shape": [8, 8]}
    manifest = onnx_manifest(inputs=[field], samples=[{"instances": [image]}])
    assert load(tmp_path, manifest, "b" * 64).predict([image]) == expected

    columns = {f"p{i}": ink for i, ink in enumerate(row)}
    fields = [{"name": name, "type": kind} for name in columns]
    manifest = onnx_manifest(inputs=fields, samples=[{"instances": [columns]}])
    assert load(tmp_path, manifest, "c" * 64).predict([columns]) == expected


def test_a_file_that_is_no_graph_is_refused_at_load(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(InvalidPackage, match="a graph that loads"):
        load(tmp_path, onnx_manifest(), "d" * 64)
