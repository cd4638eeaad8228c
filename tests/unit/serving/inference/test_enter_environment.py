"""An environment is fetched, checked and put first on the path, or taken from a layer."""

import hashlib
import importlib
import io
import sys
import zipfile

import pytest

from halftone.domain.errors import InvalidPackage, NotFound
from halftone.domain.model.environment import Environment
from halftone.domain.model.target import Runtime, Target
from halftone.domain.names import environment_key
from halftone.serving.inference import install
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.inference.install import enter_environment

HERE = Target(Runtime.current())


class Never:
    """A source that must not be asked."""

    def fetch(self, key, target):
        raise AssertionError(f"{key} was fetched")


@pytest.fixture(autouse=True)
def _own_path(monkeypatch):
    """What a test puts on the path is there for it alone."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("only_in_it", None)
    importlib.invalidate_caches()


@pytest.fixture
def stored(tmp_path):
    """Writes an environment into a folder laid out like the bucket."""

    def write(files, target=HERE):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        path = tmp_path / environment_key(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
        return Environment(digest, target, sum(map(len, files.values())), ("only-in-it==1",))

    return write


def test_its_packages_can_be_imported_and_come_first(stored, tmp_path):
    environment = stored({"only_in_it.py": b"VALUE = 7\n", "wave.py": b"OWN = True\n"})
    folder = enter_environment(environment, FolderArtifacts(tmp_path), tmp_path / "root")
    assert sys.path[0] == str(folder)
    assert importlib.import_module("only_in_it").VALUE == 7
    assert folder == tmp_path / "root" / "environments" / environment.digest


def test_it_is_fetched_once(stored, tmp_path):
    environment = stored({"only_in_it.py": b"VALUE = 7\n"})
    enter_environment(environment, FolderArtifacts(tmp_path), tmp_path / "root")
    enter_environment(environment, Never(), tmp_path / "root")
    assert sys.path.count(sys.path[0]) == 1


def test_that_of_a_layer_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "LAYERED", tmp_path / "opt")
    environment = Environment("0" * 64, HERE, 0, ())
    (tmp_path / "opt" / environment.digest).mkdir(parents=True)
    folder = enter_environment(environment, Never(), tmp_path / "root")
    assert folder == tmp_path / "opt" / environment.digest
    assert not (tmp_path / "root").exists()


def test_one_that_is_not_what_its_name_says_is_not_unpacked(stored, tmp_path):
    environment = stored({"only_in_it.py": b"VALUE = 7\n"})
    path = tmp_path / environment_key(environment.digest)
    path.write_bytes(path.read_bytes().replace(b"7", b"8"))
    with pytest.raises(InvalidPackage, match="digest"):
        enter_environment(environment, FolderArtifacts(tmp_path), tmp_path / "root")
    assert list((tmp_path / "root" / "environments").iterdir()) == []


def test_one_that_writes_outside_its_folder_is_refused(stored, tmp_path):
    environment = stored({"../outside.py": b""})
    with pytest.raises(InvalidPackage, match="plain relative path"):
        enter_environment(environment, FolderArtifacts(tmp_path), tmp_path / "root")
    assert not list(tmp_path.rglob("outside.py"))


def test_one_that_is_not_there_is_named(tmp_path):
    environment = Environment("0" * 64, HERE, 0, ())
    with pytest.raises(NotFound, match="environments/0000"):
        enter_environment(environment, FolderArtifacts(tmp_path), tmp_path / "root")


def test_one_for_another_python_is_refused_before_it_is_fetched(tmp_path):
    other = next(runtime for runtime in Runtime if runtime is not HERE.runtime)
    environment = Environment("0" * 64, Target(other), 0, ())
    with pytest.raises(InvalidPackage, match=other):
        enter_environment(environment, Never(), tmp_path)
