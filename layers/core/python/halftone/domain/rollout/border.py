"""Borders: the moments at which the stages of a rollout began. Once on record, none ever moves.

The plan's own clock stops while a rollout is paused. What versions did does not: a request belongs
to the stage in which it was drawn, whatever happens to that clock later.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BUCKET = timedelta(seconds=10)
"""How long a bucket of evidence is."""

SCORED_WITHIN = timedelta(seconds=60)
"""How long a request that is scored unseen may wait; a server drops it after that."""


@dataclass(frozen=True)
class Border:
    """Where stage number ``stage`` began: its share was confirmed ``at`` that moment.

    ``share`` and ``mirror`` are the stage's percentages, ``since`` is the share of the stage
    before.
    """

    stage: int
    at: datetime
    share: float
    since: float = 0.0
    mirror: float = 0.0

    @property
    def start(self) -> datetime:
        """The start of the bucket in which the stage began."""
        return bucket_start(self.at)

    @property
    def drawn(self) -> float:
        """The part (0 to 1) of requests that the challenger answers in the stage."""
        return self.share / 100

    @property
    def drawn_afresh(self) -> float:
        """The challenger's part of the keys that the stage draws: those from ``since`` on."""
        return (self.share - self.since) / (100.0 - self.since) if self.since < 100.0 else 0.0


def bucket_start(moment: datetime) -> datetime:
    """The start of the bucket that ``moment`` lies in, aligned as CloudWatch aligns them."""
    seconds = int(BUCKET.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
