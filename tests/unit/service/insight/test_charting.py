"""Charts: whole periods, values in them, and nothing where nothing was counted."""

from datetime import UTC, datetime, timedelta

import pytest

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.insight.charts import Counted, Window, charted, window
from halftone.domain.rollout.phase import Phase
from halftone.service.insight.charts import figures
from tests.support.engine import NAME, Endpoint

NOW = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TWO = Window(NOW, timedelta(seconds=10), 2)


def counted(**given):
    nothing = dict.fromkeys(Counted.__dataclass_fields__, (None, None))
    return Counted(**{**nothing, **given})


def test_a_chart_covers_what_was_asked_in_whole_periods():
    result = window(NOW - 90 * timedelta(seconds=1), NOW, NOW, MINUTE)
    assert result.start == NOW.replace(minute=59, second=0, hour=11)
    assert result.count == 2
    assert result.start <= NOW - timedelta(seconds=90)
    assert result.end >= NOW


@pytest.mark.parametrize(
    ("ago", "span", "period"),
    [
        (HOUR, HOUR, timedelta(seconds=10)),
        (3 * HOUR, 3 * HOUR, timedelta(seconds=30)),
        (4 * HOUR, HOUR, MINUTE),
        (24 * HOUR, 24 * HOUR, 5 * MINUTE),
        (20 * 24 * HOUR, HOUR, 5 * MINUTE),
        (100 * 24 * HOUR, HOUR, HOUR),
        (400 * 24 * HOUR, 400 * 24 * HOUR, 24 * HOUR),
    ],
)
def test_the_period_is_the_finest_that_is_kept_and_drawn(ago, span, period):
    assert window(NOW - ago, NOW - ago + span, NOW, None).period == period


@pytest.mark.parametrize(
    ("since", "until", "period", "field"),
    [
        (NOW, NOW, None, "since"),
        (NOW - HOUR, NOW + 48 * HOUR, None, "until"),
        (NOW - 500 * 24 * HOUR, NOW, None, "since"),
        (NOW - HOUR, NOW, timedelta(seconds=7), "period"),
        (NOW - 4 * HOUR, NOW, timedelta(seconds=10), "period"),
        (NOW - 48 * HOUR, NOW, MINUTE, "period"),
    ],
)
def test_what_can_t_be_drawn_is_refused_by_its_field(since, until, period, field):
    with pytest.raises(InvalidInput) as caught:
        window(since, until, NOW, period)
    assert caught.value.field == field


def test_rates_are_of_what_was_counted():
    chart = charted(
        [counted(requests=(20.0, None), server_errors=(5.0, None), client_errors=(2.0, None))], TWO
    )
    assert chart.qps == (2.0, None)
    assert chart.success == (75.0, None)
    assert chart.server_errors == (5.0, None)
    assert chart.client_errors == (2.0, None)


def test_versions_together_are_summed_with_weighted_latencies():
    chart = charted(
        [
            counted(requests=(30.0, 10.0), latency_p50=(10.0, 20.0), judged=(1.0, None),
                    reward=(1.0, None)),
            counted(requests=(10.0, None), latency_p50=(50.0, None), judged=(3.0, None),
                    reward=(0.0, None)),
        ],
        TWO,
    )  # fmt: skip
    assert chart.qps == (4.0, 1.0)
    assert chart.latency_p50 == (20.0, 20.0)
    assert chart.reward == (0.25, None)


def test_of_cold_requests_alone_there_is_a_rate_and_no_latency():
    chart = charted([counted(requests=(4.0, None), server_errors=(0.0, None))], TWO)
    assert (chart.success, chart.latency_p99) == ((100.0, None), (None, None))


@pytest.fixture
def endpoint():
    """An endpoint that was served by m1, and is by m2; both were asked a minute ago."""
    endpoint = Endpoint()
    endpoint.serve("m1")
    endpoint.release("m2", plan=endpoint.request("m2").plan)
    endpoint.tick_until(Phase.OBSERVING)
    clock, charts = endpoint.world.clock, endpoint.world.charts
    for version, wrong in (("1", 0), ("1", 0), ("2", 1)):
        charts.count(NAME, version, clock.now(), Requests=1, Errors=wrong, Latency=10.0)
    clock.pass_by(MINUTE)
    return endpoint


def in_all(values):
    return sum(value for value in values if value is not None)


def test_figures_are_told_in_all_by_model_and_by_version(endpoint):
    result = figures(endpoint.ports, NAME)
    assert result.window.period == timedelta(seconds=10)
    assert in_all(result.endpoint.qps) == pytest.approx(0.3)
    assert {name: in_all(c.qps) for name, c in result.models.items()} == {
        "m1": pytest.approx(0.2), "m2": pytest.approx(0.1),
    }  # fmt: skip
    assert in_all(result.versions["2"].server_errors) == 1


def test_figures_are_narrowed_to_a_version_or_a_model(endpoint):
    assert list(figures(endpoint.ports, NAME, version="2").versions) == ["2"]
    assert list(figures(endpoint.ports, NAME, model="m1").versions) == ["1"]
    with pytest.raises(NotFound, match="'9'"):
        figures(endpoint.ports, NAME, version="9")
    with pytest.raises(NotFound, match="no model 'm9'"):
        figures(endpoint.ports, NAME, model="m9")
    with pytest.raises(NotFound, match="'spam'"):
        figures(endpoint.ports, "spam")
