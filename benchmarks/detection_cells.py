"""The cells of `benchmarks.detection`: a scenario, judged by Halftone and by its rivals.

Each cell draws from a seed of its own, made from its name, so that any one can be run again alone.
"""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import detection_rivals as rivals
from benchmarks import detection_traffic as traffic
from benchmarks.detection_traffic import BUCKETS, Errors, Ints, Latencies
from halftone.stats import GRID, Capital, Stratum, Tally, combine

SEED = 20_260_401
PROVEN = math.log(20)
HALF_HOUR = 1800 // traffic.SECONDS
# O'Brien-Fleming's test must be told in advance how long the rollout will take.
PLANS = {"30 min": BUCKETS // 6, "1 h": BUCKETS // 3, "2 h": 2 * BUCKETS // 3, "3 h": BUCKETS}

# Error rates of champion and challenger.
PAIRS = {
    "1 to 2 %": (0.01, 0.02),
    "1 to 3 %": (0.01, 0.03),
    "0.5 to 5 %": (0.005, 0.05),
    "1 to 50 %": (0.01, 0.5),
}

Result = dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Cell:
    """``simulate`` draws rollouts; ``kind`` says what is asked of them.

    equal: an alarm is a false one. worse: an alarm is due. safe: how soon Halftone proves an equal
    challenger harmless. plans: O'Brien-Fleming's test told different durations. stakes: Halftone's
    stakes against equal ones.
    """

    name: str
    kind: str
    simulate: Callable[[np.random.Generator], Errors | Latencies]

    def run(self) -> Result:
        """How often and when each judge decided: see `summary`."""
        seed = zlib.crc32(self.name.encode())
        seen = self.simulate(np.random.default_rng([SEED, seed, 0]))
        if self.kind == "safe":
            return {"halftone": summary(seen.n, judged(seen, Capital.on_safety()))}
        if self.kind == "plans":
            return {
                plan: summary(seen.n, rivals.obrien_fleming(seen, buckets=buckets))
                for plan, buckets in PLANS.items()
            }
        if self.kind == "stakes":
            equal = Capital.on_regression(grid=tuple((factor, 1.0) for factor, _ in GRID))
            return {
                "staked": summary(seen.n, judged(seen, Capital.on_regression())),
                "equal": summary(seen.n, judged(seen, equal)),
            }
        return {
            "halftone": summary(seen.n, judged(seen, Capital.on_regression())),
            "threshold": summary(seen.n, rivals.threshold_alarm(seen)),
            "z": summary(seen.n, rivals.repeated_z(seen)),
            "obrien_fleming": summary(seen.n, rivals.obrien_fleming(seen)),
            "kayenta": summary(
                seen.n, rivals.kayenta(seen, np.random.default_rng([SEED, seed, 1]))
            ),
        }


def judged(seen: Errors | Latencies, start: Capital) -> Ints:
    """Halftone's decision by rollout: the first bucket at whose end the e-value is 20, or -1."""
    x, y = (
        (seen.x[..., None], seen.y[..., None])
        if isinstance(seen, Errors)
        else (seen.above, seen.above_champion)
    )
    return np.array(
        [_decision(*rollout, start) for rollout in zip(seen.n, seen.m, x, y, strict=True)]
    )


def _decision(n: Ints, m: Ints, x: Ints, y: Ints, start: Capital) -> int:
    """The same of one rollout; ``x`` and ``y`` are (buckets, metrics), judged by their mean."""
    capitals = [start] * x.shape[1]
    for bucket in np.flatnonzero((x + y).any(axis=1)).tolist():  # others change no capital
        counts = zip(x[bucket].tolist(), y[bucket].tolist(), strict=True)
        ours, theirs = int(n[bucket]), int(m[bucket])
        capitals = [
            capital.update(Stratum(Tally(ours, a), Tally(theirs, b)))
            for capital, (a, b) in zip(capitals, counts, strict=True)
        ]
        if combine([capital.log_e for capital in capitals]) >= PROVEN:
            return int(bucket)
    return -1


def summary(n: Ints, bucket: Ints) -> dict[str, float | None]:
    """Share of rollouts decided in three hours and in half an hour; challenger requests until then.

    The median and the 90th percentile count undecided rollouts as longest, and are None among them.
    """
    used = np.cumsum(n, axis=1)[np.arange(len(bucket)), bucket].astype(float)
    used[bucket < 0] = math.inf
    median, slow = np.quantile(used, [0.5, 0.9], method="inverted_cdf")
    return {
        "decided": float((bucket >= 0).mean()),
        "in_half_an_hour": float(((bucket >= 0) & (bucket < HALF_HOUR)).mean()),
        "median": None if math.isinf(median) else float(median),
        "p90": None if math.isinf(slow) else float(slow),
    }


def cells() -> list[Cell]:
    """All cells of the table."""
    return [
        *(cell for rate in (10, 1) for cell in _equal(rate, 1000)),
        *(cell for rate in (10, 1) for cell in _quiet(rate, 250)),
        *(cell for rate in (10, 1) for cell in (*_worse(rate), *_slower(rate, 250))),
        _shifted("errors 1 to 2 %, half the traffic, 1/s", "worse", 1, 0.01, 0.02, share=0.5),
        *(_shifted(f"equal at 1 %, {rate}/s", "safe", rate, 0.01, 0.01) for rate in (10, 1)),
        _shifted("equal at 10 %, 1/s", "safe", 1, 0.1, 0.1),
        *(_shifted(f"plans, {name}", "plans", 10, *pair) for name, pair in PAIRS.items()),
        *(_shifted(f"stakes, {name}", "stakes", 10, *pair) for name, pair in PAIRS.items()),
    ]


def _shifted(
    name: str, kind: str, rate: float, base: float, worse: float, *, share: float = traffic.SHARE
) -> Cell:
    rollouts = 1500 if rate >= 10 else 500

    def simulate(rng: np.random.Generator) -> Errors:
        return traffic.errors(rng, rollouts, rate, rate=base, worse=worse, share=share)

    return Cell(name, kind, simulate)


def _equal(rate: float, rollouts: int) -> list[Cell]:
    share, drift = traffic.ramp()
    burst = traffic.incident(0.01, 0.2)
    made: dict[str, Callable[[np.random.Generator], Errors]] = {
        "null": lambda rng: traffic.errors(rng, rollouts, rate, rate=0.01),
        "incident": lambda rng: traffic.errors(rng, rollouts, rate, rate=burst),
        "ramp": lambda rng: traffic.errors(rng, rollouts, rate, rate=drift, share=share),
        "clustered, keys counted": lambda rng: traffic.clustered(rng, rollouts, rate, by_key=True),
        "clustered, requests counted": lambda rng: traffic.clustered(
            rng, rollouts, rate, by_key=False
        ),
    }
    return [Cell(f"{name}, {rate}/s", "equal", simulate) for name, simulate in made.items()]


def _quiet(rate: float, rollouts: int) -> list[Cell]:
    load = traffic.incident(1.0, 2.0)
    made: dict[str, Callable[[np.random.Generator], Latencies]] = {
        "latency null": lambda rng: traffic.latencies(rng, rollouts, rate),
        "latency incident": lambda rng: traffic.latencies(rng, rollouts, rate, load=load),
    }
    return [Cell(f"{name}, {rate}/s", "equal", simulate) for name, simulate in made.items()]


def _worse(rate: float) -> list[Cell]:
    return [
        _shifted(f"errors {name}, {rate}/s", "worse", rate, *pair) for name, pair in PAIRS.items()
    ]


def _slower(rate: float, rollouts: int) -> list[Cell]:
    made: dict[str, Callable[[np.random.Generator], Latencies]] = {
        "latency +20 %": lambda rng: traffic.latencies(rng, rollouts, rate, overall=1.2),
        "latency +20 % in the tail": lambda rng: traffic.latencies(rng, rollouts, rate, tail=1.2),
        "2 % stalls": lambda rng: traffic.latencies(rng, rollouts, rate, stalls=0.02),
    }
    return [Cell(f"{name}, {rate}/s", "worse", simulate) for name, simulate in made.items()]
