"""``halftone metrics``: an endpoint's figures by version."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from halftone.domain.quantities import duration, spoken
from halftone_cli.commands.changing import existing
from halftone_cli.commands.options import ONE_VERSION, EndpointArgument
from halftone_cli.console import say_json, show, table
from halftone_cli.control.api import Json
from halftone_cli.stage.session import Session

Values = Sequence[float | None]


def metrics(
    session: Session,
    endpoint: EndpointArgument,
    *,
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="How far back, such as 15m or 1d.")
    ] = "1h",
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help=ONE_VERSION, show_default=False)
    ] = None,
) -> None:
    """Show an endpoint's figures, in all, by model and by version.

    Requests a second, the part that succeeded, 4xx and 5xx, latencies in ms (means of their
    percentiles by requests), and the mean reward. With --json every value of every period.

    \b
    Examples:
      halftone metrics fraud --since 1d --json
      halftone metrics fraud --version challenger
    """
    span = duration("--since", since)
    begin = session.stage.ports.clock.now() - span
    path = f"/endpoints/{existing(endpoint)}/metrics"
    found = session.control.get(path, since=begin.isoformat(), version=version)
    if session.as_json:
        say_json(found)
        return
    made = table("of", "requests/s", "success", "4xx", "5xx", "p50", "p90", "p99", "reward")
    rows: Mapping[str, Json] = {
        endpoint: found["endpoint"],
        **{f"model {name}": series for name, series in found["models"].items()},
        **{f"version {number}": series for number, series in found["versions"].items()},
    }
    for name, series in rows.items():
        made.add_row(name, *_row(series))
    period = spoken(timedelta(seconds=found["period_seconds"]))
    show(f"the last {spoken(span)}, in {found['count']} periods of {period}", made)


def _row(series: Mapping[str, Values]) -> list[str]:
    qps = series["qps"]
    rate = sum(value or 0.0 for value in qps) / len(qps) if qps else 0.0

    def mean(name: str) -> float | None:
        pairs = [(v, w) for v, w in zip(series[name], qps, strict=True) if v is not None and w]
        weight = sum(w for _, w in pairs)
        return sum(v * w for v, w in pairs) / weight if weight else None

    def total(name: str) -> float | None:
        return sum(value or 0.0 for value in series[name])

    return [
        f"{rate:.3g}",
        _told(mean("success"), lambda value: f"{value:.4g} %"),
        _told(total("client_errors")),
        _told(total("server_errors")),
        *(_told(mean(f"latency_p{p}"), lambda value: f"{value:.3g}") for p in (50, 90, 99)),
        _told(mean("reward")),
    ]


def _told(value: float | None, form: Callable[[float], str] = lambda value: f"{value:g}") -> str:
    return "-" if value is None else form(value)
