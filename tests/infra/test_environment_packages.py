"""A package of each kind is loaded by the Python of its environment, with nothing else on the path.

The packages are made by ``examples/environments/kinds.py``, whose samples are what the libraries
themselves answered.
"""

import shutil

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Flavor
from halftone.domain.model.target import Runtime, Target
from halftone.packaging.folder import build_package
from halftone.packaging.interpreters import interpreter
from halftone_cli.local.samples import sample_faults

KINDS = {
    "lightgbm-arrays": Flavor.LIGHTGBM,
    "lightgbm-categories": Flavor.LIGHTGBM,
    "xgboost-classes": Flavor.XGBOOST,
    "sklearn-named": Flavor.SKLEARN,
    "mlflow-booster": Flavor.PYFUNC,
    "mlflow-code": Flavor.PYFUNC,
}
LAMBDAS = Target() if interpreter(Target()) else Target(Runtime.current())


@pytest.fixture
def copy(request, tmp_path):
    """Copies a package, so that its lock is not written into the checkout."""

    def made(kind):
        source = request.config.rootpath / "tests" / "data" / "environments" / kind
        return shutil.copytree(source, tmp_path / kind)

    return made


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_its_library_did(copy, kind):
    built = build_package(copy(kind), LAMBDAS)
    assert built.manifest.flavor is KINDS[kind]
    assert built.manifest.environment.target == LAMBDAS
    assert sample_faults(built) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_answer_of_it_is_told(copy, kind):
    folder = copy(kind)
    text = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(text.replace('"a": ', '"a": 9', 1))
    assert sample_faults(build_package(folder, LAMBDAS))


def test_a_model_saved_again_is_the_same_package(copy):
    folder = copy("mlflow-code")
    first = build_package(folder, LAMBDAS)
    saved = folder / "saved" / "MLmodel"
    lines = [
        line.split(":")[0] + ": 0123" if line.startswith(("model_uuid", "utc_time")) else line
        for line in saved.read_text().splitlines()
    ]
    saved.write_text("\n".join(lines) + "\n")
    assert build_package(folder, LAMBDAS).digest == first.digest


@pytest.mark.parametrize(
    ("kind", "old", "new", "field"),
    [
        ("lightgbm-arrays", '"raw": "raw_score"', '"raw": "leaves"', "methods.raw"),
        ("xgboost-classes", "model.ubj", "model.txt", "entry"),
        ("lightgbm-arrays", "requirements.txt", "other.txt", "requirements"),
    ],
)
def test_what_does_not_fit_is_named(copy, kind, old, new, field):
    folder = copy(kind)
    text = (folder / "model.yaml").read_text().replace(old, new)
    (folder / "model.yaml").write_text(text)
    with pytest.raises(InvalidPackage) as caught:
        build_package(folder, LAMBDAS)
    assert caught.value.field.startswith(field)
