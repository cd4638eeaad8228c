"""Unit of work: writes a state and its audit record in one conditional write."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar

from halftone.domain import audit
from halftone.domain.audit import AuditRecord, Author
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.differences import differences
from halftone.domain.endpoint.ownership import Ownership
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, PreconditionFailed, Unavailable
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.signing import must_rotate, rotated
from halftone.ports import RecordPorts
from halftone.ports.state import Change

ENGINE = "halftone"
"""The actor of changes that the engine makes by itself."""

_ATTEMPTS = 10
_P = ParamSpec("_P")
_T = TypeVar("_T")


def by_engine(reason: str) -> Author:
    """The engine as author of a change, for ``reason``."""
    return Author(ENGINE, reason)


def commit(
    ports: RecordPorts,
    before: EndpointState,
    after: EndpointState,
    *,
    action: str,
    author: Author,
    numbers: Mapping[str, object] | None = None,
    deployment: Deployment | None = None,
) -> EndpointState:
    """Write ``after`` in place of ``before`` with its audit record; answer the state as written.

    Raises:
        ConcurrentWrite: if somebody else wrote first. Nothing is written then.
    """
    was, now = differences(before, after)
    record = audit.append(
        before.audit,
        endpoint=before.endpoint,
        at=ports.clock.now(),
        actor=author.actor,
        action=action,
        before={**summary(before), **({"settings": was} if was or now else {})},
        after={**summary(after), **({"settings": now} if was or now else {})},
        # A record without a reason answers no question: the action and its author always do.
        reason=author.reason.strip() or f"{action} by {author.actor}",
        numbers=numbers or {},
    )
    signing, at = after.signing, ports.clock.now()
    if must_rotate(signing, at):
        signing = rotated(signing, ports.new_secret(), at)
    written = replace(after, revision=before.revision + 1, audit=record.head, signing=signing)
    read = before if before.revision else None
    ports.store.commit(Change(read, written, record, deployment, ports.request))
    return written


def renew_key(ports: RecordPorts, state: EndpointState) -> bool:
    """Whether the key that signs the ids of an endpoint's requests was due, and has a new one.

    Each change brings one that is due along; this is for endpoints that nobody changes.

    Raises:
        ConcurrentWrite: if somebody else wrote first.
    """
    if state.champion is None or not must_rotate(state.signing, ports.clock.now()):
        return False
    why = "the key that signs the ids of requests is to be replaced"
    commit(ports, state, state, action="key-renewed", author=by_engine(why))
    return True


def made_now(
    ports: RecordPorts, endpoint: str, *, actor: str, owner: str | None = None
) -> EndpointState:
    """The state of an endpoint that there is no record of yet; nothing is written."""
    about = Ownership(creator=actor, created_at=ports.clock.now(), owner=owner)
    return EndpointState(endpoint, about=about, past=())


def commit_rollout(
    ports: RecordPorts,
    before: EndpointState,
    rollout: Rollout,
    *,
    action: str,
    author: Author,
    numbers: Mapping[str, object] | None = None,
) -> EndpointState:
    """``commit`` where only the rollout differs."""
    after = replace(before, rollout=replace(rollout, reason=author.reason))
    return commit(ports, before, after, action=action, author=author, numbers=numbers)


def summary(state: EndpointState) -> dict[str, object]:
    """What the audit says of a state: enough to read a history, without plans and packages."""
    fields: dict[str, object] = {
        "champion": state.champion.version if state.champion else None,
        "package": str(state.champion.package) if state.champion else None,
    }
    rollout = state.rollout
    if rollout:
        fields |= {
            "rollout": rollout.id,
            "phase": rollout.phase.value,
            "challenger": rollout.challenger,
            "candidate": str(rollout.package),
            "stage": rollout.stage,
            "share": rollout.share,
            "mirror": rollout.mirror,
            # A rollout keeps the mode that it began with; afterwards the endpoint's counts.
            "mode": (state.serving if rollout.phase.final else rollout).mode.value,
            "target": rollout.target,
        }
    return fields


def retry_on_conflict(operation: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorator: call ``operation`` again as long as it meets a concurrent write.

    The operation must read the state in each call, and must write it last. The decorated one raises
    Unavailable if ten calls in a row meet a concurrent write.
    """

    @wraps(operation)
    def retried(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(_ATTEMPTS):
            try:
                return operation(*args, **kwargs)
            except ConcurrentWrite as conflict:
                newest = conflict
        raise Unavailable(f"{newest}: {_ATTEMPTS} times in a row") from newest

    return retried


def must_be_at(what: str, actual: int, presented: int | None) -> None:
    """Hold an edit to what its author has seen: revision ``presented`` (None: whatever it is).

    Raises:
        PreconditionFailed: if ``what`` is at another one.
    """
    if presented not in (None, actual):
        raise PreconditionFailed(
            f"{what} is at revision {actual}, not {presented}: read it again and decide again"
        )


def answered(ports: RecordPorts, endpoint: str, request: str) -> AuditRecord | None:
    """The record of the request named ``request``, if it was answered before."""
    for record in ports.store.audit(endpoint):
        if request in (record.after.get("rollout"), record.numbers.get("request")):
            return record
    return None
