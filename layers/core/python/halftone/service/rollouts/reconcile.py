"""The reconciler: it alone writes aliases and arms alarms, as the projection of the state says.

Operations change the state. This brings AWS there, in an order that no crash can turn around:

- a share comes: the alarms watch first, then the alias ``challenger``, then ``live``, read back;
- a share goes: the record first, then the alias by which it came, then the other one, read back.
  What the alarms watch stays.

Each alias write presents the revision that was read, and leaves an *anchor*: the revision and the
audit head of the record it was decided on. Aliases outlive the table. Where they know of a record
that the table does not have, the table was restored to an earlier day: nothing is written then
until a person says which of both holds (``service.rollouts.adopt``).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.champions import bar, bereave, forget, succeed
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.projection import Watch, projection
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import (
    ConcurrentWrite,
    NotFound,
    RecordRestored,
    RoutingChanged,
    Unavailable,
)
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import UNRELEASED, Anchor, ReadAliases, Routing
from halftone.domain.traffic.policy import Probation
from halftone.ports import RolloutPorts
from halftone.ports.guardrails import AlarmState, Guard
from halftone.service.rollouts.past_champions import exists, newest_left, none_left, with_past
from halftone.service.unit_of_work import by_engine, commit, retry_on_conflict

RACES = 10
"""How often an alias may move on under a rollback: each stale advance can do that once."""

RESTORED = "record-restored"
"""The audit's word for a table that is older than the aliases."""


def anchor_of(state: EndpointState) -> Anchor:
    """What an alias that is written for ``state`` says of it."""
    running, probation = state.active, state.serving.probation
    armed_at = running.armed_at if running else (probation.since if probation else None)
    return Anchor(state.revision, state.audit, running.id if running else "", armed_at)


def point(
    ports: RolloutPorts, state: EndpointState, alias: str, routing: Routing, *, revision: str | None
) -> str:
    """Point one alias for ``state``; answer its new revision.

    Raises:
        RoutingChanged: if the alias is not at ``revision`` any more.
        NotFound: if there is no such alias, or no such version.
    """
    return ports.aliases.write(
        state.endpoint, routing, revision=revision, alias=alias, anchor=anchor_of(state)
    )


def must_be_newest(ports: RolloutPorts, state: EndpointState, aliases: ReadAliases) -> None:
    """Check that the record is not older than the aliases, which are read *before* it.

    Raises:
        RecordRestored: if their anchor refers to a record that is not in the audit.
    """
    if state.restored:
        raise RecordRestored(state.restored)
    anchor = aliases.anchor
    recorded = (state.audit, state.anchor.audit if state.anchor else None)
    if anchor is None or anchor.audit in recorded:
        return
    if anchor.audit.seq <= state.audit.seq:
        record = next(iter(ports.store.audit(state.endpoint, after=anchor.audit.seq - 1)), None)
        if record is not None and record.head == anchor.audit:
            return
    raise RecordRestored(
        f"the record of {state.endpoint!r} is at revision {state.revision}, and its aliases were "
        f"written for a revision {anchor.revision} that it does not have: the table was restored "
        f"to an earlier day. No alias is written until `halftone adopt {state.endpoint}` says "
        "whether the aliases hold or the record"
    )


def arm(ports: RolloutPorts, endpoint: str, watch: Watch, why: str) -> None:
    """Arm all alarms and reset their state. Read their state before this call.

    Raises:
        NotFound: if there are no alarms.
        Unavailable: if one of them does not watch afterwards.
    """
    ports.guardrails.arm(endpoint, watch.version, why, alias=watch.alias)


def watches(guard: Guard, watch: Watch) -> bool:
    """Whether all alarms of ``guard`` watch that."""
    return (guard.armed_for, guard.alias) == (watch.version, watch.alias)


def give(
    ports: RolloutPorts,
    state: EndpointState,
    aliases: ReadAliases,
    live: Routing,
    challenger: Routing,
) -> ReadAliases:
    """Both aliases there, ``challenger`` first; answers them as they were read back.

    Raises:
        ConcurrentWrite: if one of them is not as ``seen``, or not as it was written.
    """
    moved = False
    for alias, read, routing in (
        (CHALLENGER, aliases.challenger, challenger),
        (ALIAS, aliases.live, live),
    ):
        if read.routing != routing:
            point(ports, state, alias, routing, revision=read.revision)
            moved = True
    if not moved:
        return aliases
    after = ports.aliases.both(state.endpoint)
    if (after.live.routing, after.challenger.routing) != (live, challenger):
        raise ConcurrentWrite(
            f"an alias of {state.endpoint!r} was changed right after it was written"
        )
    return after


