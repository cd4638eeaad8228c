"""Retiring an endpoint: its stack is going away, and its versions with it."""

from contextlib import suppress
from dataclasses import replace

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, StaleWrite
from halftone.domain.serving import Serving
from halftone.domain.standing import RETIRED
from halftone.domain.upkeep import Upkeep
from halftone.service.ports import Parts
from halftone.service.record import answered, change, until_written
from halftone.service.rollback import roll_back


def retire(
    parts: Parts, endpoint: str, *, actor: str, reason: str, key: str | None = None
) -> EndpointState | None:
    """Record that nothing serves any more, so that the endpoint may be made anew from version 1.

    History and audit stay. ``key`` names the request, where one can come twice: asked again, also
    after the endpoint was made anew, it retires nothing. Answers None if there was nothing to
    retire.
    """

    def attempt() -> EndpointState | None:
        state = parts.store.load(endpoint)
        if state is None or (key and answered(parts, endpoint, key)):
            return None
        if state.active:
            # Where CloudFormation has taken the alias already, the fence is all that can be
            # written, and all that is needed: what it keeps from traffic goes away too.
            with suppress(NotFound):
                roll_back(parts, endpoint, actor=actor, reason=reason, rollout=state.active.id)
                raise StaleWrite("the rollout under way was ended: look at what is left")
            state = parts.store.load(endpoint) or state
        if state.champion is None and state.rollout is None and state.serving == Serving():
            return None
        if state.upkeep.throttle:
            # Settings of a route outlive it: they would be those of the next one of that name.
            with suppress(NotFound):
                parts.gate.throttle(endpoint, None)
        return change(
            parts,
            state,
            # Versions count from 1 again: nothing that is said of their numbers may outlive them.
            replace(
                state,
                champion=None,
                rollout=None,
                serving=Serving(),
                placed=(),
                upkeep=Upkeep(),
            ),
            action=RETIRED,
            actor=actor,
            reason=reason,
            numbers={"request": key} if key else None,
        )

    return until_written(endpoint, attempt)
