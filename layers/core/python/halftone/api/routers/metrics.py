"""Figures over time, for charts: in all, by model and by version."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query, Response

from halftone.api.authorizer import RequestContext, reads
from halftone.api.requests import EndpointName, VersionName
from halftone.api.responses import Shape, answer, router, shown
from halftone.domain.errors import InvalidInput
from halftone.domain.insight.charts import Chart, series_of
from halftone.service.deployments.deployments import resolve_version
from halftone.service.insight.charts import figures

routes = router("metrics")

_FIRST_YEAR, _LAST_YEAR = 2000, 9998

Moment = Annotated[
    datetime | None, Query(description="With its offset from UTC, such as 2026-01-31T12:00:00Z.")
]


class Series(Shape):
    """Each a list with one value for each period, null where nothing was counted.

    `qps` a second, `success` in percent, `latency_*` in ms, `client_errors` (4xx) and
    `server_errors` (5xx) as counts, `reward` as mean.
    """

    qps: Sequence[float | None]
    success: Sequence[float | None]
    client_errors: Sequence[float | None]
    server_errors: Sequence[float | None]
    latency_p50: Sequence[float | None]
    latency_p90: Sequence[float | None]
    latency_p99: Sequence[float | None]
    reward: Sequence[float | None]


class Figures(Shape):
    """Figures of an endpoint in periods of `period_seconds`, the first of which begins at `start`.

    Of several versions together, latencies are means of their percentiles by requests.
    """

    start: datetime
    period_seconds: float
    count: int
    endpoint: Series
    models: Mapping[str, Series]
    versions: Mapping[str, Series]


@routes.get("/endpoints/{endpoint}/metrics", responses=shown(Figures))
async def read_metrics(
    *,
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    since: Moment = None,
    until: Moment = None,
    period: Annotated[
        int | None, Query(ge=10, le=86_400, description="Seconds of one value; fitting by itself.")
    ] = None,
    version: VersionName = None,
    model: Annotated[str | None, Query(max_length=32, pattern=r"^[a-z][a-z0-9-]*$")] = None,
) -> Response:
    """Read an endpoint's figures: the last hour's, unless told otherwise."""
    charts = figures(
        call.ports,
        endpoint,
        since=_aware("since", since),
        until=_aware("until", until),
        period=None if period is None else timedelta(seconds=period),
        version=resolve_version(call.ports, endpoint, version),
        model=model,
    )
    body = Figures(
        start=charts.window.start,
        period_seconds=charts.window.period.total_seconds(),
        count=charts.window.count,
        endpoint=_series(charts.endpoint),
        models={name: _series(chart) for name, chart in charts.models.items()},
        versions={number: _series(chart) for number, chart in charts.versions.items()},
    )
    return answer(body)


def _aware(name: str, moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidInput(name, moment.isoformat(), "a time with its offset, such as ...T12:00Z")
    # Ends of the calendar leave it by an offset or an hour. No figures are as old or as new.
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        expected = f"a time in the years {_FIRST_YEAR} to {_LAST_YEAR}"
        raise InvalidInput(name, moment.isoformat(), expected)
    return moment


def _series(chart: Chart) -> Series:
    return Series(**series_of(chart))
