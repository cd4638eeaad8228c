"""What is in the layers: for the target, compiled, alike on every machine, and within the limit."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from halftone.domain.errors import HalftoneError
from halftone.domain.model.target import Target
from halftone.packaging import bytecode
from halftone.packaging.bytecode import BytecodeError, compile_folder
from halftone_cdk.constructs.function.layers import UNZIPPED_LIMIT, TooLarge, check_size
from halftone_cdk.layers import build
from halftone_cdk.layers.archive import content_digest, zip_folder
from halftone_cdk.layers.build import Layer, LayerError, core_layer, vendor_layer
from halftone_cdk.paths import FUNCTIONS, HALFTONE, pyodide
from halftone_cdk.settings import Architecture, Runtime
from tests.infra.support import Synthesised, text
from tests.support.checkout import ROOT

TARGETS = {
    "dev": Target(Runtime.PYTHON_3_13, Architecture.X86_64),
    "local": Target(Runtime.current(), Architecture.X86_64),
}
MAGIC = {"3.13": 3571, "3.12": 3531, "3.11": 3495}
VENDORS = ("engine", "control", "model-python", "model-onnx", "model-sklearn", "model-asgi")


def built(group: str, target: Target) -> Layer:
    return core_layer(target) if group == "core" else vendor_layer(group, target)


@pytest.fixture(scope="module", params=["core", *VENDORS])
def group(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_every_module_has_bytecode_that_is_used_unchecked(group: str, target: Target) -> None:
    with zipfile.ZipFile(built(group, target).archive) as layer:
        names = set(layer.namelist())
        modules = [name for name in names if name.endswith(".py")]
        assert modules
        tag = f"cpython-{target.python.replace('.', '')}"
        for module in modules:
            folder, _, file = module.rpartition("/")
            compiled = f"{folder}/__pycache__/{file.removesuffix('.py')}.{tag}.pyc"
            assert compiled in names
            header = layer.read(compiled)[:8]
            assert int.from_bytes(header[:2], "little") == MAGIC[target.python]
            assert header[2:4] == b"\r\n"
            # PEP 552: bit 0 says that a hash stands here, bit 1 that it is to be checked.
            assert int.from_bytes(header[4:], "little") == 0b01


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_no_path_of_the_machine_is_in_the_bytecode(group: str, target: Target) -> None:
    with zipfile.ZipFile(built(group, target).archive) as layer:
        compiled = [name for name in layer.namelist() if name.endswith(".pyc")]
        for name in compiled:
            assert str(ROOT).encode() not in layer.read(name), name
        assert any(b"/opt/python/" in layer.read(name) for name in compiled)


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_binaries_are_the_target_s(target: Target) -> None:
    with zipfile.ZipFile(vendor_layer("model-onnx", target).archive) as layer:
        tagged = [name for name in layer.namelist() if re.search(r"\.cpython-\d+-", name)]
    assert tagged
    for name in tagged:
        assert f".cpython-{target.python.replace('.', '')}-{target.architecture}-linux" in name


def test_another_architecture_gets_its_own_binaries() -> None:
    target = Target(Runtime.current(), Architecture.ARM64)
    with zipfile.ZipFile(vendor_layer("engine", target).archive) as layer:
        binaries = [name for name in layer.namelist() if name.endswith(".so")]
    assert binaries
    assert all("-aarch64-linux" in name for name in binaries)


def test_nothing_that_only_tests_or_installers_need_is_in(group: str) -> None:
    with zipfile.ZipFile(built(group, TARGETS["dev"]).archive) as layer:
        for name in layer.namelist():
            assert name.startswith("python/")
            assert not {"tests", "test"} & {*name.split("/")}, name
            assert not name.endswith((".dist-info/RECORD", "/.lock")), name


def test_the_core_layer_is_the_package_as_it_stands() -> None:
    sources = {
        f"python/{p.relative_to(HALFTONE.parent).as_posix()}" for p in HALFTONE.rglob("*.py")
    }
    with zipfile.ZipFile(core_layer(TARGETS["dev"]).archive) as layer:
        assert {name for name in layer.namelist() if name.endswith(".py")} == sources


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_building_again_gives_the_same_bytes(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = core_layer(target)
    monkeypatch.setattr(build, "BUILD", tmp_path)
    second = core_layer(target)
    assert second.archive != first.archive
    assert second.digest == first.digest
    assert second.archive.read_bytes() == first.archive.read_bytes()


def test_the_second_synth_finds_the_layers(capfd: pytest.CaptureFixture[str]) -> None:
    core_layer(TARGETS["local"])
    capfd.readouterr()
    core_layer(TARGETS["local"])
    assert capfd.readouterr().err == ""


def test_a_build_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "sources"
    broken.mkdir()
    (broken / "module.py").write_text("def (:\n")
    monkeypatch.setattr(build, "HALFTONE", broken)
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    with pytest.raises(BytecodeError, match="do not compile"):
        core_layer(TARGETS["local"])
    assert not list((tmp_path / "build" / "layers").iterdir())


def test_a_lock_that_does_not_install_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine.txt").write_text("msgspec==0.22.0\n")
    monkeypatch.setattr(build, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    with pytest.raises(LayerError, match=r"engine does not install for python3\.13/x86_64"):
        vendor_layer("engine", TARGETS["dev"])
    with pytest.raises(LayerError, match=r"there is no lock model-pmml"):
        vendor_layer("model-pmml", TARGETS["dev"])


def test_bytecode_for_another_python_is_what_that_python_runs(tmp_path: Path) -> None:
    module = tmp_path / "answers.py"
    module.write_text("def answer() -> int:\n    return 42\n")
    compile_folder(tmp_path, TARGETS["dev"], prefix="/opt/python")
    module.write_text("raise SystemExit('the source was read')\n")
    program = """
