"""What a plan is said to cost, against arithmetic by hand and against simulated rollouts."""

from dataclasses import replace
from datetime import timedelta
from math import ceil

import pytest

from halftone.domain.errors import InvalidInput
from halftone.domain.rollout.plan import PRESETS, OnInconclusive, Plan, Stage
from halftone.domain.rollout.preview import Traffic, about, few_or_many, preview

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LAG = timedelta(seconds=60)
DELAY = LAG + timedelta(seconds=20)
"""Until a request counts: its bucket closes, metrics arrive, the next look."""


def traffic(rate: float, errors: float = 0.01, late: float = 0.01) -> Traffic:
    return Traffic(rate, errors, late, "given")


def one_step(weight: float = 10.0, **rules: object) -> Plan:
    return Plan((Stage(weight, **rules),), bakes=False)  # type: ignore[arg-type]


def test_a_step_that_cannot_see_its_requests_in_time_is_told():
    plan = one_step(30, min_time=MINUTE, max_time=2 * MINUTE)

    [warning] = preview(plan, traffic(1), lag=LAG).warnings

    assert warning == (
        "step 1 gives the challenger 0.3 requests a second: 100 requests take 5m33s, "
        "max_time is 2m; it is held until they have come"
    )


@pytest.mark.parametrize(
    ("word", "promoted", "told"),
    [
        (OnInconclusive.HOLD, True, "it is held until then, or until a person decides"),
        (OnInconclusive.PROMOTE, True, "then it goes on without the proof"),
        (OnInconclusive.ROLLBACK, False, "then it is rolled back"),
    ],
)
def test_a_proof_that_comes_too_late_leads_where_the_plan_says(word, promoted, told):
    plan = replace(one_step(min_time=MINUTE, max_time=HOUR), on_inconclusive=word)

    previewed = preview(plan, traffic(1), lag=LAG)
    [step] = previewed.steps

    assert step.proof / step.rate > HOUR.total_seconds()
    assert (previewed.promoted_after is not None) is promoted
    assert previewed.warnings[0].endswith(f"max_time is 1h; {told}")
    if word is OnInconclusive.PROMOTE:
        assert (step.lasts, step.bound_by) == (HOUR, "max_time")


def test_a_step_lasts_until_the_last_of_its_three_conditions():
    def lasts(**rules: object):
        [step] = preview(one_step(**rules), traffic(100), lag=LAG).steps
        return step.lasts, step.bound_by

    assert lasts(min_time=HOUR) == (HOUR, "min_time")
    requests, by = lasts(min_time=MINUTE, min_requests=36_000)
    assert (requests, by) == (HOUR + DELAY, "min_requests")
    proof, by = lasts(min_time=MINUTE)
    assert by == "proof"
    assert MINUTE < proof < 10 * MINUTE


def test_proof_is_carried_from_step_to_step():
    previewed = preview(PRESETS["gradual"], traffic(100), lag=LAG)

    assert previewed.steps[0].proof > 0
    assert [step.proof for step in previewed.steps[1:]] == [0, 0, 0]
    assert previewed.promoted_after == timedelta(hours=1, minutes=40)
    assert not previewed.warnings


def test_ten_times_the_errors_cost_their_excess_until_rollback():
    [step] = preview(one_step(), traffic(100), lag=LAG).steps

    until = step.caught + step.rate * DELAY.total_seconds()
    assert step.back_after.total_seconds() == pytest.approx(until / step.rate)
    assert step.hurt == ceil(0.09 * until)


def test_a_tenfold_rate_below_the_tolerance_passes_perhaps():
    previewed = preview(one_step(), traffic(100, errors=0.0005), lag=LAG)

    assert previewed.warnings[0].startswith(
        "10 times the error rate is 0.5 %, below the tolerance of 1 %: it may"
    )


def test_what_the_last_step_lets_through_is_said():
    slow = preview(PRESETS["gradual"], traffic(10, errors=0.001), lag=LAG)
    fast = preview(PRESETS["gradual"], traffic(10, errors=0.01), lag=LAG)

    assert slow.steps[-1].back_after > slow.steps[-1].lasts == 10 * MINUTE
    [warning] = slow.warnings
    assert warning.startswith("the bake lasts 10m: a challenger that errs 10 times as often only")
    assert fast.warnings == ()


