"""Returning: an earlier deployment is the champion again, where nothing rolls out any more.

It is a rollback like any other once its fence is written: the champion that goes is what is taken
back, and a crash in between is finished by the next tick.

"The version before" means another one once somebody else has released, or returned. So a request
that may come again is held to what it was first asked against: see ``Seen``.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.policy_rules import without
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound, Refused, StaleWrite, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import PRESETS
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import Parts
from halftone.service.rollouts.past_champions import served
from halftone.service.rollouts.rollback import finish, roll_back
from halftone.service.unit_of_work import change, until_written

_RETURN = re.compile(r"return-[0-9]+-to-[0-9]+")


@dataclass(frozen=True)
class Seen:
    """What a return is asked against: the champion's version, and the id of what rolls out."""

    champion: str | None
    rollout: str | None

    @classmethod
    def of(cls, state: EndpointState) -> "Seen":
        """What there is to see in ``state``."""
        champion, running = state.champion, state.active
        return cls(champion.version if champion else None, running.id if running else None)

    @classmethod
    def read(cls, text: str) -> "Seen":
        """What ``str`` has written."""
        champion, _, rollout = text.partition(" ")
        return cls(champion or None, rollout or None)

    def __str__(self) -> str:
        return f"{self.champion or ''} {self.rollout or ''}"

    @property
    def told(self) -> str:
        """For people."""
        serves = f"version {self.champion}" if self.champion else "no version"
        rolls = f"rollout {self.rollout}" if self.rollout else "no rollout"
        return f"{serves} and {rolls} under way"


def return_to(
    parts: Parts,
    endpoint: str,
    *,
    version: str | None,
    actor: str,
    reason: str,
    seen: Seen | None = None,
) -> EndpointState:
    """Make an earlier deployment the champion again: ``version``, or the newest one before.

    A rollout that is under way is rolled back; if ``version`` names its champion, or is None, that
    is all there is to do. Where ``seen`` is given, what was under way then is what ends: whatever
    has become of it since, its champion (or ``version``) serves afterwards.

    Raises:
        NotFound: if the endpoint or the version does not exist. Nothing is changed then.
        Refused: if that version serves already, there is none before it, or something else than
            the end of what was ``seen`` has happened since.
    """

    def attempt() -> EndpointState:
        state = parts.store.load(endpoint)
        if state is None:
            raise NotFound("endpoint", endpoint, "see `halftone status`")
        if seen and _came_about(state, seen, version):
            return state
        running = state.active
        if running is None:
            wanted = version or (seen.champion if seen and seen.rollout else None)
            return _returned(parts, state, wanted, actor=actor, reason=reason)
        if version not in (None, running.champion):
            # Before anything is changed; but where that can't be read, going back comes first.
            with suppress(Unavailable):
                _target(parts, state, _live(state), version)
        roll_back(parts, endpoint, actor=actor, reason=reason, rollout=running.id, seen=state)
        after = parts.store.load(endpoint) or state
        ended = after.rollout and (after.rollout.id, after.rollout.phase)
        # Whoever ended it: that it has ended is what was asked for, and not to go back any further.
        if ended == (running.id, Phase.ROLLED_BACK) and version in (None, running.champion):
            return after
        raise StaleWrite("the rollout under way has ended: look at what serves now")

    return until_written(endpoint, attempt)


def _came_about(state: EndpointState, seen: Seen, version: str | None) -> bool:
    """Whether what was asked for is so by now; if not, ``state`` is one to bring it about from.

    Raises:
        Refused: if neither, because others have acted since.
    """
    now, newest = Seen.of(state), state.rollout
    if now == seen:
        return False
    if newest and newest.phase.final and newest.id == seen.rollout:
        if newest.phase is Phase.PROMOTED and now.champion == newest.challenger:
            return False
        if now.champion == seen.champion:
            return version in (None, now.champion)
    raise Refused(
        f"{state.endpoint!r} has moved on since this was asked for: it was at {seen.told}, and is "
        f"at {now.told}; look again, and ask with a new key"
    )


def _live(state: EndpointState) -> Deployment:
    if state.champion is None:
        raise Refused(f"{state.endpoint!r} serves no version: there is nothing to return from")
    return state.champion


def _returned(
    parts: Parts, state: EndpointState, version: str | None, *, actor: str, reason: str
) -> EndpointState:
    live = _live(state)
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
