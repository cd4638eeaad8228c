"""What the harvest knows of one key in one stage, and what a new sighting adds to it. Pure.

Under sticky routing the evidence counts keys, not requests. A key is observed when it is first
seen; metrics can only be added to, so one that fails after it was counted as sound is observed a
second time, as failed, and never again. The same holds for being late.
"""

from dataclasses import dataclass

from halftone.domain.insight.capture import Sighting


@dataclass(frozen=True)
class Seen:
    """Whether a key has failed in its stage, and whether it was late (None: nobody knows yet)."""

    failed: bool
    late: bool | None

    def and_then(self, other: "Seen") -> "Seen":
        """What is known after another sighting."""
        known = [late for late in (self.late, other.late) if late is not None]
        return Seen(self.failed or other.failed, any(known) if known else None)


@dataclass(frozen=True)
class News:
    """What is to be observed: 0 or 1 each; None is nothing."""

    errors: int | None
    late: int | None

    def __bool__(self) -> bool:
        return self != News(None, None)


def seen_in(sighting: Sighting) -> Seen:
    """What one sighting says."""
    return Seen(sighting.failed, sighting.late)


def news(before: Seen | None, now: Seen) -> News:
    """What ``now``, known after a sighting, adds to what was known ``before`` it."""
    if before is None:
        return News(int(now.failed), None if now.late is None else int(now.late))
    return News(
        1 if now.failed and not before.failed else None,
        None if now.late == before.late or now.late is None else int(now.late),
    )


def together(sightings: list[Sighting]) -> list[Sighting]:
    """One sighting for each key, stage and version: what all of them say, when the first was."""
    merged: dict[tuple[str, int, str, str], Sighting] = {}
    for one in sorted(sightings, key=lambda each: each.at):
        name = (one.rollout, one.stage, one.version, one.key)
        first = merged.setdefault(name, one)
        known = seen_in(first).and_then(seen_in(one))
        merged[name] = Sighting(
            first.version, first.rollout, first.stage, first.key, first.at, known.failed, known.late
        )
    return list(merged.values())
