"""Evidence: what both versions did, in closed ten-second buckets.

A bucket holds counts of the challenger and of the champion *at the same time*, so that an incident
which hits both, or a base rate that drifts, does not count against the challenger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from halftone.domain.plan import Margins
from halftone.domain.rollout import KEYS, Rollout
from halftone.stats.comparison import Standing
from halftone.stats.share import Split
from halftone.stats.tally import Stratum, Tally

BUCKET = timedelta(seconds=10)


@dataclass(frozen=True)
class Arm:
    """Counts of one version: so many ``errors`` of ``requests``, ``late`` of ``timed``, and so on.

    ``timed`` are the requests that met a warm container: a new version at a small share is always
    colder than the champion, and must not be judged by that. ``over`` counts those of them that
    took longer than each of the rollout's latency limits. ``judged`` are the requests whose answer
    was compared with the truth (feedback), ``bad`` those that lost. ``paired`` were scored unseen,
    beside the champion's answer to the very same request; ``changed`` have another label.
    """

    requests: int = 0
    errors: int = 0
    timed: int = 0
    late: int = 0
    judged: int = 0
    bad: int = 0
    over: tuple[int, ...] = ()
    paired: int = 0
    changed: int = 0

    def __add__(self, other: "Arm") -> "Arm":
        return Arm(
            self.requests + other.requests,
            self.errors + other.errors,
            self.timed + other.timed,
            self.late + other.late,
            self.judged + other.judged,
            self.bad + other.bad,
            tuple(a + b for a, b in zip_longest(self.over, other.over, fillvalue=0)),
            self.paired + other.paired,
            self.changed + other.changed,
        )

    def tally(self, metric: str) -> Tally:
        """The counts of a metric: ``errors``, ``late``, ``bad``, ``changed``, ``over_0`` and on."""
        if metric == "errors":
            return Tally(self.requests, self.errors)
        if metric == "late":
            return Tally(self.timed, self.late)
        if metric == "bad":
            return Tally(self.judged, self.bad)
        if metric == "changed":
            return Tally(self.paired, self.changed)
        index = int(metric.removeprefix("over_"))
        return Tally(self.timed, self.over[index] if index < len(self.over) else 0)


@dataclass(frozen=True)
class Bucket:
    """Both versions' counts over ``BUCKET`` from ``start`` on."""

    start: datetime
    challenger: Arm = Arm()
    champion: Arm = Arm()


@dataclass(frozen=True)
class Evidence:
    """What all closed buckets of a rollout say, folded: its size does not grow with the rollout.

    ``until`` is the watermark: buckets that start before it are in. ``in_stage`` counts the
    challenger's requests since the stage numbered ``stage`` began; all else is carried over from
    stage to stage. ``splits`` are the draws between the versions, by the share that they were drawn
    with.
    """

    rollout: str
    until: datetime
    metrics: Mapping[str, Standing]
    challenger: Arm = Arm()
    champion: Arm = Arm()
    stage: int = 0
    in_stage: int = 0
    splits: tuple[Split, ...] = ()

    @classmethod
    def begin(cls, rollout: Rollout, since: datetime) -> "Evidence":
        """No evidence yet; buckets count from ``since`` (aligned) on."""
        plan = rollout.plan
        margins = {"errors": plan.errors, "late": plan.late, "bad": plan.quality}
        margins |= {f"over_{i}": plan.latency for i in range(len(rollout.latency_limits))}
        return cls(rollout.id, since, {name: _start(given) for name, given in margins.items()})

    def fold(self, buckets: Iterable[Bucket], until: datetime, rollout: Rollout) -> "Evidence":
        """This evidence with the closed buckets up to ``until``; those it has are skipped."""
        new = replace(self)
        if rollout.stage != self.stage:
            new = replace(self, stage=rollout.stage, in_stage=0)
        since = bucket_start(rollout.stage_since) if rollout.stage_since else until
        parted = not self.until <= since < until
        for bucket in buckets:
            if self.until <= bucket.start and bucket.start + BUCKET <= until:
                if not parted and bucket.start >= since:
                    new, parted = _settled(new), True
                new = _added(new, bucket, rollout)
        return replace(new if parted else _settled(new), until=max(until, self.until))


def _start(margins: Margins) -> Standing:
    return Standing.start(regression_margin=margins.regression, safety_margin=margins.safety)


def _settled(known: Evidence) -> Evidence:
    """What waits was drawn with the share before: it is bet on before a bucket of this one's.

    The change itself may have no bucket: there is none where nobody asked anything.
    """
    return replace(known, metrics={name: m.settled() for name, m in known.metrics.items()})


def _added(known: Evidence, bucket: Bucket, rollout: Rollout) -> Evidence:
    ours, theirs, since = bucket.challenger, bucket.champion, rollout.stage_since
    counts = since is not None and bucket.start >= bucket_start(since)
    strata = {name: Stratum(ours.tally(name), theirs.tally(name)) for name in known.metrics}
    metrics = {name: known.metrics[name].update(strata[name]) for name in strata}
    if counts and not _is_steady(bucket, rollout):  # different shares are not pooled
        metrics = {
            name: known.metrics[name].settled().update(strata[name]).settled() for name in strata
        }
    return replace(
        known,
        metrics=metrics,
        challenger=known.challenger + ours,
        champion=known.champion + theirs,
        in_stage=known.in_stage + (ours.requests if counts else 0),
        splits=_drawn(known.splits, bucket, rollout),
    )


def _drawn(splits: tuple[Split, ...], bucket: Bucket, rollout: Rollout) -> tuple[Split, ...]:
    """``splits`` with the draws of a bucket in which the alias stood still, by the share it had."""
    if not _is_steady(bucket, rollout):
        return splits
    expected = rollout.share / 100
    if rollout.cohorts[0] == KEYS:
        # Only keys from the last share on are drawn afresh, and counted.
        expected = (rollout.share - rollout.since) / (100.0 - rollout.since)
    ours, both = bucket.challenger.requests, bucket.challenger.requests + bucket.champion.requests
    if not 0 < expected < 1 or not both:
        return splits
    kept = tuple(split for split in splits if split.expected != expected)
    before = [split for split in splits if split.expected == expected]
    ours += sum(split.challenger for split in before)
    both += sum(split.total for split in before)
    return (*kept, Split(ours, both, expected))


def _is_steady(bucket: Bucket, rollout: Rollout) -> bool:
    """Whether all of the bucket was drawn with the present stage's share."""
    # The bucket of the change, and the one after it, in which Lambda may still be spreading the
    # word, belong to neither share; fronts ask for theirs every few seconds.
    spreading = 3 * BUCKET if rollout.guarded else BUCKET
    return rollout.stage_since is not None and bucket.start >= rollout.stage_since + spreading


def bucket_start(moment: datetime) -> datetime:
    """The start of the bucket that ``moment`` lies in, aligned as CloudWatch aligns them."""
    seconds = int(BUCKET.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
