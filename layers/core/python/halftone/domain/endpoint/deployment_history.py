"""What an endpoint's audit tells of each of its deployments: size, names, and every event. Pure.

Versions count from 1 again when an endpoint is retired and made anew. Each such *life* of the
endpoint has its own table.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment_status import RETIRED, last_names
from halftone.domain.rollout.phase import Phase


@dataclass(frozen=True)
class Event:
    """One audit record about a deployment: its number, when, who, what and why."""

    seq: int
    at: datetime
    actor: str
    action: str
    reason: str


@dataclass
class DeploymentRecord:
    """One deployment as the audit tells it.

    ``name`` is what people called it last ("": nothing). ``memory`` is the function's size in MB
    (None: the record is older than this number). ``replicas`` are those asked for last before it
    was stopped or deleted. ``description`` and ``tags`` are the
    endpoint's when it was published. ``stopped`` is why it takes no requests ("": it may).
    """

    name: str = ""
    memory: int | None = None
    replicas: int = 0
    description: str = ""
    tags: Mapping[str, object] = field(default_factory=dict)
    stopped: str = ""
    events: list[Event] = field(default_factory=list)


@dataclass
class Life:
    """The deployments by version from one making of the endpoint to its retirement (None: now)."""

    deployments: dict[str, DeploymentRecord] = field(default_factory=dict)
    retired_at: datetime | None = None


def lives(records: Iterable[AuditRecord]) -> tuple[Life, ...]:
    """The lives in ``records``, a whole audit, the oldest first; the last one goes on."""
    told = [Life()]
    settings: dict[str, object] = {}
    for record in records:
        life = told[-1]
        changed = _mapping(record.after.get("settings"))
        settings.update(changed)
        for version in _concerned(record):
            entry = life.deployments.setdefault(version, DeploymentRecord())
            entry.events.append(
                Event(record.seq, record.at, record.actor, record.action, record.reason)
            )
            if record.action == "published":
                memory = record.numbers.get("memory")
                entry.memory = memory if isinstance(memory, int) else None
                entry.description = str(settings.get("description") or "")
                entry.tags = dict(_mapping(settings.get("tags")))
        _apply(life, record, changed)
        if record.action == RETIRED:
            life.retired_at = record.at
            for entry in life.deployments.values():
                entry.stopped = entry.stopped or f"the endpoint was retired: {record.reason}"
            told.append(Life())
    return tuple(told)


def life_of(told: tuple[Life, ...], created_at: datetime) -> Life:
    """The life in which a deployment of ``created_at`` was published."""
    return next(
        (life for life in told if life.retired_at and created_at <= life.retired_at), told[-1]
    )


def _apply(life: Life, record: AuditRecord, changed: Mapping[str, object]) -> None:
    """What ``record`` changed about names, replicas and stops."""
    names = last_names({v: d.name for v, d in life.deployments.items() if d.name}, record)
    for version, entry in life.deployments.items():
        entry.name = names.get(version, "")
    ending = record.action in ("stopped", "deleted")
    if "replicas" in changed and not ending:
        replicas = _mapping(changed["replicas"])
        for version, entry in life.deployments.items():
            count = replicas.get(version, 0)
            entry.replicas = count if isinstance(count, int) else 0
    about = life.deployments.get(str(record.numbers.get("version")))
    if about is not None and ending:
        about.stopped = f"{record.action}: {record.reason}"
    elif about is not None and record.action == "started":
        about.stopped = ""


def _concerned(record: AuditRecord) -> Iterator[str]:
    """The versions that ``record`` is about: by number, by a rollout's phase, by the champion."""
    before, after = record.before, record.after
    versions: list[object] = [record.numbers.get("version")]
    moved = [before.get(name) for name in ("rollout", "phase", "challenger")] != [
        after.get(name) for name in ("rollout", "phase", "challenger")
    ]
    if moved:
        versions.append(after.get("challenger"))
    if record.action == RETIRED:
        versions += [before.get("champion")]
        if before.get("phase") not in (None, *_ENDED):
            versions += [before.get("challenger")]
    elif before.get("champion") != after.get("champion"):
        versions += [before.get("champion"), after.get("champion")]
    yield from dict.fromkeys(v for v in versions if isinstance(v, str))


_ENDED = tuple(phase.value for phase in Phase if phase.final)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