import sys
sys.path.insert(0, "/layer")
import answers
print(answers.answer(), sys.version_info[:2])
"""
    runner = Path(bytecode.__file__).with_name("run.mjs")
    node, module = shutil.which("node"), pyodide()
    assert node is not None
    assert module is not None
    done = subprocess.run(
        [node, str(runner), str(module), str(tmp_path), "/layer"],
        input=program,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "42 (3, 13)"


def test_a_target_that_nothing_here_compiles_for_is_refused(tmp_path: Path) -> None:
    class Later(Target):
        python = "3.14"

    (tmp_path / "module.py").write_text("x = 1\n")
    later = Later(Runtime.PYTHON_3_13, Architecture.X86_64)
    with pytest.raises(BytecodeError, match=r"possible are 3\.\d+, .*, and the version inside"):
        compile_folder(tmp_path, later, prefix="/opt/python")


def test_a_zip_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "pkg"
        folder.mkdir(parents=True)
        (folder / "a.py").write_text("a")
        (folder / "b.so").write_text("b")
    (tmp_path / "two" / "pkg" / "b.so").chmod(0o755)
    zip_folder(tmp_path / "one", tmp_path / "one.zip")
    zip_folder(tmp_path / "two", tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert content_digest(tmp_path / "one") == content_digest(tmp_path / "two")
    (tmp_path / "two" / "pkg" / "b.so").write_text("c")
    assert content_digest(tmp_path / "one") != content_digest(tmp_path / "two")


# Sizes and assets ----------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["dev", "local"])
def test_every_function_stays_below_lambda_s_limit(
    stage: str, request: pytest.FixtureRequest
) -> None:
    synthesised: Synthesised = request.getfixturevalue(stage)
    for function in synthesised.resources("AWS::Lambda::Function"):
        layers = [
            synthesised.templates[function.stack]["Resources"][layer["Ref"]]
            for layer in function.properties.get("Layers", [])
        ]
        archives = [synthesised.assets[layer["Properties"]["Content"]["S3Key"]] for layer in layers]
        code = synthesised.assets[function.properties["Code"]["S3Key"]]
        unzipped = sum(path.stat().st_size for path in code.rglob("*") if path.is_file())
        for archive in archives:
            with zipfile.ZipFile(archive) as layer:
                unzipped += sum(entry.file_size for entry in layer.infolist())
        assert 0 < unzipped < 250 * 1024 * 1024, function


def test_a_function_that_is_too_large_is_refused_with_its_parts(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("x" * 1024 * 1024)
    fits = Layer("model-onnx", tmp_path, "digest", UNZIPPED_LIMIT - 1024 * 1024)
    check_size("fraud", tmp_path, [fits])
    heavy = Layer("core", tmp_path, "digest", 1)
    with pytest.raises(TooLarge) as raised:
        check_size("fraud", tmp_path, [fits, heavy])
    message = str(raised.value)
    assert "250.0 MB unzipped (code 1.0, model-onnx 249.0, core 0.0)" in message
    assert isinstance(raised.value, HalftoneError)


def test_no_module_stands_in_a_function_s_folder_and_in_a_layer(dev: Synthesised) -> None:
    """The folder would win, silently."""
    for function in dev.resources("AWS::Lambda::Function"):
        owned = _top_names(dev.assets[function.properties["Code"]["S3Key"]])
        assert owned, function
        seen: dict[str, str] = dict.fromkeys(owned, "code")
        for layer in function.properties.get("Layers", []):
            content = dev.templates[function.stack]["Resources"][layer["Ref"]]["Properties"]
            with zipfile.ZipFile(dev.assets[content["Content"]["S3Key"]]) as archive:
                names = {name.split("/")[1] for name in archive.namelist()}
            for name in names - {"__pycache__"}:
                assert name not in seen, (str(function), name, seen[name], text(layer))
                seen[name] = text(layer)


def _top_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


def test_handlers_are_all_that_functions_folders_hold() -> None:
    for folder in FUNCTIONS.iterdir():
        assert _top_names(folder) == {"handler.py"}
