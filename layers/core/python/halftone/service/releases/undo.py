"""Undo a failed deploy: restore each field that it set and that nobody has set since."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.deploy_fields import live_fields, with_each_field
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import (
    ConcurrentWrite,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unavailable,
)
from halftone.domain.rollout.deploys import LIMITS, DeployRecord, Deploys
from halftone.ports import Ports
from halftone.service.endpoints.capacity import ask
from halftone.service.releases.revert import Seen, revert
from halftone.service.rollouts.probation import settled, watched
from halftone.service.rollouts.rollback import roll_back
from halftone.service.unit_of_work import commit

_BY_PEOPLE = ("approved", "promote-now", "return")
"""What people say to a rollout, or of its version, for which that version stays champion."""


def take_back(
    ports: Ports,
    state: EndpointState,
    records: Sequence[DeployRecord],
    *,
    author: Author,
    key: str,
    to: Deploys,
) -> EndpointState:
    """Undo the deploys in ``records``, newest first, in one write; their rollouts end before.

    A rollout that one of them started is rolled back. A version that it has made champion gives
    way to the champion before, unless somebody approved or promoted it, returned to it, or
    something rolls out from it by now. ``to`` is what is declared afterwards.

    Raises:
        ConcurrentWrite: if anything was changed that the caller has to read first.
    """
    started = [record for record in records if record.rollout]
    names = [record.rollout for record in started]
    if state.active and state.active.id in names:
        roll_back(ports, state.endpoint, author=author, rollout=state.active.id)
        raise ConcurrentWrite("the rollout of a failed deploy was ended: look at what serves now")
    not_restored: dict[str, str] = {}
    champion = state.champion
    if champion and champion.rollout in names:
        stays = _stays(ports, state, champion.rollout, champion.version)
        target = started[-1].champion
        if not stays and target is None:
            stays = "no version served before it"
        if not stays:
            try:
                revert(
                    ports,
                    state.endpoint,
                    version=target,
                    author=author,
                    seen=Seen.of(state),
                )
            except (Conflict, NotFound) as error:
                stays = str(error)
            else:
                raise ConcurrentWrite("the champion of a failed deploy gave way: look again")
        not_restored["champion"] = stays
    live, fields = live_fields(state), {}
    current = dict(live)
    for record in records:
        for name, changed in record.changes.items():
            if current.get(name) == changed.now:
                fields[name] = current[name] = changed.was
    after, refused = with_each_field(state, fields)
    serving = after.serving
    try:
        serving = watched(ports, state, after.serving, why=author.reason)
    except (Conflict, NotFound, InvalidInput, Forbidden) as error:
        refused["traffic"] = str(error)
        serving = replace(serving, split=(), rules=(), probation=None)
    undone = {record.request for record in records}
    journal = tuple(r for r in state.deploys.journal if r.request not in undone)
    after = replace(after, serving=serving, deploys=replace(to, journal=journal))
    now = live_fields(after)
    numbers: dict[str, object] = {
        name: {"was": live.get(name), "is": now.get(name)}
        for name in sorted({*live, *now})
        if live.get(name) != now.get(name)
    }
    written = commit(
        ports,
        state,
        after,
        action="reverted",
        author=author,
        numbers={
            **numbers,
            "request": key,
            **({"kept": not_restored | refused} if not_restored | refused else {}),
        },
    )
    with suppress(NotFound, Conflict):
        ask(ports, state.endpoint, written.upkeep, LIMITS)
    with suppress(Unavailable, Conflict):
        # The next tick does what can't be done now.
        written = settled(ports, state.serving, written)
    return written


def _stays(ports: Ports, state: EndpointState, rollout: str, version: str) -> str:
    """Why the champion that the failed deploy's rollout brought stays all the same ("": none)."""
    if state.active:
        return f"rollout {state.active.id} is under way from version {version}"
    for record in ports.store.audit(state.endpoint):
        of_rollout = record.after.get("rollout") == rollout and record.action in _BY_PEOPLE
        returned = record.action == "return" and record.after.get("champion") == version
        if of_rollout or returned:
            return f"{record.actor} has decided for version {version}: {record.action}"
    return ""
