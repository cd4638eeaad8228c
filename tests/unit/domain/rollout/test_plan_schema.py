"""A plan's written form says all of it, and reads as people write it."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.audit import canonical_json
from halftone.domain.rollout.plan import (
    DESCRIPTIONS,
    INTERNAL,
    PRESETS,
    Margins,
    OnInconclusive,
    Plan,
    Stage,
)
from halftone.domain.rollout.plan_schema import dump_plan, load_plan
from halftone.domain.traffic.policy import Match

times = st.integers(0, 10**10).map(lambda micros: timedelta(microseconds=micros))

margins = st.builds(
    lambda regression, more, tolerance: Margins(regression, regression + more, tolerance),
    st.floats(1, 50),
    st.floats(0.01, 50),
    st.just(0.0) | st.floats(1e-6, 50),
)

RULES: dict[Any, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "float": st.floats(1e-6, 0.5),
    "timedelta": times,
    "OnInconclusive": st.sampled_from(OnInconclusive),
    "Margins": margins,
}


matches = st.sampled_from(
    [
        None,
        Match(clients=("ann",)),
        Match({"x-tier": ("gold", "silver")}, {"region": ("eu",)}, ("bob",), ("10.0.0.0/8",)),
    ]
)


@st.composite
def stages(draw: st.DrawFn, *, bakes: bool) -> tuple[Stage, ...]:
    count = draw(st.integers(1 if bakes else 0, 5))
    weights = draw(st.lists(st.integers(1, 999), min_size=count, max_size=count, unique=True))
    result = []
    for weight in sorted(weights):
        least, more = draw(times), draw(times)
        # Scored unseen at first, then answered: the first stages, but never the bake.
        scored = draw(st.booleans()) and not (bakes and len(result) == count - 1)
        scored = scored and all(before.mirror for before in result)
        result.append(
            Stage(
                0.0 if scored else weight / 10,
                mirror=weight / 10 if scored else 0.0,
                match=None if bakes and len(result) == count - 1 else draw(matches),
                min_time=least,
                max_time=least + more,
                min_requests=draw(st.integers(1, 10**6)),
                approval=draw(st.booleans()),
            )
        )
    return tuple(result)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan, with a value drawn for each rule that a plan has, also those added later."""
    bakes = draw(st.booleans())
    rules = {
        rule.name: draw(RULES[getattr(rule.type, "__name__", rule.type)])
        for rule in fields(Plan)
        if rule.name not in ("stages", "bakes")
    }
    return Plan(draw(stages(bakes=bakes)), bakes=bakes, **rules)


@given(plans())
def test_a_plan_comes_back_as_it_was(plan: Plan) -> None:
    assert load_plan(dump_plan(plan)) == plan


def test_presets_come_back_as_they_were() -> None:
    for preset in PRESETS.values():
        assert load_plan(dump_plan(preset)) == preset


def test_the_form_is_readable() -> None:
    text = canonical_json(dump_plan(PRESETS["gradual"])).decode()
    assert '"min_time":"30m"' in text


def test_every_preset_is_described() -> None:
    assert DESCRIPTIONS.keys() == PRESETS.keys()


def test_a_person_stands_between_first_look_and_more_traffic() -> None:
    shares = {name: [(s.told, s.approval) for s in PRESETS[name].stages] for name in PRESETS}
    rest = [("20 %", False), ("50 %", False), ("95 %", False)]
    assert shares["internal"] == [("mirror 0.1 %", False), ("5 %", True), *rest]
    assert shares["large-model"] == [("mirror 1 %", False), ("10 %", True), *rest[1:]]
    assert PRESETS["large-model"].stages[0].min_time == timedelta(hours=1)
    assert PRESETS["internal"].stages[0].match == INTERNAL
