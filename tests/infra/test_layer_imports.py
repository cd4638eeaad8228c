"""Every layer imports on the Python that will run it: the real interpreter with layers alone."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from halftone.domain.model.target import Target
from halftone_cdk.layers.build import core_layer, vendor_layer
from halftone_cdk.settings import Architecture, Runtime
from tests.support.checkout import ROOT

ENGINE = ("domain", "stats", "ports", "service", "adapters", "entrypoints", "bootstrap")
MODEL = ("domain", "serving")
APP = ("domain", "serving.app", "serving.inference.flavors.asgi")
"""An application brings its own libraries: without it the layer has no numpy."""

ROOMS = {
    "engine": ENGINE,
    "control": (*ENGINE, "api"),
    **{f"model-{flavor}": MODEL for flavor in ("python", "onnx", "sklearn")},
    "model-asgi": APP,
}
"""The parts of ``halftone`` that the functions of a layer import."""

FLAVORS = "halftone.serving.inference.flavors."
PROGRAM = """
import importlib, json, pkgutil, sys
core, vendor, rooms, flavors, flavor = json.loads(sys.stdin.read())
sys.path[:0] = [core, vendor]
names = [m.name for m in pkgutil.iter_modules([vendor]) if not m.name.startswith("_")]
import halftone
for module in pkgutil.walk_packages(halftone.__path__, "halftone."):
    inside = module.name.removeprefix("halftone.") + "."
    other = module.name.startswith(flavors) and module.name.removeprefix(flavors) != flavor
    if inside.startswith(tuple(room + "." for room in rooms)) and not other:
        names.append(module.name)
for name in names:
    importlib.import_module(name)
print(json.dumps([sys.version_info[:2], len(names)]))
"""


def interpreter(runtime: Runtime) -> str:
    """The Python of that runtime, if this machine has it."""
    found = subprocess.run(
        ["sh", "tools/find_python.sh", runtime.removeprefix("python")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


@pytest.fixture(scope="module", params=sorted({Runtime.current(), Runtime.PYTHON_3_13}))
def target(request: pytest.FixtureRequest) -> Target:
    if not interpreter(request.param):
        pytest.skip(f"there is no {request.param} on this machine")
    return Target(request.param, Architecture.X86_64)


@pytest.fixture(scope="module")
def core(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(core_layer(target).archive, tmp_path_factory.mktemp("core"))


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as layer:
        layer.extractall(folder)
    return folder / "python"


@pytest.mark.parametrize("group", ROOMS)
def test_a_layer_imports_on_its_python(
    group: str, target: Target, core: Path, tmp_path: Path
) -> None:
    vendor = unpacked(vendor_layer(group, target).archive, tmp_path)
    given = [str(core), str(vendor), ROOMS[group], FLAVORS, group.removeprefix("model-")]
    # Without site: no package but those of the layers is found.
    done = subprocess.run(
        [interpreter(target.runtime), "-I", "-S", "-B", "-W", "error", "-c", PROGRAM],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    version, imported = json.loads(done.stdout)
    assert ".".join(map(str, version)) == target.python
    assert imported > 20
