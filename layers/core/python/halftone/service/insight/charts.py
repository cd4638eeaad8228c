"""An endpoint's figures over time: in all, by model and by version."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.errors import NotFound
from halftone.domain.insight.charts import Chart, Window, charted, window
from halftone.ports import InsightPorts

MOST_VERSIONS = 20
"""How many versions one chart tells apart: the newest, and those that take requests."""


@dataclass(frozen=True)
class Figures:
    """Charts over one window. ``versions`` are Lambda versions, ``models`` names of packages."""

    window: Window
    endpoint: Chart
    versions: Mapping[str, Chart]
    models: Mapping[str, Chart]


def figures(
    ports: InsightPorts,
    endpoint: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    period: timedelta | None = None,
    version: str | None = None,
    model: str | None = None,
) -> Figures:
    """What was counted from ``since`` (None: an hour before) to ``until`` (None: now).

    ``version`` and ``model`` narrow it down to one.

    Raises:
        NotFound: if there is no such endpoint, version or model.
        InvalidInput: if the times or the period do not fit.
    """
    now = ports.clock.now()
    until = until or now
    requested = window(since or until - timedelta(hours=1), until, now, period)
    versions = _meant(ports, endpoint, version, model)
    numbers = [deployment.version for deployment in versions]
    counted = dict(zip(numbers, ports.charts.counted(endpoint, numbers, requested), strict=True))
    by_model = defaultdict(list)
    for deployment in versions:
        by_model[deployment.package.name].append(counted[deployment.version])
    return Figures(
        window=requested,
        endpoint=charted(tuple(counted.values()), requested),
        versions={number: charted([each], requested) for number, each in counted.items()},
        models={name: charted(each, requested) for name, each in sorted(by_model.items())},
    )


def _meant(
    ports: InsightPorts, endpoint: str, version: str | None, model: str | None
) -> list[Deployment]:
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint)
    deployments = ports.store.deployments(endpoint)
    serving = {placed.version for placed in state.placed}
    if state.champion:
        serving.add(state.champion.version)
    if version is not None:
        deployments = [deployment for deployment in deployments if deployment.version == version]
        if not deployments:
            raise NotFound("version", version, f"{endpoint!r} has no such deployment")
    if model is not None:
        deployments = [deployment for deployment in deployments if deployment.package.name == model]
        if not deployments:
            raise NotFound("model", model, f"{endpoint!r} has no deployment of it")
    # The sort is stable: those that serve first, then the newest.
    ranked = sorted(deployments, key=lambda d: (d.version not in serving, -int(d.version)))
    return sorted(ranked[:MOST_VERSIONS], key=lambda d: int(d.version))
