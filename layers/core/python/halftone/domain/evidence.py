"""Evidence: what both versions did, in closed ten-second buckets.

A bucket holds counts of the challenger and of the champion *at the same time*, so that an incident
which hits both, or a base rate that drifts, does not count against the challenger.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from halftone.domain.plan import Margins
from halftone.domain.rollout import Rollout
from halftone.stats.capital import Capital
from halftone.stats.tally import Stratum, Tally

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
class Metric:
    """The evidence on one metric: bets that the challenger is worse, and that it is harmless."""

    worse: Capital
    safe: Capital

    @classmethod
    def of(cls, margins: Margins) -> "Metric":
        """No evidence yet, against these margins."""
        return cls(Capital.on_regression(margins.regression), Capital.on_safety(margins.safety))

    def update(self, stratum: Stratum) -> "Metric":
        """The evidence after one more bucket."""
        return Metric(self.worse.update(stratum), self.safe.update(stratum))


@dataclass(frozen=True)
class Evidence:
    """What all closed buckets of a rollout say, folded: its size does not grow with the rollout.

    ``until`` is the watermark: buckets that start before it are in. ``in_stage`` counts the
    challenger's requests since the stage numbered ``stage`` began; all else is carried over from
    stage to stage.
    """

    rollout: str
    until: datetime
    errors: Metric
    late: Metric
    challenger: Arm = Arm()
    champion: Arm = Arm()
    stage: int = 0
    in_stage: int = 0

    @classmethod
    def begin(cls, rollout: Rollout, since: datetime) -> "Evidence":
        """No evidence yet; buckets count from ``since`` (aligned) on."""
        plan = rollout.plan
        return cls(rollout.id, since, Metric.of(plan.errors), Metric.of(plan.late))

    def fold(self, buckets: Iterable[Bucket], until: datetime, rollout: Rollout) -> "Evidence":
        """This evidence with the closed buckets up to ``until``; those it has are skipped."""
        new = replace(self)
        if rollout.stage != self.stage:
            new = replace(self, stage=rollout.stage, in_stage=0)
        for bucket in buckets:
            if self.until <= bucket.start and bucket.start + BUCKET <= until:
                new = _added(new, bucket, rollout.stage_since)
        return replace(new, until=max(until, self.until))


def _added(known: Evidence, bucket: Bucket, stage_since: datetime | None) -> Evidence:
    ours, theirs = bucket.challenger, bucket.champion
    counts = stage_since is not None and bucket.start >= bucket_start(stage_since)
    errors = Stratum(Tally(ours.requests, ours.errors), Tally(theirs.requests, theirs.errors))
    late = Stratum(Tally(ours.timed, ours.late), Tally(theirs.timed, theirs.late))
    return replace(
        known,
        errors=known.errors.update(errors),
        late=known.late.update(late),
        challenger=known.challenger + ours,
        champion=known.champion + theirs,
        in_stage=known.in_stage + (ours.requests if counts else 0),
    )


def bucket_start(moment: datetime) -> datetime:
    """The start of the bucket that ``moment`` lies in, aligned as CloudWatch aligns them."""
    seconds = int(BUCKET.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
