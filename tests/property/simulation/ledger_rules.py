"""How the ledger is written: from each call that was answered, and from what the record says after.

Nothing here asks the engine what a call meant.
"""

from typing import TYPE_CHECKING, Any

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.names import ALIAS
from halftone.domain.rollout.evidence import bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import TrafficPolicy
from tests.property.engine.simulation import Answer, Standing
from tests.property.simulation.actors.actor import CONTROL, RELEASE, ROLLBACK, Player
from tests.property.simulation.ledger import Stretch
from tests.support.engine import NAME, RIGHT

if TYPE_CHECKING:
    from tests.property.simulation.world import Snapshot, World

_EXPOSED = {Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.BAKING}


ADOPTED = "adopted"
"""The audit's word for what a person says after a table was restored."""


def note(world: "World", before: "Snapshot", standing: Standing, answer: Answer) -> None:
    """Bring the ledger up to date after a call that took effect."""
    call = standing.call
    assert call is not None
    known = world.ledger
    changes: dict[str, Any] = {}
    if call.name == "versions.invoke" and answer.value == RIGHT:
        changes["answered"] = known.answered | {call.args[1]}
    if call.name == "aliases.write" and call.kwargs.get("alias", ALIAS) == ALIAS:
        changes["by_hand"] = False
    if call.name == "store.commit":
        after = world.real.store.states.get(NAME)
        changes |= _committed(world, before.state, after)
        process = standing.process
        assert isinstance(process, Player)
        if process.role == CONTROL:
            # Only that word says which of both holds.
            changes["restored"] = known.restored and call.args[0].record.action != ADOPTED
        if process.role == RELEASE and not (known.deploy and known.deploy.returning):
            changes["superseded"] = known.superseded | _fenced(before.state, after)
        if known.deploy and after:
            values = _set(before.state, after)
            if process.name == known.deploy.name and not known.deploy.returning:
                changes["deploy"] = known.deploy.setting(values)
            elif process.name != known.deploy.name:
                changes["deploy"] = known.deploy.losing(values)
        if after and process.role == ROLLBACK:
            changes["barred"] = changes.get("barred", known.barred) | _withdrawn(
                before.state, after
            )
    if changes:
        world.note(**changes)
    if call.port == "store":
        dispatch = world.real.store.dispatches.get(NAME)
        world.ledger = world.ledger.written(dispatch, world.real.clock.moment)


def _committed(
    world: "World", was: EndpointState | None, now: EndpointState | None
) -> dict[str, Any]:
    known = world.ledger
    if now is None:
        return {}
    if now.champion is None and now.rollout is None:
        # Retired: versions count from 1 again.
        return {"barred": frozenset(), "answered": frozenset(), "failed": frozenset()}
    barred = known.barred
    rollout = now.rollout
    if rollout and rollout.challenger and rollout.challenger != _champion(now):
        ended = rollout.phase is Phase.ROLLED_BACK
        ended = ended and rollout.id not in known.superseded
        if ended and (was is None or was.rollout is None or was.rollout.phase is not rollout.phase):
            barred |= {rollout.challenger}
    if was and was.champion and _champion(now) != was.champion.version:
        promoted = rollout and rollout.phase is Phase.PROMOTED
        if not promoted and not (rollout and rollout.phase is Phase.ROLLING_BACK):
            barred |= {was.champion.version}
    running = now.active
    if running and running.phase in _EXPOSED and running.challenger:
        barred -= {running.challenger}
    changes: dict[str, Any] = {"barred": barred}
    if running and running.stage_since and running.challenger:
        last = known.stretches[-1].cohorts if known.stretches else None
        if running.cohorts != last:
            since = bucket_start(running.stage_since)
            changes["stretches"] = (*known.stretches, Stretch(since, running.cohorts))
    return changes


def _set(was: EndpointState | None, now: EndpointState) -> dict[str, str]:
    """The fields of how the endpoint serves that differ, with their values before."""
    old = was.serving if was else TrafficPolicy()
    return {
        name: repr(getattr(old, name))
        for name in TrafficPolicy.__dataclass_fields__
        if getattr(old, name) != getattr(now.serving, name)
    }


def _fenced(was: EndpointState | None, now: EndpointState | None) -> set[str]:
    """The rollout that begins to go back."""
    old, new = was and was.rollout, now and now.rollout
    going = new and new.phase is Phase.ROLLING_BACK and new.challenger
    fresh = old is None or new is None or (old.id, old.phase) != (new.id, new.phase)
    return {new.id} if new and going and fresh else set()


def _withdrawn(was: EndpointState | None, now: EndpointState) -> set[str]:
    """What an alarm took the share or the rules of."""
    if was is None:
        return set()
    return _receivers(was) - _receivers(now) - {_champion(now)}


def _receivers(state: EndpointState) -> set[str]:
    split = {portion.version for portion in state.serving.split}
    return split | {rule.version for rule in state.serving.rules}


def _champion(state: EndpointState) -> str:
    return state.champion.version if state.champion else ""
