"""Figures of an endpoint over time, as charts draw them: by version, by model, and in all. Pure.

| series        | what it holds in each period                                        | unit |
| ------------- | ------------------------------------------------------------------- | ---- |
| qps           | requests answered, divided by the period's seconds                  | 1/s  |
| success       | the share that was answered without an error of the server          | %    |
| client_errors | answers 4xx                                                         | 1    |
| server_errors | answers 5xx                                                         | 1    |
| latency_p50   | median latency of warm requests; likewise p90 and p99               | ms   |
| reward        | mean reward of the feedback that came in                            | 1    |

A value is None where nothing was counted: no request is neither a success nor a failure. Latencies
of several versions together are the means of their percentiles, weighted by their requests: an
approximation, for the percentile of a mixture can't be told from percentiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta

from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import spoken

Values = tuple[float | None, ...]

MOST_POINTS = 1440
"""How many periods a chart may have."""

PERIODS = tuple(timedelta(seconds=s) for s in (10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600))

_KEPT = (
    (timedelta(hours=3), timedelta(seconds=10)),
    (timedelta(days=15), timedelta(minutes=1)),
    (timedelta(days=63), timedelta(minutes=5)),
    (timedelta(days=455), timedelta(hours=1)),
)
"""For how long CloudWatch keeps which periods."""


@dataclass(frozen=True)
class Window:
    """The periods of a chart: ``count`` of them, each ``period`` long, from ``start`` (UTC) on."""

    start: datetime
    period: timedelta
    count: int

    @property
    def end(self) -> datetime:
        """The end of the last period."""
        return self.start + self.count * self.period


@dataclass(frozen=True)
class Counted:
    """What was counted of one version in the periods of a window, each None where nothing was.

    ``judged`` and ``reward`` are the number and the sum of rewards.
    """

    requests: Values
    server_errors: Values
    client_errors: Values
    latency_p50: Values
    latency_p90: Values
    latency_p99: Values
    judged: Values
    reward: Values


@dataclass(frozen=True)
class Chart:
    """The series of the module's table, each with one value for each period."""

    qps: Values = field(default=())
    success: Values = field(default=())
    client_errors: Values = field(default=())
    server_errors: Values = field(default=())
    latency_p50: Values = field(default=())
    latency_p90: Values = field(default=())
    latency_p99: Values = field(default=())
    reward: Values = field(default=())


def window(since: datetime, until: datetime, now: datetime, period: timedelta | None) -> Window:
    """The periods that cover ``since`` to ``until``, which are whole ones of the clock.

    Without ``period`` the finest that is kept for so long, and gives no more than 500 points.

    Raises:
        InvalidInput: naming what does not fit.
    """
    if since >= until:
        raise InvalidInput("since", since.isoformat(), f"before until, {until.isoformat()}")
    if until > now + timedelta(days=1):
        raise InvalidInput("until", until.isoformat(), "a moment that is not in the future")
    age = now - since
    finest = next((finest for retention, finest in _KEPT if age <= retention), None)
    if finest is None:
        raise InvalidInput("since", since.isoformat(), "within the last 455 days")
    if period is None:
        span = until - since
        fits = (p for p in PERIODS if p >= finest and span / p <= 500)
        period = next(fits, PERIODS[-1])
    elif period not in PERIODS:
        periods = ", ".join(spoken(p) for p in PERIODS)
        raise InvalidInput("period", spoken(period), f"one of {periods}")
    elif period < finest:
        raise InvalidInput(
            "period", spoken(period), f"at least {spoken(finest)}, which is kept for so long"
        )
    start = _floor(since, period)
    count = -(-(until - start) // period)
    if count > MOST_POINTS:
        raise InvalidInput("period", spoken(period), f"one that gives at most {MOST_POINTS} points")
    return Window(start, period, count)


def charted(counted: Sequence[Counted], window: Window) -> Chart:
    """One chart of several versions together."""
    seconds = window.period.total_seconds()
    requests = _summed([c.requests for c in counted], window.count)
    errors = _summed([c.server_errors for c in counted], window.count)
    judged = _summed([c.judged for c in counted], window.count)
    rewards = _summed([c.reward for c in counted], window.count)
    latencies = {
        name: _weighted([(getattr(c, name), c.requests) for c in counted], window.count)
        for name in ("latency_p50", "latency_p90", "latency_p99")
    }
    return Chart(
        qps=tuple(None if n is None else n / seconds for n in requests),
        success=tuple(
            100.0 * (1 - (wrong or 0.0) / n) if n else None
            for n, wrong in zip(requests, errors, strict=True)
        ),
        client_errors=_summed([c.client_errors for c in counted], window.count),
        server_errors=errors,
        reward=tuple(
            total / n if n and total is not None else None
            for n, total in zip(judged, rewards, strict=True)
        ),
        **latencies,
    )


def series_of(chart: Chart) -> Mapping[str, Values]:
    """The series by name, in the order of the table."""
    return {each.name: getattr(chart, each.name) for each in fields(Chart)}


def _summed(series: Sequence[Values], count: int) -> Values:
    sums: list[float | None] = []
    for i in range(count):
        present = [value for values in series if (value := values[i]) is not None]
        sums.append(sum(present) if present else None)
    return tuple(sums)


def _weighted(series: Sequence[tuple[Values, Values]], count: int) -> Values:
    means: list[float | None] = []
    for i in range(count):
        weighted = [(value, w[i] or 0.0) for v, w in series if (value := v[i]) is not None]
        total = sum(weight for _, weight in weighted)
        if total:
            means.append(sum(value * weight for value, weight in weighted) / total)
        else:
            means.append(sum(value for value, _ in weighted) / len(weighted) if weighted else None)
    return tuple(means)


def _floor(moment: datetime, period: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // period * period
