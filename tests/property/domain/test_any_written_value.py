"""Every value that is read, shown and written again is the same: settings, plans, specs, manifests.

The written form is what templates, records and the API carry. A form that rounds changes what an
endpoint does at the next deploy, and nobody wrote that change.
"""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.endpoint.capacity import Capacity, dump_capacity, patched_capacity
from halftone.domain.endpoint.spec import dump_upkeep, load_spec
from halftone.domain.model.manifest_schema import load_manifest, manifest_from_json
from halftone.domain.model.schema import fields_as_given, parse_fields
from halftone.domain.quantities import LONGEST, duration, milliseconds, spoken
from halftone.domain.rollout.plan_schema import dump_plan, load_plan
from halftone.domain.traffic.policy_schema import FIELDS, dump_policy, load_policy

UNITS = (("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000))


def as_json(value):
    """What is left of a value after its way through a template, a record or a request."""
    return json.loads(json.dumps(value, allow_nan=False))


def durations(least: timedelta, most: timedelta):
    """Durations as people write them: one unit or several, whole or with decimals."""

    def one(unit, size):
        low = -(-int(least.total_seconds() * 1e6) // size)
        high = int(most.total_seconds() * 1e6) // size
        whole = st.integers(low, high).map(lambda count: f"{count}{unit}")
        tenths = st.integers(low * 10, high * 10).map(lambda count: f"{count / 10}{unit}")
        return st.one_of(whole, tenths)

    possible = [one(unit, size) for unit, size in UNITS if size <= most.total_seconds() * 1e6]
    return st.one_of(*possible, st.timedeltas(least, most).map(spoken))


percents = st.integers(10, 9_999).map(lambda hundredths: hundredths / 100)
shares = st.one_of(st.floats(0, 100), percents, percents.map(lambda percent: f"{percent} %"))
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
matches = st.fixed_dictionaries(
    {"query": st.dictionaries(texts, st.lists(texts, min_size=1, max_size=2), min_size=1)},
    optional={
        "headers": st.dictionaries(names.map("x-{}".format), texts, max_size=2),
        "clients": st.lists(texts, min_size=1, max_size=2),
        "addresses": st.ip_addresses().map(str),
    },
)
SETTINGS = {
    "mode": st.sampled_from(["guarded", "weighted"]),
    "access": st.sampled_from(["public", "private"]),
    "key": st.sampled_from([None, "client", "address", {"header": "X-A"}, {"body": "a.b"}]),
    "salt": texts,
    "rules": st.lists(st.fixed_dictionaries({"match": matches, "to": names}), max_size=2),
    "traffic": st.one_of(
        st.just({"champion": 100}),
        st.floats(0, 100).map(lambda share: {"champion": share, "green": 100 - share}),
    ),
    "mirror": st.one_of(
        st.none(),
        st.fixed_dictionaries({"to": names, "share": shares}, optional={"match": matches}),
    ),
    "capture": st.one_of(
        shares, st.fixed_dictionaries({"share": shares, "redact": st.lists(names, max_size=2)})
    ),
    "latency_budget": st.one_of(
        st.none(), durations(timedelta(milliseconds=1), timedelta(seconds=29))
    ),
    "label": names,
    "stopped": texts,
    "cors": st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {"origins": st.sampled_from([["*"], ["https://a.example", "http://[::1]:80"]])},
            optional={
                "headers": st.lists(names, max_size=2, unique=True),
                "max_age": st.integers(0, 86_400).map(lambda seconds: f"{seconds}s"),
            },
        ),
    ),
}
UPKEEP = {
    "description": texts,
    "tags": st.dictionaries(names, names, max_size=2),
    "concurrency": st.integers(1, 10_000),
    "throttle": st.fixed_dictionaries(
        {
            "rate": st.floats(0, 100_000, exclude_min=True) | st.integers(1, 100_000),
            "burst": st.integers(1, 50_000),
        }
    ),
}


@st.composite
def plans(draw):
    """Plans with rising weights and ages of any precision."""
    weights = sorted(draw(st.sets(st.integers(10, 9_000), min_size=1, max_size=3)))
    steps = []
    for weight in weights:
        least, most = sorted(draw(st.tuples(AGES, AGES)))
        steps.append(
            {
                "weight": weight / 100,
                "min_time": spoken(least),
                "max_time": spoken(most),
                "min_requests": draw(st.integers(1, 10**6)),
                "approval": draw(st.sampled_from(["before", "none"])),
            }
        )
    rate = st.just(0.0) | st.floats(1e-6, 50)
    odds = st.floats(1, 50)
    margins = {
        metric: {
            "tolerance": draw(rate),
            "regression": (low := draw(odds)),
            "safety": low + draw(st.floats(0.001, 50)),
        }
        for metric in draw(st.sets(st.sampled_from(["errors", "late", "latency", "quality"])))
    }
    return {
        "steps": steps,
        "bake": draw(st.sampled_from(["none", "90m", {"weight": 95.25, "min_time": "1.5s"}])),
        "alpha": draw(st.floats(1e-6, 0.5)),
        "latency_floor": spoken(draw(AGES)),
        "margins": {**margins, "changed": {"tolerance": draw(rate)}},
    }


AGES = st.timedeltas(timedelta(0), LONGEST)


@given(AGES)
def test_a_duration_is_written_exactly(span):
    assert duration("t", spoken(span)) == span


@given(AGES)
def test_milliseconds_of_a_function_s_environment_are_exact(span):
    assert Decimal(milliseconds(span)) * 1000 == span // timedelta(microseconds=1)


@given(durations(timedelta(0), LONGEST))
def test_a_duration_of_any_notation_is_written_exactly(text):
    span = duration("t", text)
    assert duration("t", spoken(span)) == span


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_strategy(name):
    assert name in SETTINGS


@given(st.fixed_dictionaries({}, optional=SETTINGS))
def test_settings_are_written_exactly(settings):
    read = load_policy(settings)
    form = as_json(dump_policy(read))
    assert load_policy(form) == read
    assert dump_policy(load_policy(form)) == form


@given(st.fixed_dictionaries({}, optional=UPKEEP))
def test_upkeep_is_written_exactly(settings):
    read = patched_capacity(Capacity(), settings)
    assert patched_capacity(Capacity(), as_json(dump_capacity(read))) == read


@given(plans())
def test_plans_are_written_exactly(plan):
    read = load_plan(plan)
    form = as_json(dump_plan(read))
    assert load_plan(form) == read
    assert dump_plan(load_plan(form)) == form


@given(
    st.fixed_dictionaries({}, optional={**SETTINGS, **UPKEEP}),
    plans(),
    durations(timedelta(milliseconds=1), timedelta(seconds=1)),
)
def test_a_spec_is_written_exactly(settings, plan, late_after):
    settings["mode"] = "guarded"
    given_spec = {
        "name": "fraud",
        "model": "models/v1",
        "timeout": "29s",
        "late_after": late_after,
        "plan": plan,
        **settings,
    }
    spec = load_spec(given_spec)
    form = as_json(
        {
            **given_spec,
            "late_after": spoken(spec.late_after),
            "timeout": spoken(spec.timeout),
            "plan": dump_plan(spec.plan),
            **dump_upkeep(spec),
            **spec.serving,
        }
    )
    assert load_spec(form) == spec


@st.composite
def manifests(draw):
    """Manifests with bounds and samples of any number."""
    least, most = sorted(draw(st.tuples(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30))))
    number = st.floats(least, most)
    field = {"name": "x", "type": "float64", "minimum": least, "maximum": most}
    return {
        "name": draw(names),
        "flavor": "python",
        "entry": "predict.py",
        "description": draw(texts),
        "inputs": [field, {"name": draw(texts.filter(is_field_name)), "type": "string"}],
        "outputs": [{"name": "y", "type": draw(st.sampled_from(["float64", "float32"]))}],
        "samples": [{"instances": None, "tolerance": draw(st.floats(0, 1, exclude_max=True))}],
        "headers": draw(st.lists(names, max_size=2, unique=True)),
    }, draw(number)


def is_field_name(text):
    """Whether a field may be called so."""
    return (
        text.isprintable()
        and text.strip(" ") == text
        and not {'"', "\\"} & set(text)
        and text not in ("x", "")
    )


@given(manifests())
def test_a_manifest_is_written_exactly(drawn):
    manifest, number = drawn
    second = manifest["inputs"][1]["name"]
    manifest["samples"][0]["instances"] = [{"x": number, second: "a"}]
    read = load_manifest(manifest)
    assert manifest_from_json(read.to_json()) == read
    assert parse_fields("inputs", fields_as_given(read.inputs)) == read.inputs