def overwrite(
    ports: RolloutPorts, state: EndpointState, aliases: ReadAliases, home: Routing
) -> None:
    """Both aliases at ``home`` by a person's word, whatever the record says of them.

    Raises:
        RoutingChanged: if one of them is not as ``seen`` any more.
    """
    for alias, read in ((ALIAS, aliases.live), (CHALLENGER, aliases.challenger)):
        point(ports, state, alias, home, revision=read.revision)


def take(ports: RolloutPorts, state: EndpointState, fenced: Rollout) -> Anchor:
    """Both aliases to where they stand without the challenger, while the fence of ``state`` is up.

    The record knows the revisions, so that nothing is read before the share is 0. Answers the
    anchor that the aliases have afterwards, as they were read back.

    Raises:
        ConcurrentWrite: if the fence is not up any more.
        RecordRestored: if the fence stands in a record that the aliases know better than.
        NotFound: if the champion's version is gone from Lambda, or the aliases are.
        Unavailable: if an alias can't be written, or does not say so afterwards.
    """
    revisions = {ALIAS: fenced.alias_revision, CHALLENGER: fenced.challenger_revision}
    for alias in fenced.way_home:
        for _ in range(RACES):
            if revisions[alias] is None:
                revisions = _revisions(ports, state, fenced)
            try:
                point(ports, state, alias, fenced.home, revision=revisions[alias])
            except RoutingChanged:
                revisions[alias] = None
            else:
                break
        else:
            raise Unavailable(f"{state.endpoint!r}: {alias!r} changed {RACES} times in a row")
    aliases = ports.aliases.both(state.endpoint)
    for alias, routing in ((ALIAS, aliases.live.routing), (CHALLENGER, aliases.challenger.routing)):
        if routing != fenced.home:
            read = f"the alias {alias!r} of {state.endpoint!r} reads {routing} after the rollback"
            raise Unavailable(read)
    return anchor_of(state)


def _revisions(ports: RolloutPorts, state: EndpointState, fenced: Rollout) -> dict[str, str | None]:
    aliases = ports.aliases.both(state.endpoint)
    newest = ports.store.load(state.endpoint)
    if newest is None or newest.revision != state.revision:
        raise ConcurrentWrite(f"rollout {fenced.id} was rolled back by somebody else")
    must_be_newest(ports, newest, aliases)
    return {ALIAS: aliases.live.revision, CHALLENGER: aliases.challenger.revision}


@retry_on_conflict
def take_unrecorded(ports: RolloutPorts, endpoint: str, *, expected: Mapping[str, object]) -> bool:
    """Point both aliases at the champion without a record; return whether either one changed.

    ``expected`` holds what the anchor must match (``rollout``, ``fired_at``). An alarm from before
    the alarms were armed, or a command for another rollout, does not apply.

    If the challenger already takes all traffic, the aliases do not show the champion, and nothing
    changes.
    """
    aliases = ports.aliases.both(endpoint)
    if not _anchor_matches(aliases.anchor, expected):
        return False
    live, home = aliases.live.routing, Routing(aliases.live.routing.main)
    if live != home:
        ports.aliases.write(endpoint, home, revision=aliases.live.revision)
    passes_on = aliases.challenger.routing not in (home, UNRELEASED) and home != UNRELEASED
    if passes_on:
        revision = aliases.challenger.revision
        ports.aliases.write(endpoint, home, revision=revision, alias=CHALLENGER)
    return live != home or passes_on


def _anchor_matches(anchor: Anchor | None, expected: Mapping[str, object]) -> bool:
    if anchor is None:
        return True  # written by an earlier release, which left no anchor
    rollout, fired_at = expected.get("rollout"), expected.get("fired_at")
    if rollout is not None and rollout != anchor.rollout:
        return False
    return fired_at is None or (anchor.armed_at is not None and anchor.armed_at <= fired_at)  # type: ignore[operator]


