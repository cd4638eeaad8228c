"""Evidence: what both versions did, in closed ten-second buckets.

A bucket holds counts of the challenger and of the champion *at the same time*, so that an incident
which hits both, or a base rate that drifts, does not count against the challenger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import zip_longest

from halftone.domain.rollout.border import BUCKET, Border, bucket_start
from halftone.domain.rollout.plan import Margins
from halftone.domain.rollout.rollout import Rollout
from halftone.stats.comparison import Standing
from halftone.stats.share import ShareWindows, Split, added
from halftone.stats.tally import Stratum, Tally

__all__ = ["BUCKET", "NO_COUNT", "Arm", "Bucket", "Doubt", "Evidence", "bucket_start"]

WATCHED = timedelta(minutes=2)
"""For how long after it was counted a bucket is read again, and what is found then holds."""

NO_COUNT = -1
"""What stands for a count that the platform gave as no whole number."""


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

    def impossible(self, *, keyed: bool) -> str:
        """Why these can't be counts of one version, or nothing.

        A key (``keyed``) may be counted as timed in another bucket than as seen.
        """
        parts = [
            ("errors", "requests"),
            ("late", "timed"),
            ("bad", "judged"),
            ("changed", "paired"),
        ]
        parts += [] if keyed else [("timed", "requests"), ("paired", "requests")]
        pairs = [(part, getattr(self, part), whole, getattr(self, whole)) for part, whole in parts]
        pairs += [(f"over[{i}]", count, "timed", self.timed) for i, count in enumerate(self.over)]
        for part, count, whole, most in pairs:
            if count < 0 or most < 0:
                return f"{part if count < 0 else whole} is no count"
            if count > most:
                return f"{count} {part} of {most} {whole}"
        return ""

    def differs(self, later: "Arm") -> bool:
        """Whether ``later`` says something else: less of anything, or visibly more.

        Metrics trickle in. Up to a hundredth of the units that come late decide nothing.
        """
        counts = zip_longest(self.every_count, later.every_count, fillvalue=0)
        return any(not 0 <= now - was <= self.requests // 100 for was, now in counts)

    @property
    def every_count(self) -> tuple[int, ...]:
        """All counts in a fixed order."""
        whole = (self.requests, self.errors, self.timed, self.late, self.judged, self.bad)
        return (*whole, self.paired, self.changed, *self.over)


@dataclass(frozen=True)
class Bucket:
    """Both versions' counts over ``BUCKET`` from ``start`` on."""

    start: datetime
    challenger: Arm = Arm()
    champion: Arm = Arm()

    def impossible(self, *, keyed: bool) -> str:
        """Why these can't be counts, or nothing; see ``Arm``."""
        for name, arm in (("challenger", self.challenger), ("champion", self.champion)):
            if why := arm.impossible(keyed=keyed):
                return f"the {name} has {why}"
        return ""

    def differs(self, later: "Bucket") -> bool:
        """Whether ``later``, read of the same ten seconds, says something else; see ``Arm``."""
        ours, theirs = self.challenger, self.champion
        return ours.differs(later.challenger) or theirs.differs(later.champion)


@dataclass(frozen=True)
class Doubt:
    """A bucket whose counts can't be right, or changed after they had been counted.

    ``since`` is the watermark of the look that noticed it.
    """

    start: datetime
    since: datetime
    why: str


