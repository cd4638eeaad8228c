"""A zip from anywhere is refused before a byte of it is unpacked, if it could do harm."""

import io
import json
import stat
import zipfile

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.archive import (
    MAX_UNZIPPED,
    check_content,
    check_digest,
    check_entries,
    checked_digest,
    inspect,
    unpack,
)
from halftone.packaging.folder import build_package, open_package


def zipped(entries, *, compression=zipfile.ZIP_STORED):
    """An open zip of (name or ZipInfo, content) pairs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file


def linked(name, target, kind=stat.S_IFLNK):
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    return entry, target


@pytest.fixture
def good(folder):
    """The entries of a sound package."""
    archive = zipfile.ZipFile(io.BytesIO(build_package(folder).data))
    return [(name, archive.read(name)) for name in archive.namelist()]


def refused(entries, match, **options):
    with pytest.raises(InvalidPackage, match=match) as caught:
        inspect(zipped(entries, **options), source="package abc")
    assert str(caught.value).startswith("package abc: ")


def test_a_sound_package_is_taken(good):
    archive, manifest = inspect(zipped(good), source="package abc")
    assert manifest.name == "doubler"
    assert set(archive.namelist()) == {"model.json", "predict.py"}


@pytest.mark.parametrize(
    "name",
    [
        "../predict.py",
        "a/../../b",
        "/etc/passwd",
        "C:/x",
        "a\\b",
        "..\\b",
        "a//b",
        "./a",
        "a/",
        "a\x00.py",
        "a\nb",
        "x" * 256,
        "x/" * 512 + "x",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(good, name):
    # Set after the fact: ZipInfo's constructor would clean some of these up.
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = name
    refused([*good, (entry, b"x")], "name")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFCHR])
def test_whatever_is_no_regular_file_is_refused(good, kind):
    refused([*good, linked("data", "/etc/passwd", kind)], "regular file")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("a", "a/b"), ("a/b", "a")])
def test_names_that_collide_are_refused(good, names):
    refused([*good, *((name, b"x") for name in names)], "name")


def test_too_many_entries_are_refused(good):
    refused([*good, *((f"f{i}", b"") for i in range(10_000))], "entries is 10002")


def test_a_size_bomb_is_refused_by_its_ratio(good):
    refused(
        [*good, ("zeros", bytes(20_000_000))],
        "unzipped size",
        compression=zipfile.ZIP_DEFLATED,
    )


def test_too_much_is_refused_by_what_the_entries_state():
    entry = zipfile.ZipInfo("big")
    entry.file_size = entry.compress_size = MAX_UNZIPPED + 1
    with pytest.raises(InvalidPackage, match="unzipped size"):
        check_entries([entry], source="package abc")


def test_an_entry_larger_than_it_states_is_not_unpacked(good):
    data = zipped([*good, ("z", bytes(90_000))]).getvalue()
    size = (90_000).to_bytes(4, "little")
    lying = data.replace(size + size, size + (40_000).to_bytes(4, "little"))
    assert lying != data
    archive, _ = inspect(io.BytesIO(lying), source="package abc")
    target = io.BytesIO()
    with pytest.raises(InvalidPackage, match="z is"):
        unpack(archive, archive.getinfo("z"), target, source="package abc")
    assert len(target.getvalue()) <= 40_000


def with_size(data, name, size):
    """``data`` with another size of an entry stated in both of its headers."""
    entry = zipfile.ZipFile(io.BytesIO(data)).getinfo(name)
    local = entry.header_offset + 22
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode())) + 24
    changed = bytearray(data)
    for at in (local, central):
        assert changed[at : at + 4] == entry.file_size.to_bytes(4, "little")
        changed[at : at + 4] = size.to_bytes(4, "little")
    return bytes(changed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(("content", "stated"), [(b"ab", 100), (b"", 1), (bytes(3000), 3001)])
def test_an_entry_that_holds_less_than_it_states_is_refused(
    good, tmp_path, compression, content, stated
):
    data = zipped([*good, ("z", content)], compression=compression).getvalue()
    lying = with_size(data, "z", stated)
    archive, _ = inspect(io.BytesIO(lying), source="package abc")
    expected = f"z is '{len(content)} bytes', expected the {stated} bytes that it states"
    with pytest.raises(InvalidPackage, match=expected):
        unpack(archive, archive.getinfo("z"), io.BytesIO(), source="package abc")
    with pytest.raises(InvalidPackage, match=expected):
        check_content(archive, source="package abc")
    file = tmp_path / "lying.zip"
    file.write_bytes(lying)
    with pytest.raises(InvalidPackage, match=expected):
        open_package(file)


def test_other_methods_of_compression_are_refused(good):
    refused(good, "stored", compression=zipfile.ZIP_BZIP2)


def test_encryption_is_refused():
    entry = zipfile.ZipInfo("secret")
    entry.flag_bits = 1
    with pytest.raises(InvalidPackage, match="encrypted"):
        check_entries([entry], source="package abc")


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(data):
    with pytest.raises(InvalidPackage, match="zip"):
        inspect(io.BytesIO(data), source="package abc")


def test_a_zip_without_manifest_or_entry_is_refused(good):
    refused([pair for pair in good if pair[0] != "model.json"], r"model\.json")
    refused([pair for pair in good if pair[0] != "predict.py"], "entry is 'predict.py'")


def test_a_broken_manifest_is_refused_with_its_field(good):
    content = {**json.loads(dict(good)["model.json"]), "flavor": "magic"}
    refused([("predict.py", b""), ("model.json", json.dumps(content))], "flavor is 'magic'")


def test_a_pickle_in_a_zip_is_refused(good):
    refused([*good, ("weights.bin", b"\x80\x04\x95.")], "pickle")


def test_only_the_entry_may_be_a_pickle_where_the_manifest_says(good):
    manifest = json.loads(dict(good)["model.json"])
    allowed = {**manifest, "flavor": "sklearn", "entry": "model.pkl", "allow_pickle": True}
    entries = [("model.json", json.dumps(allowed)), ("model.pkl", b"\x80\x04\x95.")]
    _, result = inspect(zipped(entries), source="package abc")
    assert result.allow_pickle
    refused([*entries, ("other.bin", b"\x80\x04\x95.")], r"other\.bin")
    refused([*entries, ("other.joblib", b"x")], r"other\.joblib")


def test_damaged_content_is_refused(good):
    data = zipped(good).getvalue().replace(b'"doubler"', b'"troubler')
    with pytest.raises(InvalidPackage, match=r"model\.json"):
        inspect(io.BytesIO(data), source="package abc")


def test_an_entry_that_is_said_to_lie_behind_the_end_is_refused(good):
    data = bytearray(zipped(good).getvalue())
    # The last record of the central directory; 42 bytes into it stands where its entry begins.
    at = data.rindex(b"PK\x01\x02") + 42
    data[at : at + 4] = (len(data) - 10).to_bytes(4, "little")
    with pytest.raises(InvalidPackage, match="readable content"):
        inspect(io.BytesIO(data), source="package abc")


def test_a_digest_names_exactly_its_content(folder):
    package = build_package(folder)
    check_digest(io.BytesIO(package.data), package.digest, source="package abc")
    with pytest.raises(InvalidPackage, match=package.digest):
        check_digest(io.BytesIO(package.data + b"x"), package.digest, source="package abc")


@pytest.mark.parametrize("value", ["", "../" + "a" * 61, "A" * 64, "a" * 63, "a" * 65])
def test_what_has_not_the_form_of_a_digest_names_nothing(value):
    with pytest.raises(InvalidPackage, match="64 hex digits"):
        checked_digest(value)
