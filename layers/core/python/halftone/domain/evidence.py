"""Evidence: what both versions did, in closed ten-second buckets.

A bucket holds counts of the challenger and of the champion *at the same time*, so that an incident
which hits both, or a base rate that drifts, does not count against the challenger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BUCKET = timedelta(seconds=10)


@dataclass(frozen=True)
class Arm:
    """Counts of one version: ``errors`` of ``requests``, ``late`` of ``timed``.

    ``timed`` are the requests that met a warm container: a new version at a small share is always
    colder than the champion, and must not be judged by that.
    """

    requests: int = 0
    errors: int = 0
    timed: int = 0
    late: int = 0

    def __add__(self, other: "Arm") -> "Arm":
        return Arm(
            self.requests + other.requests,
            self.errors + other.errors,
            self.timed + other.timed,
            self.late + other.late,
        )


@dataclass(frozen=True)
class Bucket:
    """Both versions' counts over ``BUCKET`` from ``start`` on."""

    start: datetime
    challenger: Arm = Arm()
    champion: Arm = Arm()


@dataclass(frozen=True)
class Evidence:
    """All closed buckets of a rollout that held a request, and up to when there are no others.

    ``until`` is the watermark: every bucket that ends by then is here or was empty.
    """

    rollout: str
    until: datetime
    buckets: tuple[Bucket, ...] = ()

    def extended(self, buckets: Iterable[Bucket], until: datetime) -> "Evidence":
        """This evidence with later ``buckets``; those before the watermark are in it already."""
        new = tuple(b for b in buckets if b.start >= self.until and b.start + BUCKET <= until)
        kept = tuple(b for b in new if b.challenger.requests or b.champion.requests)
        return Evidence(self.rollout, max(until, self.until), self.buckets + kept)

    @property
    def challenger(self) -> Arm:
        """The challenger's counts over all buckets."""
        return sum((b.challenger for b in self.buckets), Arm())

    @property
    def champion(self) -> Arm:
        """The champion's counts over all buckets."""
        return sum((b.champion for b in self.buckets), Arm())


def bucket_start(moment: datetime) -> datetime:
    """The start of the bucket that ``moment`` lies in: buckets are aligned as CloudWatch aligns them."""
    seconds = int(BUCKET.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
