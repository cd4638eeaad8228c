"""The vendor layer of each flavor: under Lambda's limit, and all that its models need.

A model server is started by a fresh interpreter that sees nothing but the standard library and the
two layers, and answers an example's samples there: what a layer lacks shows as it would on Lambda.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from halftone.domain.model.manifest import Flavor
from halftone.domain.model.target import Target
from halftone.domain.names import package_key
from halftone.packaging.folder import build_package
from halftone.packaging.places import layer_of
from halftone_cdk.constructs.function.layers import UNZIPPED_LIMIT
from halftone_cdk.layers.build import core_layer, vendor_layer
from halftone_cdk.paths import REQUIREMENTS
from halftone_cdk.settings import Architecture, Runtime
from tests.infra.support import EXAMPLES

TARGETS = [
    Target(runtime, Architecture.X86_64)
    for runtime in dict.fromkeys((Runtime.current(), Runtime.PYTHON_3_13))
]
"""Bytecode is made by the running Python, or by the one in npm's pyodide."""
PACKAGES = {
    Flavor.PYTHON: ["breast-cancer/models/challenger"],
    Flavor.ONNX: ["digits/models/challenger"],
    Flavor.SKLEARN: ["flavors/diabetes/models/v1", "flavors/wine/models/v1"],
    Flavor.ASGI: ["flavors/iris/models/v1"],
}
"""By the flavors with layers of their own; the others have the layer of ``python`` and an
environment (tests/infra/test_environment_packages.py)."""
ALSO = {
    Flavor.PYTHON: ["boto3", "msgspec", "numpy"],
    Flavor.ONNX: ["boto3", "msgspec", "numpy", "onnxruntime"],
    Flavor.SKLEARN: [
        *("boto3", "cloudpickle", "joblib", "msgspec", "numpy", "skops.io"),
        *("scipy.integrate", "scipy.interpolate", "scipy.linalg", "scipy.ndimage"),
        *("scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.spatial", "scipy.stats"),
    ],
    Flavor.ASGI: ["boto3", "fastapi", "mangum", "msgspec", "pydantic", "starlette"],
}
_OWN = ["flavors.lightgbm", "flavors.lightgbm_rows", "flavors.pyfunc", "flavors.xgboost"]
"""What needs libraries of the package's own environment."""
# Every module of the server's is imported, but for what needs another flavor's libraries.
OTHERS = {
    Flavor.PYTHON: [*_OWN, "flavors.asgi", "flavors.onnx", "flavors.sklearn"],
    Flavor.ONNX: [*_OWN, "flavors.asgi", "flavors.sklearn"],
    Flavor.SKLEARN: [*_OWN, "flavors.asgi", "flavors.onnx"],
    Flavor.ASGI: [
        *_OWN,
        "flavors.boosting",
        "flavors.onnx",
        "flavors.onnx_shapes",
        "flavors.sklearn",
        "inference.arrays",
        "inference.columnar",
        "inference.frames",
    ],
}
PROGRAM = """
import importlib, json, pathlib, pkgutil, sys
vendor, core, root, digest, flavor, others, *modules = sys.argv[1:]
sys.path[:0] = [vendor, core]
import halftone.serving
for module in pkgutil.walk_packages(halftone.serving.__path__, "halftone.serving."):
    if not module.name.endswith(tuple(others.split())):
        importlib.import_module(module.name)
for name in modules:
    importlib.import_module(name)
if flavor == "sklearn":
    import sklearn
    from sklearn.utils.discovery import all_estimators
    assert len(all_estimators()) > 150
from halftone.domain.model.smoke_test import check_answer, smoke_event
from halftone.serving.app import start
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.settings import Settings

class Context:
    aws_request_id = "1"
    function_version = "1"

from halftone.serving.inference.install import install

root = pathlib.Path(root)
artifacts = FolderArtifacts(root)
_, manifest = install(digest, artifacts, root / "new")
settings = Settings("e", "bucket", 500.0, 1_000_000, "rollout-1", digest)
lines = []
server = start(settings, artifacts, root=root / "new", write=lines.append)
faults = [
    check_answer(sample, server(smoke_event("e", sample), Context())) for sample in manifest.samples
]
print(json.dumps({"faults": faults, "log": lines, "compiled": sys.modules["halftone"].__cached__}))
"""


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("flavor", PACKAGES)
def test_a_flavor_s_layers_leave_room_below_lambda_s_limit(flavor: Flavor, target: Target) -> None:
    core, vendor = core_layer(target), vendor_layer(f"model-{flavor}", target)
    # The handler is beside them, and both grow: five megabytes are left for that.
    assert core.size + vendor.size < UNZIPPED_LIMIT - 5 * 2**20


def test_every_flavor_has_a_lock_with_the_servers_own_needs() -> None:
    locks = {path.stem for path in REQUIREMENTS.glob("model-*.txt")}
    assert locks == {layer_of(flavor) for flavor in Flavor}
    assert locks == {f"model-{flavor}" for flavor in PACKAGES}
    for lock in locks:
        text = (REQUIREMENTS / f"{lock}.txt").read_text()
        assert "boto3==" in text
        assert "msgspec==" in text


def test_nothing_that_only_compilers_read_is_in() -> None:
    for flavor in PACKAGES:
        with zipfile.ZipFile(vendor_layer(f"model-{flavor}", TARGETS[0]).archive) as layer:
            for name in layer.namelist():
                assert not name.endswith((".pyx", ".pxd", ".pyi", ".h", ".c", ".cpp", ".a")), name


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("flavor", PACKAGES)
def test_a_flavor_runs_on_its_layer_alone(flavor: Flavor, target: Target, tmp_path: Path) -> None:
    python = _interpreter(target)
    layers = {"core": core_layer(target), "vendor": vendor_layer(f"model-{flavor}", target)}
    for name, layer in layers.items():
        shutil.unpack_archive(layer.archive, tmp_path / name)
    for path in PACKAGES[flavor]:
        package = build_package(EXAMPLES / path)
        stored = tmp_path / package_key(package.digest)
        stored.parent.mkdir(exist_ok=True)
        stored.write_bytes(package.data)
        arguments = [tmp_path / "vendor/python", tmp_path / "core/python", tmp_path, package.digest]
        words = [flavor, " ".join(OTHERS[flavor]), *ALSO[flavor]]
        done = subprocess.run(
            # Isolated and without site: neither this environment's packages nor its variables.
            [python, "-I", "-S", "-c", PROGRAM, *map(str, arguments), *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["faults"] == [None] * len(package.manifest.samples)
        assert told["log"] == []
        assert told["compiled"].endswith(f".cpython-{target.python.replace('.', '')}.pyc")


def _interpreter(target: Target) -> str:
    if target.python == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    found = shutil.which(f"python{target.python}")
    run = [found or "", "-c", "import sys; print(sys.executable)"]
    if found is None or (done := subprocess.run(run, capture_output=True, check=False)).returncode:
        pytest.skip(f"there is no Python {target.python} on this machine")
    return done.stdout.decode().strip()
