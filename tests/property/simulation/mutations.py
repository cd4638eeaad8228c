"""What stands against each fault, taken out by name: with its mutation, a fault is seen again.

A mutation swaps functions and methods for others that leave one thing out, everywhere they are
known, and nothing of the source's text: it survives every rename that a script carries out.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from halftone.domain.rollout import decide as decisions
from halftone.domain.rollout.evidence import Bucket, bucket_start
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict, VerdictKind
from halftone.ports import Parts
from halftone.service.rollouts import advance, observe

Swap = tuple[object, str, object]
"""An owner (a module or a class), the name of what it has, and what stands there instead."""


@contextmanager
def swapped(*swaps: Swap) -> Iterator[None]:
    """Inside, each name means something else, wherever it was imported to."""
    undo: list[Swap] = []
    made[0] += 1
    try:
        for owner, name, instead in swaps:
            original = getattr(owner, name)
            undo.append((owner, name, original))
            setattr(owner, name, instead)
            for module in [m for n, m in sys.modules.items() if n.startswith("halftone.")]:
                for known, value in list(vars(module).items()):
                    if value is original:
                        undo.append((module, known, original))
                        setattr(module, known, instead)
        yield
    finally:
        for owner, name, original in reversed(undo):
            setattr(owner, name, original)
        made[0] += 1


made = [0]
"""How often something was swapped, or put back."""


def _counted_by_the_clock(
    parts: Parts, endpoint: str, rollout: Rollout, since: datetime, until: datetime
) -> Sequence[Bucket]:
    """Buckets of the stages before and now, parted where the plan's own clock says."""
    border = bucket_start(rollout.stage_since) if rollout.stage_since else since
    found: list[Bucket] = []
    cohorts = [rollout.cohorts_in(begun) for begun in rollout.begun[-2:]]
    for which, first, last in ((0, since, min(border, until)), (-1, max(border, since), until)):
        if first < last:
            found += parts.metrics.buckets(
                endpoint, challenger=rollout.challenger or "", champion=rollout.champion or "",
                since=first, until=last, cohorts=cohorts[which],
            )  # fmt: skip
    return found


_decide = decisions.decide


def _loss_is_no_finding(rollout: Rollout, verdict: Verdict, *rest: Any) -> Any:
    if verdict.kind is VerdictKind.LOST_TRAFFIC:
        verdict = replace(verdict, kind=VerdictKind.INCONCLUSIVE)
    return _decide(rollout, verdict, *rest)


MUTATIONS: Mapping[str, Callable[[], Sequence[Swap]]] = {
    "v": lambda: [(observe, "_counted", _counted_by_the_clock)],
    "w": lambda: [(decisions, "decide", _loss_is_no_finding)],
    "x": lambda: [(Bucket, "impossible", lambda *_, **__: "")],
    "y": lambda: [(advance, "_look_at_gate", lambda *_: None)],
}
"""By the letter of the fault."""
