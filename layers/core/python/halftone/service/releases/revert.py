"""Revert: makes an earlier deployment the champion again while no rollout is running.

Once its fence is written, it is an ordinary rollback: the replaced champion is withdrawn and
barred, and the next tick finishes what a crash interrupts.

The caller passes the state that it read (see ``Seen``). Concurrent or repeated requests revert
once.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.champions import bar, forget, succeed
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.policy_rules import without
from halftone.domain.endpoint.projection import projection
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, Conflict, NotFound, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import PRESETS
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import ReadAliases
from halftone.ports import RolloutPorts
from halftone.service.rollouts.past_champions import exists, with_past
from halftone.service.rollouts.reconcile import arm, must_be_newest
from halftone.service.rollouts.rollback import finish, roll_back
from halftone.service.rollouts.validation import failed
from halftone.service.unit_of_work import commit, retry_on_conflict


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
        """What ``str`` has written, such as ``12``, ``12 fraud-0123456789abcdef`` or ``-``."""
        champion, _, rollout = text.partition(" ")
        return cls(None if champion in ("", "-") else champion, rollout or None)

    def __str__(self) -> str:
        return f"{self.champion or '-'} {self.rollout or ''}".rstrip()

    @property
    def told(self) -> str:
        """For people."""
        serves = f"version {self.champion}" if self.champion else "no version"
        rolls = f"rollout {self.rollout}" if self.rollout else "no rollout"
        return f"{serves} and {rolls} under way"


@retry_on_conflict
def revert(
    ports: RolloutPorts,
    endpoint: str,
    *,
    version: str | None,
    author: Author,
    seen: Seen | None = None,
) -> EndpointState:
    """Make an earlier deployment the champion again: ``version``, or the champion before.

    The champion before is the last one in time that was not taken back, whatever its number. A
    rollout that is under way is rolled back; if ``version`` names its champion, or is None, that
    is all there is to do. Where ``seen`` is given, what was under way then is what ends: whatever
    has become of it since, its champion (or ``version``) serves afterwards. If what was ``seen`` to
    serve was taken back since, there is nothing left to do.

    Raises:
        NotFound: if the endpoint or the version does not exist. Nothing is changed then.
        Conflict: if that version serves already, was taken back or is gone from Lambda, there is
            none before it, or something else than what was asked for has happened since.
    """
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    if seen and _came_about(state, seen, version):
        return state
    running = state.active
    if running is None:
        target = version or (seen.champion if seen and seen.rollout else None)
        return _returned(ports, endpoint, state.revision, target, author=author)
    if version not in (None, running.champion):
        # Before anything is changed; but where that can't be read, going back comes first.
        with suppress(Unavailable):
            _sound_target(ports, with_past(ports, state), _live(state), version)
    roll_back(ports, endpoint, author=author, rollout=running.id, seen=state)
    after = ports.store.load(endpoint) or state
    ended = after.rollout and (after.rollout.id, after.rollout.phase)
    # Whoever ended it: that it has ended is what was asked for, and not to go back any further.
    if ended == (running.id, Phase.ROLLED_BACK) and version in (None, running.champion):
        return after
    raise ConcurrentWrite("the rollout under way has ended: look at what serves now")


def _came_about(state: EndpointState, expected: Seen, version: str | None) -> bool:
    """Whether what was asked for is so by now; if not, ``state`` is one to bring it about from.

    Raises:
        Conflict: if neither, because others have acted since.
    """
    now, newest = Seen.of(state), state.rollout
    if now == expected:
        return False
    if newest and newest.phase.final and newest.id == expected.rollout:
        if newest.phase is Phase.PROMOTED and now.champion == newest.challenger:
            return False
        if now.champion == expected.champion:
            return version in (None, now.champion)
    # Somebody else took back what was seen to serve, or ended what was seen to roll out. Going back
    # any further was not asked for.
    taken_back = now.champion != expected.champion and state.bar_of(expected.champion) is not None
    ended = expected.rollout is not None and now.champion == expected.champion
    if now.rollout is None and (taken_back or ended) and version in (None, now.champion):
        return True
    raise Conflict(
        f"{state.endpoint!r} changed after this was requested: it was at {expected.told}, "
        f"and is at {now.told}; read it again, and repeat the request with a new key"
    )


def _live(state: EndpointState) -> Deployment:
    if state.champion is None:
        raise Conflict(f"{state.endpoint!r} serves no version: there is nothing to return from")
    return state.champion


def _returned(
    ports: RolloutPorts,
    endpoint: str,
    revision: int,
    version: str | None,
    *,
    author: Author,
) -> EndpointState:
    aliases = ports.aliases.both(endpoint)
    state = ports.store.load(endpoint)
    if state is None or state.revision != revision:
        raise ConcurrentWrite(f"{endpoint!r} changed while its aliases were read")
    must_be_newest(ports, state, aliases)
    state = with_past(ports, state)
    live = _live(state)
    target = _sound_target(ports, state, live, version)
    fenced = _fenced(ports, state, live, target, aliases, author=author)
    try:
        done = finish(ports, fenced)
    except ConcurrentWrite:
        return ports.store.load(endpoint) or fenced  # a tick was faster
    _watch(ports, done)
    return done


def _fenced(
    ports: RolloutPorts,
    state: EndpointState,
    live: Deployment,
    target: Deployment,
    aliases: ReadAliases,
    *,
    author: Author,
) -> EndpointState:
    """The fence: ``target`` is champion on record, and ``live`` is being taken back."""
    withdrawal = Rollout(
        id=f"return-{state.revision + 1}-to-{target.version}",
        plan=PRESETS["all-at-once"],
        package=live.package,
        settings=live.settings,
        actor=author.actor,
        started_at=ports.clock.now(),
        champion=target.version,
        challenger=live.version,
        share=100.0,
        phase=Phase.ROLLING_BACK,
        message=author.reason,
        reason=author.reason,
        alias_revision=aliases.live.revision,
        challenger_revision=aliases.challenger.revision,
    )
    probation = state.serving.probation
    # The alarms are about to watch the version that returns.
    serving = without(state.serving, probation.version) if probation else state.serving
    after = succeed(bar(replace(state, serving=serving), live.version, author.reason), target)
    return commit(
        ports,
        state,
        replace(after, rollout=withdrawal, placed=after.placing(target.version)),
        action="return",
        author=author,
    )


def _sound_target(
    ports: RolloutPorts, state: EndpointState, live: Deployment, version: str | None
) -> Deployment:
    """A target that Lambda still has, and that nothing is said against in the registry.

    Raises:
        Conflict: if there is none, and which other one could be named.
    """
    while True:
        target = _target(state, live, version)
        reason = failed(ports, target.package)
        if not reason and exists(ports, state.endpoint, target.version):
            return target
        if version is not None:
            others = ", ".join(d.version for d in state.past or () if d != target) or "none"
            raise Conflict(
                f"version {version} of {state.endpoint!r} can't serve again: "
                f"{reason or 'it is gone from Lambda'}; others that served: {others}"
            )
        state = forget(state, target.version)


def _target(state: EndpointState, live: Deployment, version: str | None) -> Deployment:
    """A deployment that was champion before and was not taken back since.

    Only those are known to have answered well.
    """
    past = state.past or ()
    if version is None:
        if not past:
            raise Conflict(
                f"version {live.version} is the first that {state.endpoint!r} was served by, or "
                "all others were taken back: release one"
            )
        return past[-1]
    if version == live.version:
        raise Conflict(f"version {version} serves {state.endpoint!r} already")
    chosen = next((d for d in past if d.version == version), None)
    if chosen is not None:
        return chosen
    barred = state.bar_of(version)
    if barred:
        names = ", ".join(d.version for d in past) or "no other version"
        raise Conflict(
            f"version {version} of {state.endpoint!r} was taken back ({barred.reason}): release "
            f"its package again; it can return to {names}"
        )
    names = ", ".join(sorted((d.version for d in (*past, live)), key=int))
    raise NotFound("version", version, f"{state.endpoint!r} was served by {names}")


def _watch(ports: RolloutPorts, state: EndpointState) -> None:
    """Let the alarms watch the version that returned; if they can't, it serves all the same."""
    watch = projection(state).watch
    if watch is not None:
        with suppress(NotFound, Unavailable):
            arm(ports, state.endpoint, watch, f"return to version {watch.version}")
