"""``endpoint.yaml``: what a declaration means, and which field a wrong one names."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.endpoint.spec import DeployWaits, EndpointSpec, Guardrail, load_spec
from halftone.domain.errors import InvalidInput
from tests.support.refusals import read_or_refusal

LEAST = {"name": "fraud", "model": "models/champion"}


def test_name_and_model_are_enough():
    assert load_spec(LEAST) == EndpointSpec("fraud", "models/champion")


def test_tags_are_what_iam_takes_and_periods_make_a_day_at_most():
    tags = {"Team": "", "cost centre": "É 7+8=15 _.:/-@", **{f"t{n}": "x" * 200 for n in range(48)}}
    rails = {"late": {"periods": 8640}, "crashes": {"periods": 1440}}
    spec = load_spec({**LEAST, "tags": tags, "guardrails": rails})
    assert spec.tags == tags
    assert (spec.late.periods, spec.crashes.periods) == (8640, 1440)


def test_every_field_is_read():
    spec = load_spec(
        {
            "name": "fraud-eu",
            "model": "models/challenger",
            "description": "Is it fraud?",
            "tags": {"team": "risk"},
            "memory": 512,
            "timeout": "5s",
            "late_after": "300ms",
            "max_body": 1000,
            "log_retention_days": 7,
            "deploy_waits": "promoted",
            "guardrails": {
                "errors": {"rate": "10 %", "count": 4},
                "late": {"breaches": 3, "periods": 5},
            },
            "plan": "all-at-once",
        }
    )
    assert (spec.name, spec.memory, spec.max_body) == ("fraud-eu", 512, 1000)
    assert (spec.timeout, spec.late_after) == (timedelta(seconds=5), timedelta(milliseconds=300))
    assert (spec.log_retention_days, spec.deploy_waits) == (7, DeployWaits.PROMOTED)
    assert spec.errors == Guardrail(10.0, 4)
    assert spec.late == Guardrail(25.0, 5, breaches=3, periods=5)
    assert spec.crashes == EndpointSpec("x", "y").crashes
    assert spec.plan.stages == ()


REFUSED = [
    ({"nam": 1}, "nam", 1),
    ({"errors": {}}, "errors", {}),
    ({"name": "Fraud"}, "name", "Fraud"),
    ({"name": None}, "name", None),
    ({"name": "a" * 33}, "name", "a" * 33),
    ({"name": "a--b"}, "name", "a--b"),
    ({"model": None}, "model", None),
    ({"model": "../elsewhere"}, "model", "../elsewhere"),
    ({"model": "/etc"}, "model", "/etc"),
    ({"description": 7}, "description", 7),
    ({"description": "x" * 201}, "description", "x" * 201),
    ({"tags": ["a"]}, "tags", ["a"]),
    ({"tags": {"cost": 7}}, "tags.cost", 7),
    ({"tags": {"cost!": "7"}}, "tags", "cost!"),
    ({"tags": {"": "7"}}, "tags", ""),
    ({"tags": {"x" * 65: "7"}}, "tags", "x" * 65),
    ({"tags": {"AWS:cost": "7"}}, "tags", "AWS:cost"),
    ({"tags": {"cost": "7, 8"}}, "tags.cost", "7, 8"),
    ({"tags": {"cost": "x" * 201}}, "tags.cost", "x" * 201),
    ({"tags": {"Team": "a", "team": "b"}}, "tags", ["Team", "team"]),
    ({"tags": {f"t{n}": "" for n in range(51)}}, "tags", "51 tags"),
    ({"guardrails": {"errors": {"periods": 8641}}}, "guardrails.errors.periods", 8641),
    ({"guardrails": {"crashes": {"periods": 1441}}}, "guardrails.crashes.periods", 1441),
    ({"memory": 64}, "memory", 64),
    ({"memory": "1 GB"}, "memory", "1 GB"),
    ({"timeout": "30s"}, "timeout", "30s"),
    ({"timeout": "1500ms"}, "timeout", "1500ms"),
    ({"late_after": "11s"}, "late_after", "11s"),
    ({"late_after": "0"}, "late_after", "0"),
    ({"late_after": 250}, "late_after", 250),
    ({"max_body": 0}, "max_body", 0),
    ({"max_body": 6_000_001}, "max_body", 6_000_001),
    ({"log_retention_days": 8}, "log_retention_days", 8),
    ({"log_retention_days": True}, "log_retention_days", True),
    ({"log_retention_days": 30.0}, "log_retention_days", 30.0),
    ({"deploy_waits": "forever"}, "deploy_waits", "forever"),
    ({"guardrails": 5}, "guardrails", 5),
    ({"guardrails": {"cost": {}}}, "guardrails.cost", {}),
    ({"guardrails": {"errors": 5}}, "guardrails.errors", 5),
    ({"guardrails": {"errors": {"rate": 0}}}, "guardrails.errors.rate", 0),
    ({"guardrails": {"errors": {"rate": 100}}}, "guardrails.errors.rate", 100),
    ({"guardrails": {"late": {"count": 0}}}, "guardrails.late.count", 0),
    ({"guardrails": {"late": {"breaches": 4}}}, "guardrails.late.breaches", 4),
    ({"guardrails": {"late": {"colour": 4}}}, "guardrails.late.colour", 4),
    ({"plan": {"steps": [{"weight": 120}]}}, "plan.steps[0].weight", 120),
]


@pytest.mark.parametrize(("change", "field", "value"), REFUSED, ids=lambda v: str(v)[:40])
def test_a_wrong_declaration_names_the_field_and_its_value(change, field, value):
    with pytest.raises(InvalidInput) as caught:
        load_spec({**LEAST, **change})
    assert (caught.value.field, caught.value.value) == (field, value)


@pytest.mark.parametrize("value", [None, "fraud", ["name"], 5])
def test_a_file_that_is_no_mapping_is_refused(value):
    with pytest.raises(InvalidInput, match="expected a mapping with at least name and model"):
        load_spec(value)


FIELDS = sorted({*EndpointSpec.__dataclass_fields__} | {"guardrails", "x"})
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["errors", "late", "rate", "count", "steps", "weight"]), inner
        ),
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_is_given_is_a_declaration_or_refused_by_field(given_spec):
    outcome = read_or_refusal(load_spec, {**LEAST, **given_spec})
    assert not isinstance(outcome, InvalidInput) or outcome.field


def test_a_step_that_takes_the_guarded_mode_needs_it():
    plan = {"steps": [{"weight": 5, "match": {"clients": ["acme"]}}]}
    with pytest.raises(InvalidInput) as refused:
        load_spec(LEAST | {"plan": plan})
    assert refused.value.field == "plan.steps[0].match"
    assert "acme" in str(refused.value)
    spec = load_spec(LEAST | {"plan": plan, "mode": "guarded"})
    assert spec.plan.stages[0].match is not None
