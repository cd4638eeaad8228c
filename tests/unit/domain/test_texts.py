"""Texts that can't be stored are refused by their path, wherever they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.endpoint.capacity import Capacity, patched_capacity
from halftone.domain.endpoint.spec import load_spec
from halftone.domain.errors import InvalidInput
from halftone.domain.model.manifest_schema import load_manifest
from halftone.domain.model.registry import Details
from halftone.domain.model.registry_schema import patched
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.texts import check_texts
from halftone.domain.traffic.policy_schema import load_policy
from tests.support.refusals import read_or_refusal

halves = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"])
MANIFEST = {
    "name": "doubler",
    "description": "d",
    "flavor": "python",
    "entry": "predict.py",
    "headers": ["x-a"],
    "inputs": [{"name": "x", "type": "string"}],
    "outputs": [{"name": "y", "type": "string"}],
    "samples": [{"instances": [{"x": "a"}], "predictions": [{"y": "b"}]}],
}
FREE = {
    "name": "words",
    "flavor": "python",
    "entry": "predict.py",
    "samples": [{"request": {"a": ["b"]}, "response": "c"}],
}
APP = {
    "name": "app",
    "flavor": "asgi",
    "entry": "app.py",
    "samples": [{"method": "GET", "path": "/a", "body": {"a": "b"}, "response": "c"}],
}
SPEC = {
    "name": "fraud",
    "model": "models/v1",
    "description": "d",
    "tags": {"team": "risk"},
    "group": "g",
    "timeout": "10s",
    "deploy_waits": "promoted",
    "guardrails": {"errors": {"rate": "5 %"}},
    "plan": {"preset": "gradual", "steps": [{"weight": "5 %", "match": {"clients": ["a"]}}]},
    "mode": "guarded",
    "salt": "s",
    "key": {"query": "q"},
    "rules": [{"match": {"query": {"a": ["b"]}, "headers": {"x": "y"}}, "to": "green"}],
    "traffic": {"champion": 100},
    "mirror": {"to": "green", "share": 5, "match": {"clients": "c"}},
    "capture": {"share": 5, "redact": ["ssn"]},
    "label": "risk",
    "stopped": "why",
}
SERVING = ("mode", "salt", "key", "rules", "traffic", "mirror", "capture", "label", "stopped")
READERS = [
    (load_manifest, MANIFEST),
    (load_manifest, FREE),
    (load_manifest, APP),
    (load_spec, SPEC),
    (load_plan, SPEC["plan"]),
    (load_policy, {name: SPEC[name] for name in SERVING}),
    (lambda value: patched_capacity(Capacity(), value), {"description": "d", "tags": {"a": "b"}}),
    (
        lambda value: patched(Details(), value),
        {"description": "d", "tags": {"a": "b"}, "parameters": {"a": "b"}, "metadata": {"a": "b"}},
    ),
]


def texts(value, path=()):
    """The paths of all texts in a value: of values, and of names with the mark that they are."""
    if isinstance(value, str):
        yield path, False
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), True
            yield from texts(inner, (*path, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from texts(inner, (*path, i))


def changed(value, path, change, *, is_name):
    """``value`` with the text at a path changed."""
    if not path:
        return change(value)
    first, *rest = path
    if isinstance(value, list):
        return [
            changed(inner, rest, change, is_name=is_name) if i == first else inner
            for i, inner in enumerate(value)
        ]
    if is_name and not rest:
        return {change(name) if name == first else name: inner for name, inner in value.items()}
    return {
        name: changed(inner, rest, change, is_name=is_name) if name == first else inner
        for name, inner in value.items()
    }


CASES = [(read, sound, path, is_name) for read, sound in READERS for path, is_name in texts(sound)]


@pytest.mark.parametrize(("read", "sound"), READERS, ids=range(len(READERS)))
def test_what_the_table_changes_is_sound(read, sound):
    read(sound)


@given(st.sampled_from(CASES), halves, st.integers(0, 5))
def test_half_a_surrogate_pair_is_refused_by_its_field(case, half, place):
    read, sound, path, is_name = case

    def spoil(text):
        return text[:place] + half + text[place:]

    outcome = read_or_refusal(read, changed(sound, path, spoil, is_name=is_name))
    assert isinstance(outcome, InvalidInput)
    assert str(path[0]) in outcome.field or is_name
    str(outcome).encode()
    outcome.field.encode()


def test_every_such_text_of_the_table_is_refused():
    for read, sound, path, is_name in CASES:
        spoiled = changed(sound, path, lambda text: text + "\ud800", is_name=is_name)
        assert isinstance(read_or_refusal(read, spoiled), InvalidInput), path


def test_whole_pairs_are_texts():
    assert read_or_refusal(check_texts, "a", {"\U0001f600": ["\U0001f600"]}) is None


def test_depth_and_cycles_are_no_concern():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    deep_again: list = [deep]
    deep_again.append(deep_again)
    assert read_or_refusal(check_texts, "a", deep_again) is None
