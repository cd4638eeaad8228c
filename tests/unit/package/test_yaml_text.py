"""YAML that people write: what is refused, and that it is told by its line."""

import pytest

from halftone.adapters.folder import build_package
from halftone.adapters.yaml_text import read_yaml
from halftone.domain.errors import InvalidInput, InvalidPackage


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("a: 1\na: 2\n", "line 2", "a is given twice"),
        ("a: {b: 1,\n b: 2}\n", "line 2", "b is given twice"),
        ("a:\n\t- b\n", "line 2", "that cannot start any token"),
        ("a: !!python/object/apply:os.system [id]\n", "line 1", "constructor for the tag"),
        ("a: 1\n---\na: 2\n", "line 2", "another document"),
        ("? [a]\n: 1\n", "line 1", "unhashable key"),
        ("a: 2026-13-01\n", "content", "month must be in 1..12"),
        ("a: " + "[" * 3000 + "]" * 3000, "content", "nested too deep"),
        (b"a: caf\xe9\n", "content", "can't decode byte 0xe9"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_what_is_wrong_is_told_with_file_and_line(text, field, value):
    with pytest.raises(InvalidInput, match=value) as caught:
        read_yaml(text, "x.yaml")
    assert (caught.value.field, caught.value.source) == (field, "x.yaml")


@pytest.mark.parametrize(
    "text", ["a: 1\r\nb: [c]\r\n", b"\xef\xbb\xbfa: 1\nb: [c]\n", "a: &one 1\nb: [c]\n"]
)
def test_windows_line_ends_byte_order_marks_and_anchors_are_taken(text):
    assert read_yaml(text) == {"a": 1, "b": ["c"]}


def test_a_package_whose_name_is_given_twice_is_refused(tmp_path):
    (tmp_path / "model.yaml").write_text("name: a\nflavor: python\nname: b\n")
    with pytest.raises(InvalidPackage, match=r"model\.yaml: line 3 is 'name is given twice'"):
        build_package(tmp_path)


@pytest.mark.parametrize(
    ("file", "remedy"), [("endpoint.yaml", "the `model` of its"), ("model.yml", "in place of")]
)
def test_a_folder_that_is_nearly_a_package_is_told_what_to_name(file, remedy, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(InvalidPackage, match=f"without model.yaml', expected.*{remedy}"):
        build_package(tmp_path)
