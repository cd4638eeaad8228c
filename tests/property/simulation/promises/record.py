"""Promises 4 and 5: every change of state with its one audit record, in a chain that verifies."""

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import TRANSITIONS
from tests.property.simulation.promises import breaks
from tests.property.simulation.world import Snapshot


def check_step(before: Snapshot, now: Snapshot) -> None:
    """Judge what a call wrote into each endpoint's record."""
    for name in now.states:
        was, state = before.states.get(name), now.states[name]
        records, older = now.audit.get(name, ()), before.audit.get(name, ())
        if was is state and len(records) == len(older):
            continue
        old = was or EndpointState(name)
        if len(records) != len(older) + 1 or state == old:
            breaks(4, "record", f"{len(records) - len(older)} records for one change of {name!r}")
            continue
        record = records[-1]
        if (state.revision, state.audit) != (old.revision + 1, record.head):
            breaks(4, "record", f"revision {state.revision} names record {state.audit.seq}")
        if (record.seq, record.previous) != (old.audit.seq + 1, old.audit.hash):
            breaks(5, "chain", f"record {record.seq} does not follow {old.audit.seq}")
        _check_transition(old, state)


def _check_transition(old: EndpointState, new: EndpointState) -> None:
    was, now = old.rollout, new.rollout
    if was is None or was.phase.final or now == was:
        return
    if now is None or now.id != was.id:
        breaks(2, "rollout lost", f"rollout {was.id} is gone from the record while {was.phase}")
    elif now.phase is not was.phase and now.phase not in TRANSITIONS[was.phase]:
        breaks(2, "transition", f"rollout {was.id} became {now.phase} from {was.phase}")