@retry_on_conflict
def settle(ports: RolloutPorts, endpoint: str) -> EndpointState:
    """Bring an endpoint on which nothing rolls out to its projection; what it is at afterwards.

    Raises:
        NotFound: if there is no such endpoint.
        RecordRestored: if its record is older than its aliases.
    """
    aliases = ports.aliases.both(endpoint)
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "see `halftone status`")
    if state.active:
        return state  # its ticks do it
    must_be_newest(ports, state, aliases)
    return reconcile(ports, state, aliases, after_change=True)


def reconcile(
    ports: RolloutPorts, state: EndpointState, aliases: ReadAliases, *, after_change: bool = False
) -> EndpointState:
    """Bring record, aliases and alarms into agreement where nothing rolls out.

    ``seen`` are the aliases, read before ``state``. A version that served before, was not taken
    back, and now answers alone was put back by hand: it is champion again, for nobody takes traffic
    from the present one without a reason. Anything else is set right, on record unless it only
    follows a change that is on record (``after_change``).

    Raises:
        ConcurrentWrite: if record or an alias changed since they were read.
    """
    if state.champion is None:
        # Without a reason on record nothing ever served, and the aliases are nobody's yet.
        return _lead_nowhere(ports, state, aliases) if state.flagged else state
    home = Routing(state.champion.version)
    if aliases.live.routing != home:
        _must_be_as_seen(ports, state, aliases)
        state, aliases = _set_live_right(ports, state, aliases, home)
        if state.champion is None:
            return _lead_nowhere(ports, state, aliases)
    probation = state.serving.probation
    if probation is not None:
        return _keep_watch(ports, state, probation, aliases)
    return _set_challenger_right(ports, state, aliases, after_change=after_change)


def _must_be_as_seen(ports: RolloutPorts, state: EndpointState, aliases: ReadAliases) -> None:
    if ports.aliases.both(state.endpoint) != aliases:
        raise ConcurrentWrite(
            f"an alias of {state.endpoint!r} was on its way to what the record says"
        )


def _set_live_right(
    ports: RolloutPorts, state: EndpointState, aliases: ReadAliases, home: Routing
) -> tuple[EndpointState, ReadAliases]:
    """State and aliases once the record and ``live`` agree on the champion."""
    read = aliases.live.routing
    reason = f"the alias reads {read}, the champion is version {home.main}"
    with_history = with_past(ports, state)
    earlier = [d for d in with_history.past or () if read == Routing(d.version)]
    if earlier:
        # The record follows the alias: what it was taken from is barred as after any return.
        after = bar(
            with_history, home.main, f"its alias was pointed at version {read.main} by hand"
        )
        after = succeed(replace(after, placed=after.placing(read.main)), earlier[0])
        return commit(ports, state, after, action="adopted", author=by_engine(reason)), aliases
    try:
        point(ports, state, ALIAS, home, revision=aliases.live.revision)
    except NotFound:
        if exists(ports, state.endpoint, home.main):
            raise
        return _replace_lost(ports, with_history, aliases)
    after = replace(state, anchor=anchor_of(state))
    written = commit(ports, state, after, action="repaired", author=by_engine(reason))
    return written, ports.aliases.both(state.endpoint)


def _replace_lost(
    ports: RolloutPorts, state: EndpointState, aliases: ReadAliases
) -> tuple[EndpointState, ReadAliases]:
    """The newest past champion that Lambda still has takes the place of one that is gone.

    If there is none, it is what the alias leads to, unless that was taken back. If nothing is left,
    that is on record, and nobody is champion until the next release.
    """
    lost = state.champion.version if state.champion else ""
    earlier = newest_left(ports, state, lost) or _led_to(ports, state, aliases)
    if earlier is None:
        reason = none_left(state.endpoint, lost)
        return commit(
            ports,
            state,
            bereave(state, reason),
            action="repaired",
            author=by_engine(reason),
            numbers={"gone": lost, "champion": None},
        ), aliases
    reason = f"version {lost} is gone from Lambda: version {earlier.version} answers in its place"
    after = forget(succeed(state, earlier), lost)
    written = commit(
        ports,
        state,
        replace(after, placed=after.placing(earlier.version)),
        action="repaired",
        author=by_engine(reason),
        numbers={"gone": lost, "champion": earlier.version},
    )
    home = Routing(earlier.version)
    point(ports, written, ALIAS, home, revision=aliases.live.revision)
    return written, ports.aliases.both(state.endpoint)


