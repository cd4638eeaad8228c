"""An environment goes into a layer where it fits, and else onto the function's own disk."""

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from halftone.domain.errors import InvalidInput
from halftone.domain.model.environment import Environment
from halftone.domain.model.target import Architecture, Runtime, Target
from halftone_cdk.constructs.function.environment import LARGEST_STORAGE, place_environment
from halftone_cdk.layers import build
from halftone_cdk.layers.build import Layer

TARGET = Target()
MB = 2**20


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose environment has that size, as far as anybody is told."""
    monkeypatch.setattr(build, "BUILD", tmp_path)
    archive = tmp_path / "environment.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("x/__init__.py", "X = 1\n")

    def made(unzipped, target=TARGET):
        environment = Environment("ab" * 32, target, unzipped, ("x==1",))
        return SimpleNamespace(
            manifest=SimpleNamespace(environment=environment),
            environment=SimpleNamespace(archive=archive),
            data=b"x" * MB,
        )

    return made


def place(package, others=100 * MB):
    layers = [Layer("others", Path(), "0", others)]
    return place_environment(package, Path(__file__).parent / "data", layers, TARGET)


def test_what_fits_is_a_layer_below_its_digest(package):
    (layer,) = place(package(150 * MB)).layers
    with zipfile.ZipFile(layer.archive) as content:
        assert content.namelist() == [f"environments/{'ab' * 32}/x/__init__.py"]
    assert layer.size == 150 * MB
    assert layer.digest != "ab" * 32, "the environment itself is uploaded under that name"


@pytest.mark.parametrize(
    ("unzipped", "storage"), [(160, None), (220, None), (230, 526), (1000, 2066), (9000, 10240)]
)
def test_what_does_not_fit_gets_the_disk_that_it_takes(package, unzipped, storage):
    found = place(package(unzipped * MB))
    assert (found.layers, found.storage) == ((), storage)
    assert storage is None or storage <= LARGEST_STORAGE


def test_without_an_environment_nothing_changes():
    package = SimpleNamespace(manifest=SimpleNamespace(environment=None))
    assert place(package).layers == ()


def test_one_for_another_stage_is_refused(package):
    other = Target(Runtime.PYTHON_3_12, Architecture.ARM64)
    with pytest.raises(InvalidInput, match=r"python3\.12/arm64"):
        place(package(MB, other))
