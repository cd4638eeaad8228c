"""A preview at the traffic that an endpoint had."""

from dataclasses import replace
from datetime import timedelta

import pytest

from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.rollout.evidence import Arm, Bucket, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import PRESETS, Plan, Stage
from halftone.domain.rollout.preview import Traffic
from halftone.domain.traffic.policy import Capture, KeySource, Mode, StickyKey
from halftone.service.insight.preview import preview_endpoint, warnings_of
from tests.support.engine import NAME, Endpoint
from tests.support.rollouts import MINUTE, PLAN

HOUR = timedelta(hours=1)
BUSY = Arm(requests=100, errors=2, timed=90, late=1)


@pytest.fixture
def serving():
    """risk-1 serves, and nothing has been asked of it."""
    endpoint = Endpoint()
    endpoint.serve("risk-1")
    return endpoint


def test_the_last_hour_is_what_the_champion_answered(serving):
    serving.traffic(2 * HOUR, champion=BUSY)

    result = preview_endpoint(serving.ports, NAME, plan=PRESETS["gradual"])

    traffic = result.preview.traffic
    assert (traffic.rate, result.plan_of) == (10.0, "")
    assert traffic.errors == pytest.approx(720.5 / 36_001)
    assert traffic.late == pytest.approx(360.5 / 32_401)
    assert traffic.source.startswith("the last hour: 36,000 requests, 720 errors of 36,000")
    assert result.preview.steps[0].rate == 0.5


def test_a_challenger_counts_as_traffic_and_not_for_errors(serving):
    serving.release("risk-2", plan=PLAN)
    serving.tick_until(Phase.OBSERVING)
    serving.traffic(HOUR, challenger=Arm(requests=5, errors=5, timed=5), champion=Arm(5, 0, 5))

    result = preview_endpoint(serving.ports, NAME)

    assert result.plan_of == f"rollout {serving.rollout.id}"
    assert result.plan == PLAN
    assert result.preview.traffic.rate == 10.0
    assert result.preview.traffic.errors == pytest.approx(0.5 / (360 * 95 + 1))


def test_the_champion_before_the_present_one_counts_as_one(serving):
    serving.serve("risk-2")
    serving.traffic(HOUR, challenger=BUSY, champion=BUSY)

    traffic = preview_endpoint(serving.ports, NAME).preview.traffic

    assert traffic.rate == 20.0
    assert traffic.errors == pytest.approx(1440.5 / 72_001)


def test_every_version_that_answered_counts_as_traffic(serving):
    """0.197 a second were reckoned with where 0.544 came: two more versions had the rest."""
    serving.serve("risk-2")
    serving.serve("risk-3")
    now = bucket_start(serving.world.clock.now())
    for version, requests, errors in (("1", 700, 7), ("2", 550, 5), ("3", 708, 1)):
        arm = Arm(requests, errors, requests)
        serving.world.metrics.answered[NAME, version].append((now, arm))
    serving.world.clock.pass_by(HOUR / 2)

    traffic = preview_endpoint(serving.ports, NAME).preview.traffic

    assert traffic.rate == pytest.approx(0.544, abs=0.001)
    assert traffic.errors == pytest.approx((13 + 0.5) / (1958 + 1))


def test_a_version_that_was_taken_back_counts_as_traffic_alone(serving):
    serving.release("risk-2", plan=PLAN)
    serving.tick_until(Phase.OBSERVING)
    serving.traffic(HOUR / 2, challenger=Arm(5, 0, 5), champion=Arm(5, 0, 5))
    before = preview_endpoint(serving.ports, NAME).preview.traffic
    serving.trip()
    serving.tick_until(Phase.ROLLED_BACK)
    serving.serve("risk-3")

    after = preview_endpoint(serving.ports, NAME).preview.traffic

    assert after.rate == before.rate
    assert "of 17,100 and" in after.source  # the champion's alone


CAPTURE_WARNING = "step 1 scores 1 % unseen before a person approves, and the capture keeps 0 %"


@pytest.mark.parametrize("requests", [100, 0])
@pytest.mark.parametrize(("share", "expected"), [(0.0, True), (5.0, False)])
def test_a_plan_that_promises_pairs_warns_where_none_are_kept(serving, share, expected, requests):
    serving.serving(capture=Capture(share))
    serving.traffic(HOUR, champion=Arm(requests, 0, requests))
    serving.release("risk-2", plan=PRESETS["large-model"])

    warnings = warnings_of(serving.ports, NAME)

    assert any(text.startswith(CAPTURE_WARNING) for text in warnings) == expected


