"""What deploys have declared for an endpoint, and what goes back if one of them fails. Pure.

A deploy is merged three ways: between what the deploy before it declared, what is live, and what it
declares itself. Whether a deploy has succeeded is known only later, so the state keeps a journal:
one ``DeployRecord`` for each of the newest deploys, with the value that each changed field had
before. When CloudFormation returns to an earlier declaration, the records after that declaration
are undone, newest first. A field goes back only where nobody has set it since.

Fields are flat and have the names of ``endpoint.yaml``; a tag is ``tags.NAME``, the owner
``group``. Values are in the form that ``endpoint.yaml`` gives them, with deployments as versions.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halftone.domain.audit import canonical_json

OWNER = "group"
TAG = "tags."
LIMITS = ("concurrency", "throttle")
"""Fields that the platform has to accept, too."""

BY_VERSION = ("traffic", "rules", "mirror")
"""Fields that name deployments."""

MOST_RECORDS = 10
"""How many deploys the journal keeps. CloudFormation returns behind the newest one, or behind all
that were made without a rollback since the last success; further back it is not followed."""

MOST_BYTES = 60_000
"""How large the journal may be: it is part of an item of at most 400 KB. The oldest records go
first, and what they changed is settled then."""


@dataclass(frozen=True)
class Declaration:
    """What one deploy declares: the fields that ``endpoint.yaml`` gives, and what it releases.

    ``serving`` is as ``dump_policy`` writes it, ``upkeep`` as ``dump_upkeep`` does. ``digest`` is
    the package's, ``settings`` identifies the function's configuration.
    """

    serving: Mapping[str, Any] = field(default_factory=dict)
    upkeep: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    digest: str = ""
    settings: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that are given, flat."""
        upkeep = {name: value for name, value in self.upkeep.items() if name != "tags"}
        tags = {f"{TAG}{name}": text for name, text in (self.upkeep.get("tags") or {}).items()}
        owner = {} if self.owner is None else {OWNER: self.owner}
        return {**self.serving, **upkeep, **tags, **owner}

    @property
    def fingerprint(self) -> str:
        """Equal for equal declarations."""
        parts = [self.serving, self.upkeep, self.owner, self.digest, self.settings]
        return hashlib.blake2b(canonical_json(parts), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Claim:
    """The CloudFormation resource that an endpoint belongs to.

    ``stack`` is the stack's ARN, ``resource`` the logical id, ``physical`` the physical id. A
    Delete of any other resource does not retire the endpoint.
    """

    stack: str
    resource: str
    physical: str
    request: str


@dataclass(frozen=True)
class FieldChange:
    """What a deploy made of one field: live ``was`` before it, and ``now`` after it."""

    was: Any
    now: Any


@dataclass(frozen=True)
class DeployRecord:
    """One deploy that may still fail.

    ``request`` names the deploy's event. ``before`` and ``fingerprint`` identify the declaration
    before it and its own ("" while its fields are not all applied). ``previous`` are the digest
    and the settings that were declared before. ``rollout`` is the rollout that it started ("":
    none) and ``champion`` the version that served then. ``claim`` is whose the endpoint was
    before. ``adopts``: the endpoint served already when this resource was created;
    ``declared`` is what was declared then, which the resource's Delete does not tell.
    """

    request: str
    before: str
    fingerprint: str = ""
    changes: Mapping[str, FieldChange] = field(default_factory=dict)
    previous: tuple[str, str] | None = None
    rollout: str = ""
    champion: str | None = None
    claim: Claim | None = None
    adopts: bool = False
    declared: Declaration | None = None

    def changing(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> "DeployRecord":
        """This record with the fields that differ between two readings of what is live."""
        changes = dict(self.changes)
        for name in {*before, *after}:
            was, now = before.get(name), after.get(name)
            if was != now:
                first = changes[name].was if name in changes else was
                changes[name] = FieldChange(first, now)
        return replace(self, changes=changes)


@dataclass(frozen=True)
class Deploys:
    """What is on record of an endpoint's deploys.

    ``declared`` is the newest declaration that is in force, ``fingerprint`` what identifies it;
    ``declared`` is None where only that is known. ``journal`` has the oldest deploy first.
    """

    claim: Claim | None = None
    declared: Declaration | None = None
    fingerprint: str = ""
    journal: tuple[DeployRecord, ...] = ()

    def record(self, request: str) -> DeployRecord | None:
        """The record of the deploy with that event."""
        return next((entry for entry in self.journal if entry.request == request), None)

    def having(self, record: DeployRecord) -> "Deploys":
        """With ``record`` in the place of the one of the same request, or at the end."""
        others = [entry for entry in self.journal if entry.request != record.request]
        if len(others) == len(self.journal):
            return replace(self, journal=_bounded((*others, record)))
        journal = tuple(record if r.request == record.request else r for r in self.journal)
        return replace(self, journal=_bounded(journal))

    def set_by_people(self, names: Iterable[str]) -> "Deploys":
        """Once somebody has set these fields, no return of a deploy changes them.

        Holds for fields that were set to the value that they had, too.
        """
        taken = {*names}
        if not any(taken & {*record.changes} for record in self.journal):
            return self
        journal = tuple(
            replace(record, changes={n: c for n, c in record.changes.items() if n not in taken})
            for record in self.journal
        )
        return replace(self, journal=journal)

    def after(self, fingerprint: str) -> tuple[DeployRecord, ...] | None:
        """The deploys to undo in order to return to a declaration, newest first.

        None: it is not known which deploys came after that declaration.
        """
        unfinished = self.journal[-1:] if self.journal and not self.journal[-1].fingerprint else ()
        if self.fingerprint == fingerprint:
            return unfinished
        for index in range(len(self.journal) - 1, -1, -1):
            if self.journal[index].fingerprint == fingerprint:
                return tuple(reversed(self.journal[index + 1 :]))
            if self.journal[index].before == fingerprint:
                return tuple(reversed(self.journal[index:]))
        return None


def differences(
    base: Declaration | None, now: Declaration, usual: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields that ``now`` declares otherwise than ``base``; what is gone is as ``usual``."""
    before, after = base.fields if base else {}, now.fields
    removed = {name: usual.get(name) for name in before if name not in after}
    changed = {
        name: value for name, value in after.items() if name not in before or before[name] != value
    }
    return {**removed, **changed}


def opens(name: str, live: Any, declared: Any) -> bool:
    """Whether ``wanted`` in the place of ``live`` lets in more requests, or keeps more of them."""
    if live == declared:
        return False
    if name == "access":
        return bool(live == "private")
    if name == "stopped":
        return bool(live) and not declared
    if name == "concurrency":
        return live is not None and (declared is None or declared > live)
    if name == "throttle":
        return live is not None and (declared is None or any(declared[n] > live[n] for n in live))
    if name == "cors":
        before = live or {"origins": [], "headers": []}
        return declared is not None and any(
            not {*declared.get(n, ())} <= {*before.get(n, ())} for n in ("origins", "headers")
        )
    if name == "capture":
        return not {*live["redact"]} <= {*declared["redact"]}
    return False


def _bounded(journal: tuple[DeployRecord, ...]) -> tuple[DeployRecord, ...]:
    journal = journal[-MOST_RECORDS:]
    while len(journal) > 1 and sum(map(_size, journal)) > MOST_BYTES:
        journal = journal[1:]
    return journal


def _size(record: DeployRecord) -> int:
    changes = {name: [change.was, change.now] for name, change in record.changes.items()}
    return len(canonical_json([changes, record.declared.fields if record.declared else {}]))
