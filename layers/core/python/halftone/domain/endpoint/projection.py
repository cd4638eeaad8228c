"""The projection: everything that AWS must say of an endpoint, from its state alone. Pure.

| part         | tells                                                                       |
| ------------ | --------------------------------------------------------------------------- |
| `live`       | the alias that clients reach                                                 |
| `challenger` | the alias by which fronts reach a challenger, or a deployment on probation   |
| `watch`      | the version that the alarms watch, and through which alias                   |
| `routes`     | what fronts act on                                                           |
| `ways`       | the versions that may answer an unpinned request, and by which ways          |

Operations change the state and nothing else. ``service.rollouts.reconcile`` brings AWS to the
projection.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from halftone.domain.endpoint.route_table import RouteConfig, route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout, is_return
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.domain.traffic.policy import Mode

SPLIT, RULE, TRIAL = "split", "rule", "trial"
"""Ways by which a front passes unpinned requests on; the others are the aliases."""


@dataclass(frozen=True)
class Watch:
    """The alarms watch ``version`` as it is called by ``alias``."""

    version: str
    alias: str


@dataclass(frozen=True)
class Projection:
    """What AWS must say. The module's table tells what of.

    ``watch`` is None where nothing depends on what the alarms watch. While a rollout moves from one
    share to the next, ``live`` is where it moves to.
    """

    live: Routing
    challenger: Routing
    watch: Watch | None
    routes: RouteConfig
    ways: Mapping[str, tuple[str, ...]]


def projection(state: EndpointState) -> Projection:
    """What AWS must say where ``state`` is on record."""
    live, challenger = _aliases(state)
    routes = route_config_of(state)
    return Projection(live, challenger, _watch(state), routes, _ways(live, routes))


def shares(state: EndpointState, live: Routing | None = None) -> Mapping[str, float]:
    """The percentage of unpinned requests that each version answers, where no rule matches.

    ``live`` is the alias as it was read (None: as it must be). Fronts take the split first, and the
    rollout's share of what is left. Nobody answers where the endpoint is stopped.
    """
    desired = projection(state)
    if state.serving.stopped:
        return {}
    alias = desired.live if live is None else live
    reached = {version: alias.share_of(version) for version in (alias.main, alias.other) if version}
    reached.pop(UNRELEASED.main, None)
    champion = desired.routes.champion
    if champion not in reached or reached[champion] < 100.0:
        return reached  # the alias splits, or does not lead to the front: no front passes on
    rest, by_version = 100.0, {}
    for portion in desired.routes.serving.split:
        by_version[portion.version] = portion.share
        rest -= portion.share
    trial = desired.routes.trial
    if trial and trial.mode is Mode.GUARDED and trial.share > 0:
        passed_on = rest * trial.share / 100.0
        by_version[trial.version] = by_version.get(trial.version, 0.0) + passed_on
        rest -= passed_on
    return {champion: rest, **by_version}


def _aliases(state: EndpointState) -> tuple[Routing, Routing]:
    running, champion = state.active, state.champion
    if running is not None:
        return _rolling(running)
    if champion is None:
        return UNRELEASED, UNRELEASED
    home, probation = Routing(champion.version), state.serving.probation
    return home, Routing(probation.version) if probation and probation.armed else home


def _rolling(running: Rollout) -> tuple[Routing, Routing]:
    if running.phase in (Phase.PREPARING, Phase.ROLLING_BACK):
        return running.home, running.home
    if running.phase is Phase.SHIFTING:
        return running.routing(running.target), running.called
    return running.routing(running.share), running.called if running.stage >= 0 else running.home


def _watch(state: EndpointState) -> Watch | None:
    running, probation = state.active, state.serving.probation
    if running is not None:
        if running.challenger is None or running.phase is Phase.ROLLING_BACK:
            return None
        arriving = running.phase in (Phase.PREPARING, Phase.SHIFTING)
        stage = running.following if arriving else max(running.stage, 0)
        return Watch(running.challenger, running.called_through(stage))
    if probation is not None:
        return Watch(probation.version, CHALLENGER)
    if state.champion and state.rollout and is_return(state.rollout):
        return Watch(state.champion.version, ALIAS)
    return None


def _ways(live: Routing, routes: RouteConfig) -> Mapping[str, tuple[str, ...]]:
    ways: dict[str, list[str]] = {}

    def add(version: str | None, way: str) -> None:
        if version is not None and version != UNRELEASED.main:
            ways.setdefault(version, []).append(way)

    add(live.main, ALIAS)
    add(live.other, ALIAS)
    for portion in routes.serving.split:
        add(portion.version, SPLIT)
    for version in dict.fromkeys(rule.version for rule in routes.serving.rules):
        add(version, RULE)
    trial = routes.trial
    if trial and trial.mode is Mode.GUARDED and trial.share > 0:
        add(trial.version, TRIAL)
    return {version: tuple(named) for version, named in ways.items()}
