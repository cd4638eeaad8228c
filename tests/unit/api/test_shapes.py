"""What the API shows of values that have no route of their own."""

from halftone.api.schemas import shown_plan
from halftone.domain.rollout.plan_schema import load_plan


def test_a_plan_is_shown_with_its_mirror_steps_and_matches():
    step = {"mirror": 0.1, "match": {"addresses": ["10.0.0.0/8"]}}
    first, second, *_ = shown_plan(load_plan({"steps": [step, {"weight": 5}]})).stages
    assert (first.weight, first.mirror) == (0, 0.1)
    assert first.match == step["match"]
    assert (second.weight, second.mirror, second.match) == (5, 0, None)
