"""Retiring an endpoint: its stack is going away, and its versions with it."""

from dataclasses import replace

from halftone.domain.endpoint import EndpointState
from halftone.service.ports import Parts
from halftone.service.record import change
from halftone.service.rollback import roll_back


def retire(parts: Parts, endpoint: str, *, actor: str, reason: str) -> EndpointState | None:
    """Record that nothing serves any more, so that the endpoint may be made anew from version 1.

    History and audit stay. Answers None if there was nothing to retire.
    """
    roll_back(parts, endpoint, actor=actor, reason=reason)
    state = parts.store.load(endpoint)
    if state is None or (state.champion is None and state.rollout is None):
        return None
    return change(
        parts,
        state,
        replace(state, champion=None, rollout=None),
        action="retired",
        actor=actor,
        reason=reason,
    )