def test_a_mirror_step_without_people_promises_no_pairs(serving):
    serving.traffic(HOUR, champion=BUSY)
    plan = Plan((Stage(0.0, mirror=10.0), Stage(50.0)), bakes=False)
    preview = preview_endpoint(serving.ports, NAME, plan=plan).preview
    assert not any("capture" in text for text in preview.warnings)


def test_what_is_given_takes_the_place_of_what_was_seen(serving):
    traffic = Traffic(3.0, 0.01, 0.02, "as given")

    result = preview_endpoint(serving.ports, NAME, traffic=traffic, errors=0.005).preview.traffic

    assert (result.rate, result.errors, result.late) == (3.0, 0.005, 0.02)
    assert result.source == "as given; errors taken as 0.5 %"


@pytest.fixture
def sticky(serving):
    """As serving, in mode guarded with a key; risk-2 has answered a tenth of the keys for an hour.

    Ten requests a second, two new keys a minute.
    """
    plan = Plan((Stage(10.0, max_time=24 * HOUR), Stage(50.0, max_time=24 * HOUR)), bakes=False)
    serving.serving(mode=Mode.GUARDED, key=StickyKey(KeySource.HEADER, "x-user"))
    serving.release("risk-2", plan=plan)
    serving.tick_until(Phase.OBSERVING)
    began = bucket_start(serving.world.clock.now())
    serving.traffic(HOUR, challenger=Arm(10, 0, 10), champion=Arm(10, 0, 10))
    serving.world.metrics.keys[NAME] = [
        Bucket(began + i * MINUTE, Arm(i % 5 == 0, 0), Arm(2, i % 2)) for i in range(1, 60)
    ]
    return serving


def previewed(endpoint, **given):
    preview = preview_endpoint(endpoint.ports, NAME, **given).preview
    return preview.traffic, preview


def test_keys_are_those_that_the_stage_under_way_has_counted(sticky):
    observed, result = previewed(sticky)

    counted = 2 * 58 + 11  # those of the last minute have not been harvested yet
    assert observed.keys == pytest.approx(counted / (59 * 60 - 10) * 3600)
    assert observed.errors == pytest.approx((29 + 0.5) / (2 * 58 + 1))
    assert observed.source.endswith(f"; {counted} keys in 58m50s of the stage under way")
    assert result.steps[0].counted.units == "keys"
    assert not any("not known" in warning for warning in result.warnings)


def test_keys_of_a_later_stage_are_not_all_that_come(sticky):
    """At 50 % after 10 % only nine of ten keys are drawn afresh, and counted."""
    state = sticky.state
    later = replace(state.rollout, stage=1, share=50.0, target=50.0, since=10.0)
    before = previewed(sticky)[0].keys
    sticky.world.store.states[NAME] = replace(state, rollout=later)
    assert previewed(sticky)[0].keys == pytest.approx(before / 0.9)


@pytest.mark.parametrize("keys", ["none", "too few minutes", "promoted"])
def test_without_known_keys_a_key_that_draws_is_a_warning(sticky, keys):
    if keys == "none":
        sticky.world.metrics.keys[NAME] = []
    elif keys == "promoted":
        ended = replace(sticky.rollout, phase=Phase.PROMOTED)
        sticky.world.store.states[NAME] = replace(sticky.state, rollout=ended)
    else:
        young = replace(
            sticky.rollout, stage_since=sticky.world.clock.now() - 5 * MINUTE, borders=()
        )
        sticky.world.store.states[NAME] = replace(sticky.state, rollout=young)

    observed, result = previewed(sticky)

    assert (observed.keys, result.steps[0].counted.units) == (None, "requests")
    assert result.warnings[0].startswith("a key draws, and how many new keys come is not known")


def test_keys_that_are_given_replace_those_counted(sticky):
    observed, result = previewed(sticky, keys=600.0)

    assert (observed.keys, result.steps[0].counted.rate) == (600.0, pytest.approx(1 / 60))
    assert observed.source.endswith("; new keys as given")
    with pytest.raises(InvalidInput, match="keys_an_hour is 1000000"):
        previewed(sticky, keys=1e6)


def test_without_requests_there_is_nothing_to_reckon_with(serving):
    serving.traffic(HOUR, champion=BUSY)
    serving.traffic(HOUR, champion=Arm())

    with pytest.raises(Conflict, match="'fraud' had no requests in the last hour: give a rate"):
        preview_endpoint(serving.ports, NAME)


def test_an_endpoint_must_exist():
    with pytest.raises(NotFound, match="there is no endpoint 'fraud'"):
        preview_endpoint(Endpoint().ports, NAME)


def test_a_preview_changes_nothing(serving):
    serving.traffic(HOUR, champion=BUSY)
    before = (serving.state, serving.alias)

    preview_endpoint(serving.ports, NAME, plan=PLAN)

    assert (serving.state, serving.alias) == before
