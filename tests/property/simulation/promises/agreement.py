"""Promises 8 and 16, and again 1, 5 and 11, when everybody has gone home and ticks have come.

8. After a crash at any point, the next tick or event brings record and alias into agreement.
16. What status, traffic and history say is what aliases and routes do, or the difference is shown.
"""

from typing import TYPE_CHECKING

from halftone.domain.audit import verify
from halftone.domain.endpoint.route_table import route_config_of
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED, Routing
from halftone.service.deployments.deployments import listed
from tests.property.simulation.promises import breaks
from tests.property.simulation.promises.traffic import is_tagged, versions
from tests.property.simulation.reach import answered_by, most
from tests.property.simulation.world import Snapshot
from tests.support.engine import NAME

if TYPE_CHECKING:
    from tests.property.simulation.stage import Stage

_NOISE = 15.0


def check_end(stage: "Stage", world: int) -> int:
    """Let two ticks come, ten seconds apart, and judge the world after them; answers its number."""
    if stage.snapshots[world].ledger.stack is None:
        return world  # its schedule is gone with the stack
    if stage.snapshots[world].ledger.restored:
        return stage.undisturbed(world, stage.next_tick)[0]
    for _ in range(2):
        world, answered = stage.undisturbed(world, stage.next_tick)
        assert isinstance(answered, tuple)
        result = answered[0]
        if isinstance(result, Exception):
            breaks(8, "tick fails", f"the next tick fails: {result!r}")
            return world
    now = stage.snapshots[world]
    if now.state is None or (now.state.champion is None and now.state.rollout is None):
        return world  # retired, or never released
    verify(NAME, now.records, now.state.audit)
    if len(now.records) != now.state.revision:
        breaks(4, "record", f"{now.state.revision} writes, {len(now.records)} records")
    if now.dispatch != route_config_of(now.state):
        breaks(8, "dispatch", "servers are told something else than what is on record")
    _check_aliases(now, now.state)
    for version in versions(now) & now.ledger.barred:
        share = most(now, version)
        if share:
            breaks(11, "still answers", f"version {version} was taken back, and gets {share:g} %")
    _check_tags(now, now.state)
    _check_shown(stage, world, now)
    return world


def _check_aliases(now: Snapshot, state: EndpointState) -> None:
    running, live, challenger = state.active, now.alias, now.challenger_alias
    if running is None:
        home = Routing(state.champion.version) if state.champion else UNRELEASED
        called = state.serving.probation.version if state.serving.probation else home.main
        if live != home or challenger.main not in (home.main, called):
            told = f"nothing rolls out, {home} should answer, not {live} or {challenger}"
            breaks(8, "aliases", told)
    elif running.phase is Phase.ROLLING_BACK:
        breaks(8, "stuck", "the rollback was not finished")
    elif running.champion is not None:
        if live != running.routing(running.share):
            breaks(8, "aliases", f"the record says {running.share:g} %, the alias {live}")
        armed = now.guard.armed_for if now.guard else None
        if running.stage >= 0 and armed != running.challenger:
            breaks(1, "unwatched", f"{running.share:g} % without an armed alarm after a whole tick")
    probation = state.serving.probation
    if probation and (now.guard is None or now.guard.armed_for != probation.version):
        breaks(1, "unwatched", f"version {probation.version} is on probation, and not watched")


def _check_tags(now: Snapshot, state: EndpointState) -> None:
    """A version that is tagged FAILED in the registry takes no traffic, but as the champion."""
    champion = state.champion.version if state.champion else ""
    for version in versions(now) - {champion}:
        share = most(now, version)
        if share and is_tagged(now, version):
            breaks(11, "tagged", f"version {version} is tagged FAILED, and gets {share:g} %")


def _check_shown(stage: "Stage", world: int, now: Snapshot) -> None:
    stage.world.put_back(now)
    newest = [front for front in now.ledger.fronts if front.until is None]
    champion = now.state and now.state.champion
    if not newest or now.dispatch is None or now.dispatch.serving.stopped or not champion:
        return
    actual = answered_by(now, newest[0])
    shown = {s.deployment.version: s.share for s in listed(stage.world.ports, NAME)}
    for version in {*shown, *actual}:
        share, said = actual.get(version, 0.0), shown.get(version, 0.0)
        if abs(share - said) > _NOISE or bool(share) != bool(said):
            told = f"version {version} is shown with {said:g} %, and answers {share:g} %"
            breaks(16, "shares", told)
    if abs(sum(shown.values()) - 100.0) > 0.1:
        breaks(16, "shares", f"the shares that are shown sum to {sum(shown.values()):g}")
