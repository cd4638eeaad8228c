"""Returning: an earlier deployment is the champion again, where nothing rolls out any more.

It is a rollback like any other once its fence is written: the champion that goes is what is taken
back, and a crash in between is finished by the next tick.
"""

import re
from contextlib import suppress
from dataclasses import replace

from halftone.domain.deployment import Deployment
from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, Refused, StaleWrite, Unavailable
from halftone.domain.phase import Phase
from halftone.domain.plan import PRESETS
from halftone.domain.rollout import Rollout
from halftone.domain.serving_rules import without
from halftone.service.ports import Parts
from halftone.service.record import change, until_written
from halftone.service.rollback import finish, roll_back
from halftone.service.served import served

_RETURN = re.compile(r"return-[0-9]+-to-[0-9]+")


def return_to(
    parts: Parts, endpoint: str, *, version: str | None, actor: str, reason: str
) -> EndpointState:
    """Make an earlier deployment the champion again: ``version``, or the newest one before.

    A rollout that is under way is rolled back; if ``version`` names its champion, or is None, that
    is all there is to do.

    Raises:
        NotFound: if the endpoint or the version does not exist.
        Refused: if that version serves already, or there is none before it.
    """

    def attempt() -> EndpointState:
        state = parts.store.load(endpoint)
        if state is None:
            raise NotFound("endpoint", endpoint, "see `halftone status`")
        running = state.active
        if running is None:
            return _returned(parts, state, version, actor=actor, reason=reason)
        roll_back(parts, endpoint, actor=actor, reason=reason, rollout=running.id, seen=state)
        after = parts.store.load(endpoint) or state
        ended = after.rollout and (after.rollout.id, after.rollout.phase)
        # Whoever ended it: that it has ended is what was asked for, and not to go back any further.
        if ended == (running.id, Phase.ROLLED_BACK) and version in (None, running.champion):
            return after
        raise StaleWrite("the rollout under way has ended: look at what serves now")

    return until_written(endpoint, attempt)


def _returned(
    parts: Parts, state: EndpointState, version: str | None, *, actor: str, reason: str
) -> EndpointState:
    live = state.champion
    if live is None:
        raise Refused(f"{state.endpoint!r} serves no version: there is nothing to return from")
    target = _target(parts, state, live, version)
    withdrawal = Rollout(
        id=f"return-{state.revision + 1}-to-{target.version}",
        plan=PRESETS["all-at-once"],
        package=live.package,
        settings=live.settings,
        actor=actor,
        started_at=parts.clock.now(),
        champion=target.version,
        challenger=live.version,
        share=100.0,
        phase=Phase.ROLLING_BACK,
        message=reason,
        reason=reason,
    )
    probation = state.serving.probation
    fenced = change(
        parts,
        state,
        replace(
            state,
            champion=target,
            rollout=withdrawal,
            placed=state.placing(target.version),
            # The alarms are about to watch the version that returns.
            serving=without(state.serving, probation.version) if probation else state.serving,
        ),
        action="return",
        actor=actor,
        reason=reason,
    )
    # Not before the fence: until then another rollout may be on its way and need the alarms.
    _arm(parts, state.endpoint, target.version)
    try:
        return finish(parts, fenced)
    except StaleWrite:
        return parts.store.load(state.endpoint) or fenced  # a tick was faster


def is_return(rollout: Rollout) -> bool:
    """Whether ``rollout`` is no release, but the way back to an earlier version."""
    return _RETURN.fullmatch(rollout.id) is not None


def _target(
    parts: Parts, state: EndpointState, live: Deployment, version: str | None
) -> Deployment:
    """A deployment that was champion once: the only ones known to have answered well."""
    if version == live.version:
        raise Refused(f"version {version} serves {state.endpoint!r} already")
    known = served(parts, state.endpoint)
    if version is not None:
        chosen = [d for d in known if d.version == version]
        if not chosen:
            names = ", ".join(d.version for d in known)
            raise NotFound("version", version, f"{state.endpoint!r} was served by {names}")
        return chosen[0]
    earlier = [d for d in known if int(d.version) < int(live.version)]
    if not earlier:
        raise Refused(f"version {live.version} is the first that {state.endpoint!r} was served by")
    return max(earlier, key=lambda d: int(d.version))


def _arm(parts: Parts, endpoint: str, version: str) -> None:
    """Let the alarms watch the version that returns; if they can't, returning matters more."""
    with suppress(NotFound, Unavailable):
        parts.guardrails.arm(endpoint, version, f"return to version {version}")
