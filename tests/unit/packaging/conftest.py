"""A small package folder, and zips that were not built by Halftone."""

import pytest

PREDICT = """
def run(instances):
    return [{"y": 2 * record["x"]} for record in instances]
"""
MANIFEST = """
name: doubler
flavor: python
entry: predict.py
inputs: [{name: x, type: float64}]
outputs: [{name: y, type: float64}]
samples:
  - instances: [{x: 1.5}]
    predictions: [{y: 3}]
"""


@pytest.fixture
def folder(tmp_path):
    """A package's folder that builds."""
    folder = tmp_path / "doubler"
    folder.mkdir()
    (folder / "predict.py").write_text(PREDICT)
    (folder / "model.yaml").write_text(MANIFEST)
    return folder
