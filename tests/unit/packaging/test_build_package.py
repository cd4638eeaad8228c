"""A folder becomes a package that is named by its content alone."""

import io
import os
import shutil
import zipfile

import pytest

from halftone.domain.errors import InvalidPackage
from halftone.domain.model.manifest_schema import manifest_from_json
from halftone.packaging.folder import build_package, open_package


def names(package):
    return zipfile.ZipFile(io.BytesIO(package.data)).namelist()


def test_the_same_content_has_the_same_digest_anywhere(folder, tmp_path):
    (folder / "tables").mkdir()
    (folder / "tables" / "b.json").write_text("{}")
    (folder / "tables" / "a.json").write_text("[]")
    first = build_package(folder)
    elsewhere = tmp_path / "elsewhere" / "copy"
    elsewhere.mkdir(parents=True)
    for path in sorted((path for path in folder.rglob("*") if path.is_file()), reverse=True):
        target = elsewhere / path.relative_to(folder)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o600)
        os.utime(target, (2_000_000_000, 2_000_000_000))
    second = build_package(elsewhere)
    assert second.data == first.data
    assert second.ref == first.ref


def test_the_digest_is_pinned(folder):
    # Another value here means that every package of every user changes its name.
    expected = "5a0f1391b609d36e64ca2a8e60804b4439f45e56275416512d5b4b4ba8a7be39"
    assert build_package(folder).digest == expected


def test_one_byte_more_is_another_digest(folder):
    before = build_package(folder).digest
    with (folder / "predict.py").open("a") as file:
        file.write("\n")
    assert build_package(folder).digest != before


def test_caches_and_hidden_files_stay_out(folder):
    before = build_package(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "predict.cpython-311.pyc").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    (folder / ".env").write_text("SECRET=1")
    package = build_package(folder)
    assert names(package) == ["model.json", "predict.py"]
    assert package == before
    text = zipfile.ZipFile(io.BytesIO(package.data)).read("model.json")
    assert manifest_from_json(text) == package.manifest


def test_a_built_zip_opens_as_the_folder_does(folder, tmp_path):
    package = build_package(folder)
    path = tmp_path / "doubler.zip"
    path.write_bytes(package.data)
    assert open_package(path) == package == open_package(folder)


def test_samples_may_stand_in_a_file_of_their_own(folder):
    text = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(text[: text.index("samples:")] + "samples: golden.json\n")
    (folder / "golden.json").write_text('[{"instances": [{"x": 2}], "predictions": [{"y": 4}]}]')
    (sample,) = build_package(folder).manifest.samples
    assert sample.instances == ({"x": 2.0},)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("predict.py", "other.py", "entry"),
        ("flavor: python", "flavor: pickle", "flavor"),
        ("flavor: python", "flavour: python", "flavour"),
        ("{x: 1.5}", "{x: one}", "samples[0].instances[0].x"),
        ("name: doubler", "name: 'doubler", "line 10"),
        ("name: doubler", "name: !!python/object:os.system {}", "line 2"),
    ],
)
def test_a_wrong_model_yaml_names_file_field_and_value(folder, old, new, field):
    source = folder / "model.yaml"
    source.write_text(source.read_text().replace(old, new))
    with pytest.raises(InvalidPackage) as caught:
        build_package(folder)
    assert caught.value.field == field
    assert str(caught.value).startswith(str(source))


@pytest.mark.parametrize("name", ["golden.json", "../golden.json"])
def test_a_missing_file_of_samples_is_named(folder, name):
    text = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(f"{text[: text.index('samples:')]}samples: {name}\n")
    with pytest.raises(InvalidPackage, match=name):
        build_package(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [("weights.pkl", b"{}"), ("weights.bin", b"\x80\x04\x95"), ("net.pt", b"PK")],
)
def test_a_pickle_is_refused_by_name_and_by_content(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidPackage, match=name):
        build_package(folder)


def test_a_link_is_refused(folder):
    (folder / "weights.json").symlink_to("/etc/hostname")
    with pytest.raises(InvalidPackage, match=r"weights\.json"):
        build_package(folder)


def test_a_missing_folder_or_file_is_refused(folder, tmp_path):
    (folder / "model.yaml").unlink()
    with pytest.raises(InvalidPackage, match=r"model\.yaml"):
        build_package(folder)
    with pytest.raises(InvalidPackage, match="nowhere"):
        open_package(tmp_path / "nowhere")