def _led_to(ports: RolloutPorts, state: EndpointState, aliases: ReadAliases) -> Deployment | None:
    """What ``live`` leads to, if it may answer requests and Lambda has it."""
    version = aliases.live.routing.main
    admitted = any(placed.version == version and not placed.stopped for placed in state.placed)
    if not admitted or state.bar_of(version) or not exists(ports, state.endpoint, version):
        return None
    deployments = ports.store.deployments(state.endpoint)
    return next((d for d in deployments if d.version == version and not d.deleted), None)


def _lead_nowhere(ports: RolloutPorts, state: EndpointState, aliases: ReadAliases) -> EndpointState:
    """Both aliases to where they stand before the first release: no version may answer."""
    desired = projection(state)
    if (aliases.live.routing, aliases.challenger.routing) != (desired.live, desired.challenger):
        give(ports, state, aliases, desired.live, desired.challenger)
    return state


def _set_challenger_right(
    ports: RolloutPorts, state: EndpointState, aliases: ReadAliases, *, after_change: bool
) -> EndpointState:
    desired, read = projection(state).challenger, aliases.challenger.routing
    if read == desired:
        return state
    _must_be_as_seen(ports, state, aliases)
    point(ports, state, CHALLENGER, desired, revision=aliases.challenger.revision)
    if after_change:
        return state
    reason = f"the alias {CHALLENGER!r} reads {read}, and belongs at {desired}"
    after = replace(state, anchor=anchor_of(state))
    return commit(ports, state, after, action="repaired", author=by_engine(reason))


def _keep_watch(
    ports: RolloutPorts, state: EndpointState, probation: Probation, aliases: ReadAliases
) -> EndpointState:
    """Do for the deployment on probation what a tick does for a challenger.

    The alarms watch it and are silent, or it has no traffic: an event that was lost is made good
    here. Intended but not armed yet, it is armed, and only then do routes lead to it.
    """
    watch = Watch(probation.version, CHALLENGER)
    called, home = Routing(probation.version), projection(state).live
    try:
        guard = ports.guardrails.read(state.endpoint)
        if probation.armed:
            if guard.state is AlarmState.ALARM:
                return withdraw(
                    ports,
                    state,
                    author=by_engine(f"guardrail in alarm: {guard.reason}"),
                    detail=guard.detail,
                )
            if watches(guard, watch) and aliases.challenger.routing == home:
                taken = f"the alias {CHALLENGER!r} was taken from it outside the engine"
                return withdraw(ports, state, author=by_engine(taken))
        if not watches(guard, watch):
            arm(ports, state.endpoint, watch, f"version {probation.version} is on probation")
    except NotFound as gone:
        return withdraw(ports, state, author=by_engine(f"there is no guardrail any more: {gone}"))
    except Unavailable as error:
        if probation.armed:
            return withdraw(
                ports, state, author=by_engine(f"the guardrail could not be armed: {error}")
            )
        raise
    after = give(ports, state, aliases, home, called)
    if probation.armed:
        return state
    armed = replace(probation, armed=True, since=ports.clock.now())
    serving = replace(state.serving, probation=armed)
    anchor = anchor_of(state) if after is not aliases else state.anchor
    return commit(
        ports,
        state,
        replace(state, serving=serving, anchor=anchor),
        action="armed",
        author=by_engine(
            f"the alarms watch version {probation.version}: it takes its requests now"
        ),
    )


WITHDRAWN = "withdrawn"
"""The audit's word for a share that was taken to 0 by an alarm."""


def withdraw(
    ports: RolloutPorts, state: EndpointState, *, author: Author, detail: str = ""
) -> EndpointState:
    """Take the deployment on probation back: on record first, then from its alias.

    ``detail`` is what the platform says of the alarm.

    Raises:
        ConcurrentWrite: if somebody else wrote the record first.
    """
    probation = state.serving.probation
    if probation is None:
        return state
    shares = {portion.version: portion.share for portion in state.serving.split}
    written = commit(
        ports,
        state,
        bar(state, probation.version, author.reason),
        action=WITHDRAWN,
        author=author,
        numbers={
            "version": probation.version,
            "share": shares.get(probation.version, 0.0),
            "rules": sum(rule.version == probation.version for rule in state.serving.rules),
            **({"alarm": detail} if detail else {}),
        },
    )
    # The routes are gone with the record. The alias is for fronts that hold earlier ones; if it
    # can't be written now, the next tick does it.
    with suppress(NotFound, Unavailable, RecordRestored):
        return settle(ports, state.endpoint)
    return written
