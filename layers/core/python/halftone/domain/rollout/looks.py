"""What is kept of a rollout for people: each look at its evidence, and how it began and ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict, VerdictKind


@dataclass(frozen=True)
class Look:
    """What one look at the evidence saw: the moment, the share at that time, and the verdict.

    ``until`` is the evidence's watermark: buckets that start before it are in. ``stage`` indexes
    the plan's stages. ``numbers`` are those of the verdict.
    """

    at: datetime
    until: datetime
    stage: int
    share: float
    mirror: float
    kind: VerdictKind
    reason: str
    numbers: Mapping[str, object]

    @classmethod
    def of(cls, rollout: Rollout, verdict: Verdict, *, at: datetime, until: datetime) -> "Look":
        """The look at ``rollout`` that gave ``verdict``."""
        return cls(
            at,
            until,
            rollout.stage,
            rollout.share,
            rollout.mirror,
            verdict.kind,
            verdict.reason,
            verdict.numbers,
        )

    @property
    def verdict(self) -> Verdict:
        """The verdict as it was given, without its proof."""
        return Verdict(self.kind, self.reason, self.numbers)


@dataclass(frozen=True)
class RolloutSnapshot:
    """A whole rollout as it began, or as it ended at ``ended_at``."""

    rollout: Rollout
    ended_at: datetime | None = None


def thinned(looks: Sequence[Look], points: int) -> Sequence[Look]:
    """At most ``points`` (2 or more) of ``looks``: evenly spread, with the first and the last.

    >>> thinned([], 2)
    []
    """
    if len(looks) <= points:
        return looks
    last = len(looks) - 1
    return [looks[round(number * last / (points - 1))] for number in range(points)]
