"""A notice: one audit record as a subscriber gets it, with its kind, its severity and its incident.

Every record makes exactly one notice, whose id is the record's hash: a notice that is delivered
twice has the same id both times, and whoever receives it can find the record that it stands for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from halftone.domain.audit import AuditRecord

WINDOW = timedelta(minutes=5)
"""Updates of one rollout are told together, once in this time."""


class Severity(StrEnum):
    """How much a notice asks of its reader.

    ``info``: nothing. ``action``: a decision is awaited. ``alert``: something went wrong, or was
    taken back.
    """

    INFO = "info"
    ACTION = "action"
    ALERT = "alert"


@dataclass(frozen=True)
class Kind:
    """What happened, as subscribers name it; ``update`` kinds of one rollout are told together."""

    name: str
    severity: Severity
    update: bool = False


_INFO, _ACTION, _ALERT = Severity.INFO, Severity.ACTION, Severity.ALERT
KINDS: Mapping[str, Kind] = {
    "release": Kind("rollout.started", _INFO),
    "published": Kind("rollout.updated", _INFO, update=True),
    "admitted": Kind("rollout.updated", _INFO, update=True),
    "armed": Kind("rollout.updated", _INFO, update=True),
    "advance": Kind("rollout.updated", _INFO, update=True),
    "shifted": Kind("rollout.updated", _INFO, update=True),
    "paused": Kind("rollout.paused", _INFO),
    "resumed": Kind("rollout.resumed", _INFO),
    "asked": Kind("approval.awaited", _ACTION),
    "asks-again": Kind("approval.awaited", _ACTION),
    "approved": Kind("approval.given", _INFO),
    "rejected": Kind("approval.refused", _INFO),
    "promoted": Kind("rollout.promoted", _INFO),
    "fence": Kind("rollout.rolling_back", _ALERT),
    "rolled-back": Kind("rollout.rolled_back", _ALERT),
    "reverted": Kind("rollout.rolled_back", _ALERT),
    "failed": Kind("rollout.failed", _ALERT),
    "return": Kind("champion.returned", _ALERT),
    "adopted": Kind("champion.adopted", _ALERT),
    "refused": Kind("change.refused", _INFO),
    "repaired": Kind("routing.repaired", _ALERT),
    "alias": Kind("model.alias_moved", _INFO),
    "registered": Kind("model.registered", _INFO),
    "group-made": Kind("group.changed", _INFO),
    "group-changed": Kind("group.changed", _INFO),
    "subscribed": Kind("subscription.changed", _INFO),
    "unsubscribed": Kind("subscription.changed", _INFO),
    "tested": Kind("subscription.test", _INFO),
    "client-added": Kind("clients.changed", _INFO),
    "client-revoked": Kind("clients.changed", _INFO),
}
"""The kinds of notices, by the action of their records."""

OTHER = Kind("settings.changed", Severity.INFO)
"""What every other action is: somebody changed how an endpoint serves, or what it is called."""

KIND_NAMES: Sequence[str] = tuple(sorted({OTHER.name, *(kind.name for kind in KINDS.values())}))


@dataclass(frozen=True)
class Notice:
    """What is told of a record.

    ``id`` is the record's hash (64 hex digits). ``subject`` is the name of the endpoint, or of the
    group or model with its kind before it, as the audit has it. ``incident`` is shared by all
    notices of one rollout, and is ``id`` outside of any. ``updates`` are the reasons of earlier
    records that this notice tells, too, the oldest first. ``share`` is the challenger's, in per
    cent.
    """

    id: str
    stage: str
    subject: str
    number: int
    kind: str
    severity: Severity
    update: bool
    incident: str
    at: datetime
    actor: str
    action: str
    reason: str
    share: float | None
    champion: str | None
    challenger: str | None
    updates: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """One line: the stage, the subject, and what happened to it."""
        return f"[{self.stage}] {self.subject}: {self.kind.replace('.', ' ').replace('_', ' ')}"


def notice_of(record: AuditRecord, stage: str) -> Notice:
    """The notice of ``record``."""
    kind, after = KINDS.get(record.action, OTHER), record.after
    rollout, share = after.get("rollout"), after.get("share")
    in_rollout = rollout is not None and kind.name.split(".")[0] in ("rollout", "approval")
    return Notice(
        id=record.hash,
        stage=stage,
        subject=record.endpoint,
        number=record.seq,
        kind=kind.name,
        severity=kind.severity,
        update=kind.update,
        incident=str(rollout) if in_rollout else record.hash,
        at=record.at,
        actor=record.actor,
        action=record.action,
        reason=record.reason,
        share=float(str(share)) if share is not None and in_rollout else None,
        champion=_version(after.get("champion")),
        challenger=_version(after.get("challenger")) if in_rollout else None,
    )


def told_with(notice: Notice, records: Iterable[AuditRecord]) -> Notice | None:
    """``notice`` with the updates of its window; None if a later update of the window tells it.

    ``records`` are the audit's, from the beginning of the window on. Windows begin at multiples of
    ``WINDOW``, so that the answer is the same whenever it is asked for.
    """
    window = _window(notice.at)
    of_window = [
        record
        for record in records
        if _window(record.at) == window
        and KINDS.get(record.action, OTHER).update
        and str(record.after.get("rollout")) == notice.incident
    ]
    if any(record.seq > notice.number for record in of_window):
        return None
    earlier = tuple(r.reason for r in of_window if r.seq < notice.number)
    return Notice(**{**vars(notice), "updates": earlier})


def window_end(notice: Notice) -> datetime:
    """When the window of an update is over, and the update is told."""
    return datetime.fromtimestamp(
        (_window(notice.at) + 1) * WINDOW.total_seconds(), notice.at.tzinfo
    )


def _window(moment: datetime) -> int:
    return int(moment.timestamp() // WINDOW.total_seconds())


def _version(value: object) -> str | None:
    return None if value is None else str(value)
