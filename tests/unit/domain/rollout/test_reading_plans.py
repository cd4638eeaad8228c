"""A plan as ``endpoint.yaml`` writes it: what it means, and which field a wrong one names."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.plan import PRESETS, OnInconclusive, Plan, check_mode
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.traffic.policy import Match, Mode
from tests.support.refusals import read_or_refusal

MINUTE = timedelta(minutes=1)


def weights(plan: Plan) -> list[float]:
    return [stage.weight for stage in plan.stages]


def test_a_preset_is_named():
    assert weights(load_plan("gradual")) == [5, 20, 50, 95]
    assert load_plan("all-at-once") == Plan((), bakes=False)


def test_steps_keep_the_preset_bake():
    plan = load_plan({"steps": [{"weight": "1 %", "min_time": "10m"}, {"weight": 100}]})
    assert weights(plan) == [1, 95]
    assert plan.is_bake(1)
    assert not plan.is_bake(0)


def test_a_bake_can_be_left_out_or_be_a_duration():
    assert weights(load_plan({"steps": [{"weight": 10}], "bake": "none"})) == [10]
    baked = load_plan({"steps": [{"weight": 10}], "bake": "20m"}).stages[-1]
    assert (baked.weight, baked.min_time, baked.max_time) == (95, 20 * MINUTE, 80 * MINUTE)


def test_the_longest_time_follows_a_longer_shortest_time():
    plan = load_plan({"steps": [{"weight": 10, "min_time": "3h"}]})
    assert plan.stages[0].max_time == timedelta(hours=12)
    longest = load_plan({"steps": [{"weight": 10, "min_time": "365d"}]})
    assert longest.stages[0].max_time == timedelta(days=365)


def test_every_field_is_read():
    plan = load_plan(
        {
            "preset": "all-at-once",
            "steps": [
                {"weight": 1.5, "min_time": "10s", "max_time": "1m", "min_requests": 7},
                {"weight": 100},
            ],
            "bake": {"weight": 90, "min_time": "20s"},
            "alpha": 0.01,
            "on_inconclusive": "rollback",
            "margins": {"late": {"tolerance": "2 %", "regression": 1.5, "safety": 3}},
        }
    )
    step, bake = plan.stages
    assert (step.weight, step.min_time, step.max_time) == (1.5, MINUTE / 6, MINUTE)
    assert (step.min_requests, bake.weight, plan.bakes) == (7, 90, True)
    assert (plan.alpha, plan.on_inconclusive) == (0.01, OnInconclusive.ROLLBACK)
    assert plan.late == replace(plan.late, tolerance=2.0, regression=1.5, safety=3.0)
    assert plan.errors == PRESETS["all-at-once"].errors


def test_a_step_is_scored_unseen_or_answered():
    match = {"headers": {"X-Tier": "gold"}, "addresses": ["10.0.0.0/8"]}
    plan = load_plan({"steps": [{"mirror": "10 %", "match": match}, {"weight": 5}]})
    scored, answered, bake = plan.stages
    assert (scored.weight, scored.mirror) == (0.0, 10.0)
    assert scored.match == Match(headers={"x-tier": ("gold",)}, addresses=("10.0.0.0/8",))
    assert (answered.weight, answered.mirror, answered.match) == (5.0, 0.0, None)
    assert (bake.weight, bake.mirror) == (95.0, 0.0)
    assert scored.told == "mirror 10 %"


def test_changed_labels_are_asked_about_where_the_plan_says_so():
    assert load_plan({}).changed == 0.0
    assert load_plan({"margins": {"changed": {"tolerance": "5 %"}}}).changed == 5.0


@pytest.mark.parametrize("mode", Mode)
def test_the_presets_suit_every_mode(mode):
    for plan in PRESETS.values():
        assert read_or_refusal(check_mode, plan, mode) is None


REFUSED = [
    ("fast", "plan", "fast"),
    (7, "plan", 7),
    ({"speed": 1}, "plan.speed", 1),
    ({"preset": "fast"}, "plan.preset", "fast"),
    ({"steps": []}, "plan.steps", []),
    ({"steps": "5"}, "plan.steps", "5"),
    ({"steps": [5]}, "plan.steps[0]", 5),
    ({"steps": [{"min_time": "1m"}]}, "plan.steps[0].weight", None),
    ({"steps": [{"weight": 0}]}, "plan.steps[0].weight", 0),
    ({"steps": [{"weight": 101}]}, "plan.steps[0].weight", 101),
    ({"steps": [{"weight": 33.333}]}, "plan.steps[0].weight", 33.333),
    ({"steps": [{"weight": 100}, {"weight": 100}]}, "plan.steps[0].weight", 100),
    ({"steps": [{"weight": 20}, {"weight": 5}]}, "plan.steps[1].weight", 5.0),
    ({"steps": [{"weight": 20}, {"weight": 20}]}, "plan.steps[1].weight", 20.0),
    ({"steps": [{"weight": 97}]}, "plan.bake.weight", 95.0),
    ({"steps": [{"weight": 5, "wait": "1m"}]}, "plan.steps[0].wait", "1m"),
    ({"steps": [{"weight": 5, "min_time": 60}]}, "plan.steps[0].min_time", 60),
    ({"steps": [{"weight": 5, "max_time": "1s"}]}, "plan.steps[0].max_time", "1s"),
    ({"steps": [{"weight": 5, "min_requests": 0}]}, "plan.steps[0].min_requests", 0),
    ({"steps": [{"weight": 5, "approval": True}]}, "plan.steps[0].approval", True),
    ({"steps": [{"weight": 5, "approval": "after"}]}, "plan.steps[0].approval", "after"),
    ({"bake": 5}, "plan.bake", 5),
    ({"bake": "long"}, "plan.bake", "long"),
    ({"bake": {"weight": 100}}, "plan.bake.weight", 100),
    ({"alpha": 0}, "plan.alpha", 0),
    ({"alpha": 5e-324}, "plan.alpha", 5e-324),
    ({"margins": {"errors": {"tolerance": 1e-9}}}, "plan.margins.errors.tolerance", 1e-9),
    ({"alpha": 0.6}, "plan.alpha", 0.6),
    ({"alpha": "5 %"}, "plan.alpha", "5 %"),
    ({"on_inconclusive": "shrug"}, "plan.on_inconclusive", "shrug"),
    ({"margins": {"cost": {}}}, "plan.margins.cost", {}),
    ({"margins": {"late": 5}}, "plan.margins.late", 5),
    ({"steps": [{"mirror": 5, "weight": 5}]}, "plan.steps[0].mirror", 5),
    ({"steps": [{"mirror": 0}]}, "plan.steps[0].mirror", 0),
    ({"steps": [{"mirror": 33.333}]}, "plan.steps[0].mirror", 33.333),
    ({"steps": [{"weight": 5}, {"mirror": 10}]}, "plan.steps[1].mirror", 10.0),
    ({"steps": [{"weight": 5, "match": {}}]}, "plan.steps[0].match", {}),
    ({"steps": [{"weight": 5, "match": {"addresses": "x"}}]}, "plan.steps[0].match.addresses", "x"),
    (
        {"steps": [{"weight": 100, "match": {"clients": "ann"}}]},
        "plan.steps[0].match",
        {"clients": "ann"},
    ),
    ({"bake": {"mirror": 5}}, "plan.bake.mirror", 5),
    ({"bake": {"match": {"clients": "ann"}}}, "plan.bake.match", {"clients": "ann"}),
    ({"margins": {"changed": {"safety": 2}}}, "plan.margins.changed.safety", 2),
    ({"margins": {"changed": {"tolerance": 51}}}, "plan.margins.changed.tolerance", 51),
    ({"margins": {"late": {"ratio": 2}}}, "plan.margins.late.ratio", 2),
    ({"margins": {"late": {"tolerance": 51}}}, "plan.margins.late.tolerance", 51),
    ({"margins": {"late": {"regression": 0.5}}}, "plan.margins.late.regression", 0.5),
    ({"margins": {"errors": {"regression": 2.5}}}, "plan.margins.errors.safety", 2.0),
]


@pytest.mark.parametrize(("given_plan", "field", "value"), REFUSED, ids=lambda v: str(v)[:40])
def test_a_wrong_plan_names_the_field_and_its_value(given_plan, field, value):
    with pytest.raises(InvalidInput) as caught:
        load_plan(given_plan)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert repr(value) in str(caught.value)


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 101), st.floats(), st.text(max_size=5),
    st.sampled_from(["5m", "1h", "none", "before", "hold", "gradual", "5 %", 10**400]),
)  # fmt: skip
STEPS = st.dictionaries(
    st.sampled_from(
        ["weight", "mirror", "match", "min_time", "max_time", "min_requests", "approval", "x"]
    ),
    LEAVES,
)
PLANS = st.one_of(
    LEAVES,
    st.fixed_dictionaries(
        {},
        optional={
            "preset": LEAVES,
            "steps": st.one_of(LEAVES, st.lists(st.one_of(LEAVES, STEPS), max_size=3)),
            "bake": st.one_of(LEAVES, STEPS),
            "alpha": LEAVES,
            "on_inconclusive": LEAVES,
            "margins": st.one_of(
                LEAVES, st.dictionaries(st.sampled_from(["errors", "late", "x"]), LEAVES)
            ),
        },
    ),
)


@given(PLANS)
def test_whatever_is_given_is_a_sound_plan_or_refused_by_field(given_plan):
    plan = read_or_refusal(load_plan, given_plan)
    if isinstance(plan, InvalidInput):
        assert plan.field.startswith("plan")
        return
    answering = [stage.weight for stage in plan.stages if not stage.mirror]
    assert answering == sorted(set(answering))
    assert all(0.1 <= stage.taken * 100 <= 100 for stage in plan.stages)
    assert all(stage.weight < 100 for stage in plan.stages)
    assert all(stage.min_requests >= 1 for stage in plan.stages)
    assert all(stage.min_time <= stage.max_time for stage in plan.stages)
