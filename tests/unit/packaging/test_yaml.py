"""YAML that people write: what is refused, and that it is told by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput, InvalidPackage
from halftone.packaging.folder import build_package
from halftone.packaging.yaml import read_yaml
from tests.support.refusals import read_or_refusal


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("a: 1\na: 2\n", "line 2", "a is given twice"),
        ("a: {b: 1,\n b: 2}\n", "line 2", "b is given twice"),
        ("a:\n\t- b\n", "line 2", "that cannot start any token"),
        ("a: !!python/object/apply:os.system [id]\n", "line 1", "constructor for the tag"),
        ("a: 1\n---\na: 2\n", "line 2", "another document"),
        ("? [a]\n: 1\n", "line 1", "unhashable key"),
        ("a: 1\nb: 2026-13-01\n", "line 2", "no value of !!timestamp"),
        ("a: " + "[" * 3000 + "]" * 3000, "content", "nested too deep"),
        (b"a: 1\nb: caf\xe9\n", "line 2", "can't decode byte 0xe9"),
        ('a: 1\nb: !!int ""\n', "line 2", "no value of !!int"),
        ("a: 1\nb: !!bool maybe\n", "line 2", "no value of !!bool"),
        ("a: 1\nb: !!timestamp x\n", "line 2", "no value of !!timestamp"),
        ("a: 1\nb: !!float x\n", "line 2", "no value of !!float"),
        ("a: 1\nb: !!int 0b2\n", "line 2", "no value of !!int"),
        ("? !!int x\n: 1\n", "line 1", "no value of !!int"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "line 2", "an escape that is no character"),
        ('a: 1\nb: "\\U00110000"\n', "line 2", "an escape that is no character"),
        ("a: 1\nb: 0x" + "f" * 5000 + "\n", "line 2", "too many digits"),
        ("a: 1\nb: " + "9" * 5000 + "\n", "line 2", "no value of !!int"),
        ("a: 1\nb: " + "9" * 1000 + "\n", "line 2", "too many digits"),
        ("a: 1\nb: !!binary '\u00e9'\n", "line 2", "failed to convert"),
        ("a: 1\nb: x\x07y\n", "line 2", r"U\+0007"),
        ("a: &a [*a]\n", "line 1", "holds itself"),
        ("a: &a {b: *a}\n", "line 1", "holds itself"),
        ("a: &a {<<: *a}\n", "line 1", "holds itself"),
        ("a: 1\nb: {<<: 5}\n", "line 2", "for merging"),
        ("a: 1\nb: {<<: [5]}\n", "line 2", "for merging"),
        ("a: {<<: {b: 1}, <<: {c: 1}}\n", "line 1", "<< is given twice"),
        ("a: &a {b: 1}\nc: {<<: *a, d: 1, d: 2}\n", "line 2", "d is given twice"),
        ('a: 1\nb: ["\\ud800"]\n', r"b[0]", "ud800"),
        ('a: 1\nb: {"\\ud800": 1}\n', r"b.\ud800", "ud800"),
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
def test_windows_line_ends_marks_and_anchors_are_taken(text):
    assert read_yaml(text) == {"a": 1, "b": ["c"]}


def test_aliases_that_stand_for_too_many_values_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(InvalidInput, match="values, by aliases") as caught:
        read_yaml("\n".join(lines), "x.yaml")
    assert caught.value.field.startswith("line ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", {"x": 1, "y": 3}),
        ("a: &a {x: 1}\nc: &c {<<: *a, y: 2}\nb: {<<: *c, x: 3}\n", {"x": 3, "y": 2}),
        ("a: &a {x: 1}\nc: &c {y: 2}\nb: {<<: [*a, *c], z: 3}\n", {"x": 1, "y": 2, "z": 3}),
        ("b: &b\n  <<: {x: 1}\n  x: 2\nc: *b\n", {"x": 2}),
    ],
)
def test_merged_mappings_are_taken_and_may_be_overridden(text, value):
    assert read_yaml(text)["b"] == value


@given(st.text(st.sampled_from("ab:-[]{},&*<!?|>'\"#%@ \n\t0x1.~_e+"), max_size=40))
def test_any_text_is_read_or_refused_by_line(text):
    outcome = read_or_refusal(read_yaml, text)
    if isinstance(outcome, InvalidInput):
        assert outcome.field == "content" or outcome.field.startswith("line ")


@given(
    st.sampled_from(
        ["int", "float", "bool", "null", "timestamp", "binary", "set", "omap", "pairs"]
    ),
    st.text(max_size=6) | st.sampled_from(["{}", "[]", "[a]", "{a: b}", "[[a, b]]", "0x", "1:"]),
)
def test_any_value_of_any_tag_is_read_or_refused(tag, text):
    read_or_refusal(read_yaml, f"a: !!{tag} {text}")


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