def test_longer_steps_see_smaller_regressions():
    def visible(minutes: int) -> float:
        [step] = preview(one_step(min_time=minutes * MINUTE), traffic(100), lag=LAG).steps
        return step.visible

    assert 0.01 < visible(240) < visible(60) < visible(15)


def by_key(plan: Plan, keys: float, errors: float = 0.01):
    return preview(plan, Traffic(20, errors, errors, "given", keys), lag=LAG, key_lag=MINUTE)


def test_where_a_key_draws_a_step_counts_keys_drawn_afresh():
    steps = by_key(PRESETS["gradual"], 3600).steps

    assert [step.counted.units for step in steps] == ["keys"] * 4
    assert [step.counted.rate for step in steps] == pytest.approx([0.05, 0.15, 0.3, 0.45])
    # Whoever was on the challenger before is in neither arm.
    drawn = [5 / 100, 15 / 95, 30 / 80, 45 / 50]
    assert [step.counted.drawn for step in steps] == pytest.approx(drawn)
    assert [step.rate for step in steps] == pytest.approx([1, 4, 10, 19])


def test_what_is_scored_unseen_is_drawn_by_request_all_the_same():
    scored, *answered = by_key(PRESETS["large-model"], 3600).steps

    assert (scored.counted.units, scored.counted.rate) == ("requests", 0.2)
    assert [step.counted.rate for step in answered] == pytest.approx([0.1, 0.4, 0.45])


def test_a_step_that_cannot_see_its_keys_in_time_is_told():
    plan = one_step(5, min_time=MINUTE, max_time=HOUR)

    [warning] = by_key(plan, 600, errors=0.2).warnings

    assert warning == (
        "step 1 gives the challenger 30 new keys an hour: 100 keys take 3h20m, "
        "max_time is 1h; it is held until they have come"
    )
    assert preview(plan, traffic(20, errors=0.2), lag=LAG).warnings == ()


def test_ten_requests_of_each_key_make_a_step_ten_times_as_long():
    [requests] = preview(one_step(), traffic(20), lag=LAG).steps
    [keys] = by_key(one_step(), 20 * 360).steps

    assert (keys.proof, keys.caught) == (requests.proof, requests.caught)
    counted = requests.lasts - DELAY, keys.lasts - DELAY - MINUTE
    assert counted[1] / counted[0] == pytest.approx(10)
    assert keys.back_after > requests.back_after
    assert (requests.hurt > 0, keys.hurt) == (True, 0)


@pytest.mark.parametrize("keys", [0.0, -1.0, float("nan"), 72_001.0])
def test_keys_are_some_and_no_more_than_the_requests(keys):
    with pytest.raises(InvalidInput, match=r"keys_an_hour is .*, from 0.0036 to the 72,000 reque"):
        by_key(one_step(), keys)


@pytest.mark.parametrize(("count", "told"), [(0.254, "0.25"), (15, "15"), (1350.4, "1,350")])
def test_keys_are_told_as_people_count(count, told):
    assert few_or_many(count) == told


def test_a_plan_without_steps_compares_nothing():
    previewed = preview(PRESETS["all-at-once"], traffic(100), lag=LAG)

    assert (previewed.steps, previewed.promoted_after) == ((), timedelta(0))
    assert "nothing is compared" in previewed.warnings[0]


def test_traffic_is_a_rate_and_parts_of_one():
    with pytest.raises(InvalidInput, match="requests_a_second is 0, expected requests a second"):
        traffic(0)
    with pytest.raises(ValueError, match="errors 1, late"):
        traffic(1, errors=1)


def test_spans_are_told_as_finely_as_they_are_known():
    spans = [
        timedelta(seconds=99.4),
        timedelta(hours=3, seconds=40),
        timedelta(days=15, minutes=40),
    ]
    assert [about(span) for span in spans] == ["1m39s", "3h1m", "15d1h"]
