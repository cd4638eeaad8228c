"""The cells of `benchmarks.error_rates`: who is no worse, or no better than the margin, and counts.

A rollout has three stages of ten minutes. What a cell does not vary is as usual: ten requests a
second, 1 % of them fail, 2 % are late, a fifth of the answers are judged and 5 % of these are bad.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from halftone.domain.model.manifest import PackageRef
from halftone.domain.rollout.analysis import log_e_lost, log_e_worse
from halftone.domain.rollout.border import Border
from halftone.domain.rollout.evidence import BUCKET, Arm, Bucket, Evidence
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Margins, Plan, Stage
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.traffic.policy import Mode
from halftone.stats.likelihood import Likelihood

SEED = 20_261_130
ALPHA = 0.05
ROLLOUTS = 300
SHARES = (5.0, 20.0, 50.0)
MINUTES = 10
STAGE = MINUTES * 60 // 10
BUCKETS = STAGE * len(SHARES)
REGRESSION, SAFETY = 1.25, 2.0
START = datetime(2026, 1, 1, tzinfo=UTC)

Floats = npt.NDArray[np.float64]
Rates = dict[str, float]
Draw = Callable[[np.random.Generator, float], Iterator[Bucket]]


@dataclass(frozen=True)
class Cell:
    """``draw`` makes the buckets of a rollout whose challenger has so many times the odds.

    ``ratio`` is that for all metrics. ``metric`` is the one that must not be called harmless.
    """

    name: str
    units: str
    draw: Draw
    ratio: float = 1.0
    metric: str = "errors"
    rollout: Rollout = None  # type: ignore[assignment]
    asks_share: bool = False

    @property
    def asks_worse(self) -> bool:
        """Whether a challenger that is ended was ended wrongly."""
        return self.ratio <= REGRESSION

    @property
    def asks_harmless(self) -> bool:
        """Whether one that is called harmless was called so wrongly."""
        return self.ratio >= SAFETY


def odds(rate: Floats | float, ratio: float) -> Any:
    """The rate whose odds are ``ratio`` times those of ``rate``."""
    return ratio * rate / (1 - rate + ratio * rate)


def rollout(**changes: Any) -> Rollout:
    """A rollout of three stages, as it stands in the last one."""
    margins = Margins(REGRESSION, SAFETY, tolerance=0.5)
    plan = Plan(
        tuple(Stage(share) for share in SHARES), bakes=False, alpha=ALPHA,
        errors=margins, late=margins, quality=margins,
    )  # fmt: skip
    mirror = changes.pop("mirror", 0.0)
    borders, since = [], 0.0
    for stage, share in enumerate(SHARES):
        at = START + stage * STAGE * BUCKET
        borders.append(Border(stage, at, 0.0 if mirror else share, since, mirror))
        since = 0.0 if mirror else share
    given: dict[str, Any] = {
        "id": "r", "plan": plan, "package": PackageRef("m", "0" * 64), "settings": "s",
        "actor": "a", "started_at": START, "champion": "1", "challenger": "2", "stage": 2,
        "share": borders[-1].share, "since": borders[-1].since, "stage_since": borders[-1].at,
        "exposed_at": START, "borders": tuple(borders), "phase": Phase.OBSERVING,
        "mirror": mirror,
    }  # fmt: skip
    return Rollout(**{**given, **changes})


class _Blind(Likelihood):
    """No estimate is asked for here, and it is most of what a bucket costs."""

    def update(self, stratum: object) -> "_Blind":  # noqa: ARG002
        return self


def run(name: str, rollouts: int) -> Rates:
    """How often the analysis ended, or passed, so many rollouts of the cell of that name."""
    return measured(next(cell for cell in CELLS if cell.name == name), rollouts)


def measured(cell: Cell, rollouts: int) -> Rates:
    """The same for so many rollouts of ``cell``."""
    counts = {"worse": 0, "harmless": 0, "lost": 0}
    for number in range(rollouts):
        rng = np.random.default_rng([SEED, zlib.crc32(cell.name.encode()), number])
        for what in judged(cell.rollout, cell.draw(rng, cell.ratio), cell.metric):
            counts[what] += 1
    return {"rollouts": float(rollouts)} | {w: count / rollouts for w, count in counts.items()}


def judged(of: Rollout, buckets: Iterator[Bucket], metric: str) -> set[str]:
    """What was ever proven of a rollout, looked at after each of its buckets."""
    found: set[str] = set()
    known = Evidence.begin(of, START)
    blind = _Blind()
    known = replace(
        known, metrics={name: replace(m, likelihood=blind) for name, m in known.metrics.items()}
    )
    for bucket in buckets:
        known = known.fold([bucket], bucket.start + BUCKET, of)
        if log_e_worse(
            {
                n: SimpleNamespace(log_e_regression=m.regression.log_e)
                for n, m in known.metrics.items()
            }
        ) >= -math.log(ALPHA):
            found.add("worse")
        margins = of.plan.quality if metric == "bad" else of.plan.errors
        tolerance = margins.tolerance / 100
        if known.metrics[metric].log_e_harmless(tolerance) >= -math.log(ALPHA):
            found.add("harmless")
        if log_e_lost(known) >= -math.log(0.01):
            found.add("lost")
    return found


# Traffic --------------------------------------------------------------------------------------


def _start(bucket: int) -> datetime:
    return START + timedelta(seconds=10 * bucket)


def _share(bucket: int) -> float:
    return SHARES[bucket // STAGE] / 100


def requests(rate: float | Floats = 0.01, *, per_second: float = 10.0, limits: int = 0) -> Draw:
    """Requests that are drawn one by one, and fail at ``rate`` (by bucket, perhaps)."""

    def draw(rng: np.random.Generator, ratio: float) -> Iterator[Bucket]:
        fails = np.broadcast_to(rate, BUCKETS)
        for i in range(BUCKETS):
            arms = []
            for part, times in ((_share(i), ratio), (1 - _share(i), 1.0)):
                n = int(rng.poisson(per_second * 10 * part))
                judged_of = int(rng.binomial(n, 0.2))
                # Of nested limits each is exceeded by those only who exceed the one before.
                over, left, before = [], n, 1.0
                for quantile in (0.5, 0.1, 0.01)[:limits]:
                    part_over = odds(quantile, times)
                    left = int(rng.binomial(left, part_over / before))
                    before = part_over
                    over.append(left)
                arms.append(
                    Arm(
                        n,
                        int(rng.binomial(n, odds(fails[i], times))),
                        n,
                        int(rng.binomial(n, odds(0.02, times))),
                        judged_of,
                        int(rng.binomial(judged_of, odds(0.05, times))),
                        tuple(over),
                    )
                )
            yield Bucket(_start(i), *arms)

    return draw


def scored(rate: float = 0.03) -> Draw:
    """Requests of which the challenger scores a tenth unseen: those are in both arms.

    Half of what fails lies in the input, and fails with either version.
    """

    def draw(rng: np.random.Generator, ratio: float) -> Iterator[Bucket]:
        for i in range(BUCKETS):
            n = int(rng.poisson(100))
            luck, input_of = rng.random(n), rng.random(n) < 0.5
            theirs = luck < rate
            other = np.where(input_of, luck, rng.random(n))
            unseen = rng.random(n) < 0.1
            mine = unseen & (other < odds(rate, ratio))
            shown = int(unseen.sum())
            champion = Arm(n, int(theirs.sum()), n, 0)
            yield Bucket(_start(i), Arm(shown, int(mine.sum()), shown, 0), champion)

    return draw


FOLLOWED, LIFE = 30, 8
"""Buckets for which a key is followed, and requests of each key, three buckets apart."""


def keys(ever: float, *, an_hour: float = 3600.0, luck: float = 1.0, twice: bool = False) -> Draw:
    """Keys that ask eight times; ``ever`` of the champion's fail at all while they are followed.

    A part ``luck`` of them can fail at all, each of these as often as it takes. ``twice`` counts a
    key that fails late as one more key, as an earlier release did.
    """

    def draw(rng: np.random.Generator, ratio: float) -> Iterator[Bucket]:
        counts = np.zeros((BUCKETS + LIFE * 3, 2, 2), dtype=np.int64)
        for i in range(BUCKETS):
            stage = i // STAGE
            since = SHARES[stage - 1] if stage else 0.0
            fresh = (SHARES[stage] - since) / (100 - since)
            for arm, part, times in ((0, fresh, ratio), (1, 1 - fresh, 1.0)):
                new = int(rng.poisson(an_hour / 360 * part * (1 - since / 100)))
                each = 1 - (1 - odds(ever, times) / luck) ** (1 / LIFE)
                able = rng.random(new) < luck
                failed = (rng.random((new, LIFE)) < each) & able[:, None]
                counts[i, arm] += (new, int(failed.any(axis=1).sum()))
                if twice:
                    later = failed.any(axis=1) & ~failed[:, 0]
                    counts[i, arm, 1] -= int(later.sum())
                    first = failed[later].argmax(axis=1)
                    np.add.at(counts, (i + 3 * first, arm, 0), 1)
                    np.add.at(counts, (i + 3 * first, arm, 1), 1)
        for i in range(BUCKETS):
            (n, x), (m, y) = counts[i].tolist()
            yield Bucket(_start(i), Arm(n, x), Arm(m, y))

    return draw


def _drift() -> Floats:
    return np.linspace(0.005, 0.03, BUCKETS)


def _incident() -> Floats:
    rate = np.full(BUCKETS, 0.01)
    rate[70:100] = 0.3
    return rate


WEIGHTED, STICKY = rollout(), rollout(mode=Mode.GUARDED, sticky=True)
LIMITED = rollout(latency_limits=(10.0, 50.0, 90.0))
UNSEEN = rollout(mirror=10.0)

CELLS = (
    Cell("equal, all metrics", "requests", requests(limits=3), rollout=LIMITED, asks_share=True),
    Cell("equal, an incident hits both", "requests", requests(_incident()), rollout=WEIGHTED,
         asks_share=True),
    Cell("equal, errors drift", "requests", requests(_drift()), rollout=WEIGHTED, asks_share=True),
    Cell("equal, 6 a minute", "requests", requests(per_second=0.1), rollout=WEIGHTED,
         asks_share=True),
    Cell("equal, 3 % fail", "keys", keys(0.03), rollout=STICKY, asks_share=True),
    Cell("equal, 50 % fail", "keys", keys(0.5), rollout=STICKY),
    Cell("equal, scored unseen", "requests", scored(), rollout=UNSEEN),
    Cell("1.25 times the odds, all metrics", "requests", requests(limits=3), REGRESSION,
         rollout=LIMITED),
    Cell("1.25 times the odds, errors drift", "requests", requests(_drift()), REGRESSION,
         rollout=WEIGHTED),
    Cell("1.25 times the odds, 50 % fail", "keys", keys(0.5), REGRESSION, rollout=STICKY),
    Cell("twice the odds, errors", "requests", requests(), SAFETY, rollout=WEIGHTED),
    Cell("twice the odds, errors drift", "requests", requests(_drift()), SAFETY,
         rollout=WEIGHTED),
    Cell("twice the odds, 1 a second", "requests", requests(per_second=1), SAFETY,
         rollout=WEIGHTED),
    Cell("twice the odds, feedback", "requests", requests(), SAFETY, "bad", rollout=WEIGHTED),
    Cell("twice the odds, scored unseen", "requests", scored(), SAFETY, rollout=UNSEEN),
    Cell("twice the odds, 3 % fail", "keys", keys(0.03), SAFETY, rollout=STICKY),
    Cell("twice the odds, 50 % fail", "keys", keys(0.5), SAFETY, rollout=STICKY),
    Cell("twice the odds, half of the users have all of it", "keys", keys(0.3, luck=0.5), SAFETY,
         rollout=STICKY),
    Cell("2.2 times the odds, 50 % fail, counted again (earlier releases)", "keys",
         keys(0.5, twice=True), 2.2, rollout=STICKY),
)  # fmt: skip
"""All cells of the table; the last one is what decision 8 did away with."""
