"""Model packages as folders: a manifest, and the code that a test is about."""

from pathlib import Path

DOUBLES = "def run(instances):\n    return [{'y': 2 * record['x']} for record in instances]\n"
_MANIFEST = """
name: doubler
flavor: python
entry: predict.py
inputs: [{name: x, type: float64}]
outputs: [{name: y, type: float64}]
samples:
  - instances: [{x: 1.5}]
    predictions: [{y: 3}]
"""


def folder_with(folder: Path, code: str = DOUBLES) -> Path:
    """A package of flavor python that should double numbers by ``code``; its folder."""
    folder.mkdir(parents=True)
    (folder / "predict.py").write_text(code)
    (folder / "model.yaml").write_text(_MANIFEST)
    return folder