@dataclass(frozen=True)
class Evidence:
    """What all closed buckets of a rollout say, folded: its size does not grow with the rollout.

    ``until`` is the watermark: buckets that start before it are in. ``in_stage`` counts the
    challenger's units since the stage numbered ``stage`` began, ``beside`` the champion's; all else
    is carried over from stage to stage. ``splits`` are the draws between the versions, by the share
    that they were drawn with, ``windows`` the bets on them that begin anew again and again.

    ``counted`` are the buckets from ``watched`` on as they were when they were counted; read again,
    they must say the same. ``doubts`` are what was noticed lately, and ``set_aside`` how many
    buckets were not counted at all because their counts are impossible.
    """

    rollout: str
    until: datetime
    metrics: Mapping[str, Standing]
    challenger: Arm = Arm()
    champion: Arm = Arm()
    stage: int = 0
    in_stage: int = 0
    splits: tuple[Split, ...] = ()
    beside: int = 0
    windows: ShareWindows = field(default_factory=ShareWindows)
    watched: datetime | None = None
    counted: tuple[Bucket, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    set_aside: int = 0

    @classmethod
    def begin(cls, rollout: Rollout, since: datetime) -> "Evidence":
        """No evidence yet; buckets count from ``since`` (aligned) on."""
        plan = rollout.plan
        margins = {"errors": plan.errors, "late": plan.late, "bad": plan.quality}
        margins |= {f"over_{i}": plan.latency for i in range(len(rollout.latency_limits))}
        return cls(rollout.id, since, {name: _start(margin) for name, margin in margins.items()})

    def fold(
        self,
        buckets: Iterable[Bucket],
        until: datetime,
        rollout: Rollout,
        *,
        again: datetime | None = None,
    ) -> "Evidence":
        """This evidence with the closed buckets up to ``until``; those it has are skipped.

        Each belongs to the stage whose border is the last one before it. All buckets from ``again``
        on (None: none) that were counted before are among ``buckets``: what they say now is held
        against what they said then, and changes nothing of what was counted.
        """
        until = max(until, self.until)
        new = (
            self
            if rollout.stage == self.stage
            else replace(self, stage=rollout.stage, in_stage=0, beside=0)
        )
        every = sorted(buckets, key=lambda bucket: bucket.start)
        doubts = [*self._revised(every, until, again)]
        borders = [b.start for b in rollout.begun if self.until <= b.start < until]
        at, counted = self.until, []
        for bucket in every:
            if not at <= bucket.start <= until - BUCKET:
                continue
            at = bucket.start + BUCKET
            counted.append(bucket)
            while borders and borders[0] <= bucket.start:
                new, borders = _settled(new), borders[1:]
            owner = rollout.owner(bucket.start)
            if why := bucket.impossible(keyed=rollout.counts_keys_in(owner)):
                doubts.append(Doubt(bucket.start, until, why))
                new = replace(new, set_aside=new.set_aside + 1)
            else:
                new = _added(new, bucket, rollout, owner)
        return replace(
            _settled(new) if borders else new,
            until=until,
            watched=max(self.watched or self.until, until - WATCHED),
            counted=tuple(b for b in (*self.counted, *counted) if b.start >= until - WATCHED),
            doubts=tuple(d for d in (*self.doubts, *doubts) if until - WATCHED < d.since)[
                -_MOST_DOUBTS:
            ],
        )

    @property
    def again(self) -> datetime:
        """From when on counted buckets are to be read again with those that are new."""
        return max(self.watched or self.until, self.until - WATCHED)

    def _revised(
        self, buckets: Iterable[Bucket], until: datetime, again: datetime | None
    ) -> Iterable[Doubt]:
        """What was counted and reads otherwise now."""
        if again is None:
            return
        now = {bucket.start: bucket for bucket in buckets}
        then = {bucket.start: bucket for bucket in self.counted}
        doubted = {doubt.start for doubt in self.doubts}
        for start in sorted(now.keys() | then.keys()):
            if not max(again, self.again) <= start < self.until or start in doubted:
                continue
            was, read = then.get(start, Bucket(start)), now.get(start, Bucket(start))
            if was.differs(read):
                yield Doubt(
                    start, until, f"{_describe(was)} were counted, it reads {_describe(read)} now"
                )


_MOST_DOUBTS = 20


def _describe(bucket: Bucket) -> str:
    ours, theirs = bucket.challenger, bucket.champion
    return f"{ours.requests} + {theirs.requests} with {ours.errors} + {theirs.errors} errors"


def _start(margins: Margins) -> Standing:
    return Standing.start(regression_margin=margins.regression, safety_margin=margins.safety)


def _settled(evidence: Evidence) -> Evidence:
    """What waits was drawn with the share before: it is bet on before a bucket of this one's.

    The change itself may have no bucket: there is none where nobody asked anything.
    """
    return replace(evidence, metrics={name: m.settled() for name, m in evidence.metrics.items()})


def _added(evidence: Evidence, bucket: Bucket, rollout: Rollout, owner: Border | None) -> Evidence:
    ours, theirs = bucket.challenger, bucket.champion
    strata = {name: Stratum(ours.tally(name), theirs.tally(name)) for name in evidence.metrics}
    metrics = {name: evidence.metrics[name].update(strata[name]) for name in strata}
    if owner is not None and not _is_steady(bucket, rollout, owner):
        # Different shares are not pooled.
        metrics = {
            name: evidence.metrics[name].settled().update(strata[name]).settled() for name in strata
        }
    present = owner is not None and owner.stage == evidence.stage
    split = _drawn(bucket, rollout, owner)
    return replace(
        evidence,
        metrics=metrics,
        challenger=evidence.challenger + ours,
        champion=evidence.champion + theirs,
        in_stage=evidence.in_stage + (ours.requests if present else 0),
        beside=evidence.beside + (theirs.requests if present else 0),
        splits=added(evidence.splits, split) if split else evidence.splits,
        windows=evidence.windows.update(split) if split else evidence.windows,
    )


def _drawn(bucket: Bucket, rollout: Rollout, owner: Border | None) -> Split | None:
    """The draws of a bucket in which the alias stood still, by the share of its stage."""
    if owner is None or not _is_steady(bucket, rollout, owner):
        return None
    # Only keys from the last share on are drawn afresh, and counted.
    expected = owner.drawn_afresh if rollout.counts_keys_in(owner) else owner.drawn
    ours, both = bucket.challenger.requests, bucket.challenger.requests + bucket.champion.requests
    return Split(ours, both, expected) if both and 0 < expected < 1 else None


def _is_steady(bucket: Bucket, rollout: Rollout, owner: Border) -> bool:
    """Whether all of the bucket was drawn with the share of the stage that it belongs to."""
    # The bucket of the change, and the one after it, in which Lambda may still be spreading the
    # word, belong to neither share; fronts ask for theirs every few seconds.
    spreading = 3 * BUCKET if rollout.guarded else BUCKET
    return bucket.start >= owner.at + spreading
