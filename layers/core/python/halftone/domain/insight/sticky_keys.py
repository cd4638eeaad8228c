"""What is known of one key in one stage, and what a new sighting adds to it. Pure.

Under sticky routing the evidence counts keys, not requests: each once in a stage, in the ten
seconds in which it was first seen, by whether it failed within ``FOLLOWED`` from then on. Metrics
can only be added to. So a key is counted when it is first seen; if it fails later, within that
time, one more failure is counted in the same ten seconds, and no further key. Buckets are read when
the keys in them have been followed (docs/decisions/0008). The same holds for being late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from halftone.domain.insight.capture import KeyObservation

FOLLOWED = timedelta(minutes=5)
"""How long a key is followed after it was first seen, unless a stage is set otherwise."""


@dataclass(frozen=True)
class Seen:
    """Whether a key has failed in its stage, and whether it was late (None: nobody knows yet).

    ``since`` is when it was first seen; None where an earlier release took note of it.
    """

    failed: bool
    late: bool | None
    since: datetime | None = None

    def and_then(self, other: "Seen") -> "Seen":
        """What is known after another sighting."""
        measured = [late for late in (self.late, other.late) if late is not None]
        return Seen(self.failed or other.failed, any(measured) if measured else None, self.since)


@dataclass(frozen=True)
class News:
    """What is to be counted in the ten seconds of ``since``.

    ``errors`` and ``late`` are a key by whether it had the event, 0 or 1; None is no key.
    ``errors_later`` and ``late_later`` are further events of keys that were counted without.
    """

    errors: int | None
    late: int | None
    errors_later: int = 0
    late_later: int = 0
    since: datetime | None = None

    def __bool__(self) -> bool:
        keys = self.errors is not None or self.late is not None
        return keys or bool(self.errors_later or self.late_later)


NOTHING = News(None, None)


def seen_in(sighting: KeyObservation) -> Seen:
    """What one sighting says."""
    return Seen(sighting.failed, sighting.late, sighting.at)


def news(before: Seen | None, sighting: KeyObservation, *, followed: timedelta = FOLLOWED) -> News:
    """What ``sighting`` adds to what was known of its key ``before`` it (None: nothing)."""
    now = seen_in(sighting)
    if before is None:
        late = None if now.late is None else int(now.late)
        return News(int(now.failed), late, since=sighting.at)
    if before.since is None or sighting.at - before.since > followed:
        return NOTHING
    first_late = before.late is None and now.late is not None
    return News(
        None,
        int(bool(now.late)) if first_late else None,
        errors_later=int(now.failed and not before.failed),
        late_later=int(before.late is False and now.late is True),
        since=before.since,
    )


def together(sightings: list[KeyObservation]) -> list[KeyObservation]:
    """One sighting for each key, stage and version: what all of them say, when the first was."""
    merged: dict[tuple[str, int, str, str], KeyObservation] = {}
    for one in sorted(sightings, key=lambda each: each.at):
        name = (one.rollout, one.stage, one.version, one.key)
        first = merged.setdefault(name, one)
        observed = seen_in(first).and_then(seen_in(one))  # batches are seconds long
        merged[name] = KeyObservation(
            first.version,
            first.rollout,
            first.stage,
            first.key,
            first.at,
            observed.failed,
            observed.late,
        )
    return list(merged.values())
