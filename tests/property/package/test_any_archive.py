"""Whatever a zip holds, it is refused by name or unpacks into its folder and nowhere else."""

import io
import json
import stat
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.archive import digest_of, inspect, unpack
from halftone.domain.model.manifest import Manifest
from halftone.domain.model.manifest_schema import load_manifest, manifest_from_json
from halftone.domain.names import package_key
from halftone.packaging.folder import build_package
from halftone.serving.inference.artifacts import FolderArtifacts
from halftone.serving.inference.install import install

MANIFEST = {
    "name": "doubler",
    "flavor": "python",
    "entry": "predict.py",
    "inputs": [{"name": "x", "type": "float64"}],
    "outputs": [{"name": "y", "type": "float64"}],
    "samples": [{"instances": [{"x": 1}], "predictions": [{"y": 2}]}],
}
SOUND = [
    ("model.json", load_manifest(MANIFEST).to_json()),
    ("predict.py", b"def run(instances):\n    return [{'y': 2.0} for _ in instances]\n"),
]
ports = st.sampled_from(["..", ".", "", "a", "A", "b", "predict.py", "\\", "C:", "\x00", "~", "ü"])
names = st.lists(ports, min_size=1, max_size=4).map("/".join) | st.text(min_size=1, max_size=20)
modes = st.sampled_from([0, stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=10,
)


def zipped(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of duplicate names, which are among what is tried
        for name, mode, content in entries:
            entry = zipfile.ZipInfo("placeholder")
            entry.filename = name  # as it is: the constructor would clean it
            entry.create_system = 3
            entry.external_attr = (mode | 0o644) << 16
            archive.writestr(entry, content)
    return file


def whole_tree(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


@settings(deadline=None)
@given(extra=st.lists(st.tuples(names, modes, st.binary(max_size=5)), max_size=4))
def test_names_never_lead_out_of_the_folder(extra, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    try:
        file = zipped([(name, 0, content) for name, content in SOUND] + extra)
    except UnicodeEncodeError:
        return  # no zip can hold half of a surrogate pair
    digest = digest_of(file)
    stored = root / package_key(digest)
    stored.parent.mkdir()
    stored.write_bytes(file.getvalue())
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    before = whole_tree(root)
    try:
        folder, _ = install(digest, FolderArtifacts(root), inner)
    except InvalidPackage:
        assert whole_tree(root) == before
    else:
        expected = {name for name, _ in SOUND} | {name for name, _, _ in extra}
        paths = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        }
        assert paths == expected
        assert all(path.startswith(f"a/b/{digest}") for path in whole_tree(root) - before)
        assert not any(path.is_symlink() for path in folder.rglob("*"))


GOOD = zipped([(name, 0, content) for name, content in SOUND]).getvalue()


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=4)), max_size=6)
    | st.binary(max_size=200)
)
def test_damaged_bytes_are_taken_or_refused_by_name(damage):
    data = damage
    if isinstance(damage, list):
        data = GOOD
        for at, patch in damage:
            data = data[:at] + patch + data[at + len(patch) :]
    try:
        archive, manifest = inspect(io.BytesIO(data), source="package")
        for entry in archive.infolist():
            unpack(archive, entry, io.BytesIO(), source="package")
    except InvalidPackage as error:
        assert str(error).startswith("package: ")  # noqa: PT017  (taking it is as good)
    else:
        assert isinstance(manifest, Manifest)


@st.composite
def damaged_manifests(draw):
    given_as = json.loads(json.dumps(MANIFEST))
    inner = given_as
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = draw(st.sampled_from(keys))
        if isinstance(inner[key], dict | list) and inner[key] and draw(st.booleans()):
            inner = inner[key]
        else:
            inner[key] = draw(json_values)
            return given_as


@given(damaged_manifests() | json_values)
def test_any_manifest_reads_back_from_its_json_or_is_refused(value):
    try:
        manifest = load_manifest(value)
    except InvalidPackage:
        return
    assert manifest_from_json(manifest.to_json()) == manifest


@given(st.binary(max_size=50))
def test_any_bytes_are_no_manifest(text):
    with pytest.raises(InvalidPackage):
        manifest_from_json(text)


plain = st.text("abcdefgh_", min_size=1, max_size=6)


@settings(deadline=None, max_examples=30)
@given(files=st.dictionaries(plain, st.binary(max_size=20), max_size=5), data=st.data())
def test_a_digest_does_not_depend_on_the_order_of_writing(files, data, tmp_path_factory):
    digests = set()
    for _ in range(2):
        folder = tmp_path_factory.mktemp("built")
        (folder / "model.yaml").write_text(json.dumps(MANIFEST))
        (folder / "predict.py").write_text("")
        for name in data.draw(st.permutations(sorted(files))):
            (folder / f"{name}.bin").write_bytes(b"_" + files[name])
        digests.add(build_package(folder).digest)
    assert len(digests) == 1
