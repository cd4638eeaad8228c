"""The cells of `benchmarks.detection`: a scenario, judged by Halftone and by its rivals.

Each cell draws from a seed of its own, made from its name, so that any one can be run again alone.
"""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks import detection_rivals as rivals
from benchmarks import detection_traffic as traffic
from benchmarks.detection_traffic import BUCKETS, Errors, Ints, Latencies, Users
from halftone.stats import GRID, POOLED, Capital, Stratum, Tally, combine

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
        counts = self.simulate(np.random.default_rng([SEED, seed, 0]))
        if self.kind == "safe":
            return {"halftone": summary(counts, judged(counts, Capital.on_safety()))}
        if self.kind == "plans":
            return {
                plan: summary(counts, rivals.obrien_fleming(counts, buckets=buckets))
                for plan, buckets in PLANS.items()
            }
        if self.kind == "stakes":
            equal = Capital.on_regression(grid=tuple((factor, 1.0) for factor, _ in GRID))
            return {
                "staked": summary(counts, judged(counts, Capital.on_regression())),
                "equal": summary(counts, judged(counts, equal)),
            }
        return {
            "halftone": summary(counts, judged(counts, Capital.on_regression())),
            "threshold": summary(counts, rivals.threshold_alarm(counts)),
            "z": summary(counts, rivals.repeated_z(counts)),
            "obrien_fleming": summary(counts, rivals.obrien_fleming(counts)),
            "kayenta": summary(
                counts, rivals.kayenta(counts, np.random.default_rng([SEED, seed, 1]))
            ),
        }


def judged(counts: Errors | Latencies, start: Capital) -> Ints:
    """Halftone's decision by rollout: the first bucket at whose end the e-value is 20, or -1."""
    x, y = (
        (counts.x[..., None], counts.y[..., None])
        if isinstance(counts, Errors)
        else (counts.above, counts.above_champion)
    )
    return np.array(
        [_decision(*rollout, start) for rollout in zip(counts.n, counts.m, x, y, strict=True)]
    )


def _decision(n: Ints, m: Ints, x: Ints, y: Ints, start: Capital) -> int:
    """The same of one rollout; ``x`` and ``y`` are (buckets, metrics), judged by their mean."""
    capitals = [start] * x.shape[1]
    ends = pools(n + m)
    n, m, x, y = (_sums(counts, ends) for counts in (n, m, x, y))
    for pool in np.flatnonzero((x + y).any(axis=1)).tolist():  # others change no capital
        counts = zip(x[pool].tolist(), y[pool].tolist(), strict=True)
        ours, theirs = int(n[pool]), int(m[pool])
        capitals = [
            capital.update(Stratum(Tally(ours, a), Tally(theirs, b)))
            for capital, (a, b) in zip(capitals, counts, strict=True)
        ]
        if combine([capital.log_e for capital in capitals]) >= PROVEN:
            return int(ends[pool])
    return -1


def pools(units: Ints) -> Ints:
    """The last bucket of each pool, as `halftone.stats.pooled` ends them; the rest waits.

    Where the share changes the engine lets a pool end early; twenty units make no difference here.
    """
    ends, waiting = [], 0
    for bucket, count in enumerate(units.tolist()):
        waiting += count
        if waiting >= POOLED:
            ends.append(bucket)
            waiting = 0
    return np.array(ends, dtype=np.int64)


def _sums(counts: Ints, ends: Ints) -> Ints:
    """``counts`` by bucket, summed over each pool."""
    whole = np.cumsum(counts, axis=0)[ends]
    return np.diff(whole, axis=0, prepend=np.zeros_like(whole[:1]))


def summary(counts: Errors | Latencies, bucket: Ints) -> dict[str, float | None]:
    """Share of rollouts decided in three hours and in half an hour; challenger requests until then.

    The median and the 90th percentile count undecided rollouts as longest, and are None among them.
    """
    units = counts.requests if isinstance(counts, Errors) else None
    requests = counts.n if units is None else units
    used = np.cumsum(requests, axis=1)[np.arange(len(bucket)), bucket].astype(float)
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
        *(cell for cell in _equal(0.1, 1000) if not cell.name.startswith("clustered")),
        *(cell for rate in (10, 1) for cell in _quiet(rate, 250)),
        *(cell for rate in (10, 1) for cell in (*_worse(rate), *_slower(rate, 250))),
        *(cell for rate in (10, 1) for cell in _sticky(rate, 500)),
        *(
            _shifted(f"errors {name}, 0.1/s", "worse", 0.1, *PAIRS[name])
            for name in ("0.5 to 5 %", "1 to 50 %")
        ),
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
    scenarios: dict[str, Callable[[np.random.Generator], Errors]] = {
        "null": lambda rng: traffic.errors(rng, rollouts, rate, rate=0.01),
        "incident": lambda rng: traffic.errors(rng, rollouts, rate, rate=burst),
        "ramp": lambda rng: traffic.errors(rng, rollouts, rate, rate=drift, share=share),
        **{
            f"clustered{kind}, {unit} counted": partial(
                drawn, rollouts=rollouts, per_second=rate, by_key=unit == "keys"
            )
            for kind, drawn in (("", traffic.visitors), (" ramp", traffic.regulars))
            for unit in ("keys", "requests")
        },
    }
    return [Cell(f"{name}, {rate}/s", "equal", simulate) for name, simulate in scenarios.items()]


def _quiet(rate: float, rollouts: int) -> list[Cell]:
    load = traffic.incident(1.0, 2.0)
    scenarios: dict[str, Callable[[np.random.Generator], Latencies]] = {
        "latency null": lambda rng: traffic.latencies(rng, rollouts, rate),
        "latency incident": lambda rng: traffic.latencies(rng, rollouts, rate, load=load),
    }
    return [Cell(f"{name}, {rate}/s", "equal", simulate) for name, simulate in scenarios.items()]


def _worse(rate: float) -> list[Cell]:
    return [
        _shifted(f"errors {name}, {rate}/s", "worse", rate, *pair) for name, pair in PAIRS.items()
    ]


def _sticky(rate: float, rollouts: int) -> list[Cell]:
    """Detection under sticky routing: errors that come by user, and errors that do not."""
    scenarios: dict[str, tuple[Users, Users, bool]] = {
        "clustered errors 1 to 3 %, keys counted": (Users(0.02), Users(0.06), True),
        "clustered errors 1 to 3 %, requests counted": (Users(0.02), Users(0.06), False),
        "clustered errors 0.5 to 5 %, keys counted": (Users(0.01), Users(0.1), True),
        "errors of any user 1 to 3 %, keys counted": (Users(1, 0.01), Users(1, 0.03), True),
    }
    return [
        Cell(
            f"{name}, {rate}/s",
            "worse",
            partial(
                traffic.visitors,
                rollouts=rollouts,
                per_second=rate,
                by_key=by_key,
                users=users,
                worse=worse,
            ),
        )
        for name, (users, worse, by_key) in scenarios.items()
    ]


def _slower(rate: float, rollouts: int) -> list[Cell]:
    scenarios: dict[str, Callable[[np.random.Generator], Latencies]] = {
        "latency +20 %": lambda rng: traffic.latencies(rng, rollouts, rate, overall=1.2),
        "latency +20 % in the tail": lambda rng: traffic.latencies(rng, rollouts, rate, tail=1.2),
        "2 % stalls": lambda rng: traffic.latencies(rng, rollouts, rate, stalls=0.02),
    }
    return [Cell(f"{name}, {rate}/s", "worse", simulate) for name, simulate in scenarios.items()]
