"""A package's requirements become an environment, or an error that names the line at fault."""

import hashlib
import io
import subprocess
import sys
import zipfile

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest import Flavor
from halftone.domain.model.target import Architecture, Runtime, Target
from halftone.packaging import environment as environments
from halftone.packaging.environment import build_environment, kept_archive
from halftone.packaging.folder import build_package, open_package
from tests.support.package_index import served, source_distribution, wheel

HERE = Target(Runtime.current())
MODEL = """
name: words
flavor: python
entry: predict.py
requirements: requirements.txt
samples:
  - {request: 1, response: 2}
"""


@pytest.fixture(scope="module")
def index():
    """An index with a package of each kind."""
    with served() as index:
        index.add("plain", wheel("plain", "1.0"))
        index.add("plain", wheel("plain", "1.1", requires=("leaf>=1",)))
        files = {
            "leaf/tests/__init__.py": b"x" * 1000,
            "leaf/py.pyi": b"x" * 10,
            "leaf/data.bin": b"x" * 5000,
        }
        index.add("leaf", wheel("leaf", "1.0", files))
        windows = wheel("glass", "1.0", tag="cp313-cp313-win_amd64")
        index.add("glass", windows)
        index.add("dough", source_distribution("dough", "1.0"))
        index.add("rope", wheel("rope", "1.0"), yanked="it breaks")
        index.add("msgspec", wheel("msgspec", "0.1"))
        index.add("needy", wheel("needy", "1.0", requires=("msgspec==0.1",)))
        index.add("apart", wheel("apart", "1.0", requires=("leaf==2",)))
        index.add("numpy", wheel("numpy", "1.0"))
        yield index


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """No build of another run is found."""
    folder = tmp_path_factory.mktemp("build")
    monkeypatch.setattr(environments, "build_folder", lambda: folder)


@pytest.fixture
def package(tmp_path, index):
    """Writes a package whose requirements are these lines."""

    def write(*lines, name="requirements.txt"):
        (tmp_path / "model.yaml").write_text(MODEL)
        (tmp_path / "predict.py").write_text("def run(body):\n    return body + 1\n")
        (tmp_path / name).write_text("\n".join([f"--index-url {index.url}", *lines]) + "\n")
        return tmp_path

    return write


def test_the_environment_is_part_of_the_packages_identity(package):
    folder = package("plain==1.0")
    first = build_package(folder, HERE)
    (folder / "requirements.txt").write_text(
        (folder / "requirements.txt").read_text().replace("1.0", "1.1")
    )
    second = build_package(folder, HERE)
    assert first.digest != second.digest
    assert first.manifest.environment.packages == ("plain==1.0",)
    assert second.manifest.environment.packages == ("leaf==1.0", "plain==1.1")
    again = open_package(folder, HERE)
    assert (again.digest, again.manifest) == (second.digest, second.manifest)


def test_what_was_built_once_is_not_resolved_again(package, monkeypatch):
    folder = package("plain==1.1")
    first = build_package(folder, HERE)

    def never(*_arguments, **_options):
        raise AssertionError("uv was asked")

    monkeypatch.setattr("halftone.packaging.locking.run_uv", never)
    monkeypatch.setattr("halftone.packaging.environment.run_uv", never)
    assert build_package(folder, HERE).digest == first.digest


def test_the_same_lock_gives_the_same_bytes_in_another_build(
    package, tmp_path_factory, monkeypatch
):
    folder = package("plain==1.1")
    first = build_package(folder, HERE).environment
    other = tmp_path_factory.mktemp("other")
    monkeypatch.setattr(environments, "build_folder", lambda: other)
    second = build_package(folder, HERE).environment
    assert first.archive != second.archive
    assert first.archive.read_bytes() == second.archive.read_bytes()
    digest = hashlib.sha256(first.archive.read_bytes()).hexdigest()
    assert first.environment.digest == digest


def test_the_archive_holds_imports_with_bytecode_alone(package):
    built = build_package(package("plain==1.1"), HERE).environment
    with zipfile.ZipFile(built.archive) as archive:
        names = archive.namelist()
        sizes = sum(entry.file_size for entry in archive.infolist())
    tag = f"cpython-{HERE.python.replace('.', '')}"
    assert f"plain/__pycache__/__init__.{tag}.pyc" in names
    assert "leaf/data.bin" in names
    assert not [name for name in names if "tests" in name or name.endswith((".pyi", "RECORD"))]
    assert built.environment.unzipped == sizes
    assert built.left_out > 1000
    assert built.sizes["leaf"] > built.sizes["plain"]


