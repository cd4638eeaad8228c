"""Rollback: returns all traffic to the champion and ends the rollout.

The order of the writes makes it final:

1. *Fence*: the record says ``rolling_back`` and bars the challenger, conditional on the revision
   read. From here on every other actor that decides on an older record fails to write it, and every
   one that reads this record only helps to finish.
2. *Aliases*: both to the champion alone (``reconcile.take``); first the one by which the challenger
   gets its share: in guarded mode ``challenger``, unless it was on its way to all traffic, else
   ``live``. Each write presents the revision that the record knows, so that nothing has to be read
   before; if the alias has moved on since, it is read, then the record, and written again, as long
   as the fence stands. So an advance that is still on its way is undone and can't come again, for
   its revision is stale; nor can a rollback that was held up for long undo what was released after.
3. *Confirm*: the aliases are read back, and the record says ``rolled_back``.

A crash after 1 or 2 is finished by the next tick, alarm or reconciler: each step may run again. If
the champion's version is gone from Lambda, the newest earlier champion that is there takes its
place; if nothing is left, the endpoint has no champion until the next release.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from halftone.domain.audit import Author
from halftone.domain.endpoint.champions import bar, bereave, forget, succeed
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, NotFound, Unavailable
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import RolloutPorts
from halftone.service.rollouts.past_champions import exists, newest_left, none_left, with_past
from halftone.service.rollouts.reconcile import take, take_unrecorded
from halftone.service.unit_of_work import by_engine, commit, retry_on_conflict


def roll_back(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
    rollout: str | None = None,
    fired_at: datetime | None = None,
    seen: EndpointState | None = None,
    bars: bool = True,
    detail: str = "",
) -> EndpointState | None:
    """Roll back the running rollout (only ``rollout``, if it is given) and record the reason.

    ``fired_at`` is the time of the alarm that triggers the rollback. An alarm from before the
    alarms were armed for this challenger is ignored: it is late or a duplicate. ``seen`` is the
    state that the caller has just read; it saves a read before the fence. ``bars`` is False if the
    challenger is not at fault, because another release supersedes it. ``detail`` is what the
    platform says of the alarm, for the record.

    Returns the state afterwards, or None if there is nothing to roll back: no rollout, a rollout
    with another id, or a finished one. Idempotent.

    Raises:
        Unavailable: if the record can't be written. If traffic was split, the alias was set to the
            champion all the same; the next try, or the next tick, finds the gap and records it.
    """
    request = _RollbackRequest(author, rollout, fired_at, bars, detail)
    try:
        return _recorded(ports, endpoint, request, seen)
    except Unavailable as gap:
        # Safety first: take the traffic away now. The caller retries, and then it is recorded.
        expected = {"rollout": rollout, "fired_at": fired_at}
        try:
            taken = take_unrecorded(ports, endpoint, expected=expected)
        except NotFound:
            raise gap from None  # the version is gone: what to do is in the first error
        if not taken:
            raise
        late = f"{author.reason} (the alias went first, the record followed: {gap})"
        return _recorded(ports, endpoint, replace(request, author=author.with_reason(late)))


@dataclass(frozen=True)
class _RollbackRequest:
    """The arguments of a rollback."""

    author: Author
    rollout: str | None
    fired_at: datetime | None
    bars: bool
    detail: str = ""

    def means(self, running: Rollout) -> bool:
        """Whether the request applies to ``running``."""
        if self.rollout not in (None, running.id):
            return False
        armed = running.armed_at
        return self.fired_at is None or (armed is not None and self.fired_at >= armed)


def _recorded(
    ports: RolloutPorts, endpoint: str, request: _RollbackRequest, seen: EndpointState | None = None
) -> EndpointState | None:
    fenced: str | None = None

    @retry_on_conflict
    def fence_and_finish() -> EndpointState | None:
        nonlocal fenced, seen
        state, seen = seen or ports.store.load(endpoint), None
        current = state.rollout if state else None
        if state is None or current is None:
            return None
        if fenced is not None and (current.id != fenced or current.phase.final):
            return state  # another call has finished the rollback
        if current.phase.final or not request.means(current):
            return None
        # A retry must finish this rollout and not one that starts in the meantime.
        behind = fence(
            ports,
            state,
            current,
            author=request.author,
            numbers=alarm_numbers(request.detail),
            bars=request.bars,
        )
        fenced = current.id
        return finish(ports, behind)

    return fence_and_finish()


def fence(
    ports: RolloutPorts,
    state: EndpointState,
    running: Rollout,
    *,
    author: Author,
    numbers: Mapping[str, object] | None = None,
    bars: bool = True,
) -> EndpointState:
    """Step 1. Returns the fenced state; a rollout that is already fenced is unchanged."""
    if running.phase is Phase.ROLLING_BACK:
        return state
    going = running.to(Phase.ROLLING_BACK, target=0.0, promoting=running.target == 100.0)
    return commit(
        ports,
        state,
        replace(
            bar(state, running.challenger, author.reason) if bars else state,
            rollout=replace(going, reason=author.reason),
        ),
        action="fence",
        author=author,
        numbers=numbers,
    )


def finish(ports: RolloutPorts, state: EndpointState) -> EndpointState:
    """Steps 2 and 3 for a fenced state.

    Raises:
        ConcurrentWrite: if somebody else has finished it.
    """
    fenced = state.rollout
    if fenced is None or fenced.phase is not Phase.ROLLING_BACK:
        raise Conflict(f"the rollout of {state.endpoint!r} is not fenced")
    try:
        anchor = take(ports, state, fenced)
    except NotFound:
        # Lambda returns the same error for a missing alias and for a missing version.
        ports.aliases.both(state.endpoint)
        if fenced.champion is None or exists(ports, state.endpoint, fenced.champion):
            raise
        return finish(ports, _restore_past_champion(ports, state, fenced))
    done = fenced.to(Phase.ROLLED_BACK, share=0.0, mirror=0.0)
    return commit(
        ports,
        state,
        replace(state, rollout=done, anchor=anchor),
        action="rolled-back",
        author=by_engine(fenced.reason),
        numbers={"alias": fenced.home.main},
    )


def alarm_numbers(detail: str) -> Mapping[str, object]:
    """What the platform says of an alarm, as the numbers of a record hold it."""
    return {"alarm": detail} if detail else {}


def _restore_past_champion(
    ports: RolloutPorts, state: EndpointState, fenced: Rollout
) -> EndpointState:
    """Record another rollback target, because the champion's version is missing from Lambda.

    The target is the newest past champion that still exists. If there is none, it is the
    challenger: no other version can answer requests. If that is gone too, nobody is champion until
    the next release.
    """
    with_history = with_past(ports, state)
    lost = fenced.champion
    earlier = newest_left(ports, with_history, lost)
    if earlier is not None:
        return _replace_champion(ports, with_history, fenced, earlier, lost)
    left = next(
        (d for d in ports.store.deployments(state.endpoint) if d.version == fenced.challenger), None
    )
    if left is None or not exists(ports, state.endpoint, left.version):
        reason = none_left(state.endpoint, lost)
        gone = replace(fenced, champion=None, reason=f"{fenced.reason}; {reason}")
        return commit(
            ports,
            state,
            replace(bereave(with_history, reason), rollout=gone),
            action="repaired",
            author=by_engine(reason),
            numbers={"gone": lost, "champion": None},
        )
    return _replace_champion(ports, with_history, fenced, left, lost)


def _replace_champion(
    ports: RolloutPorts, state: EndpointState, fenced: Rollout, home: Deployment, lost: str | None
) -> EndpointState:
    reason = f"version {lost} is gone from Lambda: version {home.version} answers in its place"
    after = succeed(state, home)
    after = forget(after, lost) if lost else after
    stays = home.version == fenced.challenger
    bars = tuple(bar for bar in after.barred if not stays or bar.version != home.version)
    return commit(
        ports,
        state,
        replace(
            after,
            barred=bars,
            placed=after.placing(home.version),
            rollout=replace(fenced, champion=home.version, reason=f"{fenced.reason}; {reason}"),
        ),
        action="repaired",
        author=by_engine(reason),
        numbers={"gone": lost, "champion": home.version},
    )
