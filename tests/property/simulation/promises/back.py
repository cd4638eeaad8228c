"""Promises 7 and 12: going back, once, by who saw what there is to go back from.

7. Replaying any event, tick or request to the control API changes nothing.
12. Whoever says "back" says what they saw; said by several at once, it goes back once.
"""

from typing import TYPE_CHECKING

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import Phase
from halftone.service.releases.revert import Seen
from tests.property.engine.simulation import Process, Standing
from tests.property.simulation.actors.actor import Player
from tests.property.simulation.promises import breaks
from tests.property.simulation.world import Snapshot

if TYPE_CHECKING:
    from tests.property.simulation.stage import Stage

ALARMS = ("alarm", "late alarm", "composite")
"""The kinds of actors that speak for an alarm."""


def check_step(before: Snapshot, standing: Standing, now: Snapshot) -> None:
    """Judge a call by which somebody goes back."""
    call, process = standing.call, standing.process
    assert call is not None
    if call.name == "aliases.write" and isinstance(process, Player) and process.kind in ALARMS:
        _check_alias_first(before, now)
    if call.name != "store.commit":
        return
    taken = taken_back(before.state, now.state)
    if not taken:
        return
    if isinstance(process, Player) and process.kind in ALARMS:
        innocent = taken - before.ledger.failed
        if innocent:
            told = f"an alarm ends version {', '.join(sorted(innocent))}, which never failed"
            breaks(12, "foreign event", told)
    seen = standing.luggage
    if isinstance(seen, Seen):
        challenger = _challenger_of(before.state, seen.rollout)
        if not taken <= {seen.champion, challenger}:
            told = f"who saw {seen.told} takes back version {', '.join(sorted(taken))}"
            breaks(12, "more than was seen", told)


def taken_back(was: EndpointState | None, now: EndpointState | None) -> set[str]:
    """The versions from which a change of the record takes traffic."""
    if was is None or now is None:
        return set()
    taken: set[str] = set()
    old, new = was.rollout, now.rollout
    if new and new.phase is Phase.ROLLING_BACK and new.challenger:
        fenced = old is None or old.id != new.id or old.phase is not Phase.ROLLING_BACK
        taken |= {new.challenger} if fenced else set()
    if was.serving.probation and not now.serving.probation:
        taken |= {was.serving.probation.version}
    return taken


def _check_alias_first(before: Snapshot, now: Snapshot) -> None:
    for version in (before.alias.other, before.challenger_alias.main):
        lost = version and before.alias.share_of(version) > now.alias.share_of(version)
        if version and before.challenger_alias.main == version != now.challenger_alias.main:
            lost = True
        running = before.state.active if before.state else None
        fenced = running is None or running.phase is Phase.ROLLING_BACK
        if lost and not fenced and version not in before.ledger.failed:
            told = f"an alarm takes traffic from version {version}, which never failed"
            breaks(12, "foreign event", told)


def _challenger_of(state: EndpointState | None, rollout: str | None) -> str | None:
    newest = state.rollout if state else None
    return newest.challenger if newest and newest.id == rollout else None


def check_repeated(stage: "Stage", world: int, repeated: tuple[Process, ...]) -> None:
    """Deliver each of ``repeated`` once more: well, and with each of its calls unanswered."""
    for process in repeated:
        _, answered = stage.undisturbed(world, process)
        assert isinstance(answered, tuple)
        for fault in range(-1, answered[1]):
            after, _ = stage.undisturbed(world, process, fault)
            if not same(stage.snapshots[world], stage.snapshots[after]):
                how = "well" if fault < 0 else f"with its call {fault + 1} unanswered"
                breaks(7, "repeated", f"{process.name}, delivered {how}, changes something")


def same(before: Snapshot, after: Snapshot) -> bool:
    """Whether record, aliases and workflows say the same."""
    return _said(before) == _said(after)


def _said(now: Snapshot) -> tuple[object, ...]:
    return now.states, now.alias, now.challenger_alias, now.started