def test_it_runs_from_the_archive_alone(package, tmp_path_factory):
    built = build_package(package("plain==1.1"), HERE).environment
    folder = tmp_path_factory.mktemp("alone")
    zipfile.ZipFile(built.archive).extractall(folder)
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import plain; print(plain.VERSION)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1.1\n"


def test_the_package_carries_its_lock_and_no_other(package):
    folder = package("plain==1.0")
    (folder / "requirements.python3.12-arm64.lock").write_text("# another target's\n")
    built = build_package(folder, HERE)
    names = zipfile.ZipFile(io.BytesIO(built.data)).namelist()
    locks = [name for name in names if name.endswith(".lock")]
    assert locks == [built.environment.lock_file]
    assert "plain==1.0" in built.environment.lock
    assert "127.0.0.1" not in built.environment.lock


def test_a_zip_finds_the_environment_that_was_built_here(package, tmp_path_factory):
    built = build_package(package("plain==1.0"), HERE)
    path = tmp_path_factory.mktemp("zip") / "words.zip"
    path.write_bytes(built.data)
    opened = open_package(path)
    assert opened.environment is None
    assert kept_archive(opened.manifest.environment) == built.environment.archive


def test_what_the_layer_has_is_not_shipped_twice(package):
    # The index of this test has numpy 1.0 alone, and the layer another version.
    folder = package("numpy==1.0")
    built = build_environment(folder, "requirements.txt", Flavor.PYTHON, HERE)
    assert built.environment.packages == ("numpy==1.0",)
    assert built.provided == ()


BAD = {
    "no wheel for the platform": ("glass", "glass", "a version with a wheel for"),
    "source distribution": ("dough==1.0", "dough==1.0", "only a source distribution"),
    "yanked": ("rope==1.0", "rope==1.0", "yanked from the index, because"),
    "what the server needs": ("msgspec==0.1", "msgspec==0.1", "the model server itself needs"),
    "what the server needs, below": ("needy", "needy", "the model server itself needs"),
    "conflicting": ("apart\nleaf==1.0", "apart", "fit together"),
    "unknown": ("nowhere-to-be-seen", "nowhere-to-be-seen", "fit together"),
    "no such version": ("leaf==9", "leaf==9", "fit together"),
    "editable": ("-e .", "-e .", "only wheels"),
    "repository": ("git+https://example.org/x", "git+https://example.org/x", "build a wheel"),
    "archive": ("x @ https://example.org/x-1.tar.gz", "x @ https", "would have to be built"),
    "folder": ("./x", "./x", "build a wheel"),
    "hash of another file": (
        f"leaf==1.0 --hash=sha256:{'0' * 64}",
        "leaf==1.0",
        "a hash of a file",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_line_that_can_not_be_installed_is_named(package, kind):
    lines, view, arguments = BAD[kind]
    folder = package("# what the model needs", lines)
    with pytest.raises(InvalidPackage) as caught:
        build_package(folder, Target(Runtime.PYTHON_3_13, Architecture.X86_64))
    assert f"requirements.txt:3: {view}" in str(caught.value.value)
    assert arguments in caught.value.expected


def test_an_environment_over_the_limit_names_its_largest_part(package):
    folder = package("plain==1.1")
    with pytest.raises(InvalidPackage) as caught:
        build_environment(folder, "requirements.txt", Flavor.PYTHON, HERE, limit=5000)
    assert "requirements.txt:2: plain==1.1" in str(caught.value.value) or "leaf" in str(
        caught.value
    )
    assert "leaf" in caught.value.expected


def test_hashes_of_the_author_are_those_that_are_installed(package, index):
    digest = hashlib.sha256(index.files["leaf-1.0-py3-none-any.whl"][1]).hexdigest()
    folder = package(f"leaf==1.0 \\\n    --hash=sha256:{digest}")
    built = build_package(folder, HERE)
    assert built.manifest.environment.packages == ("leaf==1.0",)


def test_a_requirements_file_that_nothing_names_is_told_of(package):
    folder = package("plain==1.0")
    (folder / "model.yaml").write_text(MODEL.replace("requirements: requirements.txt\n", ""))
    built = build_package(folder, HERE)
    assert built.manifest.environment is None
    (warning,) = built.warnings
    assert "requirements.txt is not installed: write `requirements: requirements.txt`" in warning


def test_an_environment_that_an_author_writes_is_refused(package):
    folder = package("plain==1.0")
    (folder / "model.yaml").write_text(MODEL + f"environment: {{digest: '{'0' * 64}'}}\n")
    with pytest.raises(InvalidPackage, match=r"environment\.unzipped"):
        build_package(folder, HERE)
