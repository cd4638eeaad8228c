"""What is pure and takes long, once for equal arguments: evidence and the verdict on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from halftone.domain.rollout import analysis
from halftone.domain.rollout.evidence import Evidence
from tests.property.engine.simulation import identity
from tests.property.simulation import mutations


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which remembers what it has answered since something was swapped last."""
    known: dict[object, Any] = {}

    def remembered(*arguments: object, **named: object) -> Any:
        key = (mutations.made[0], identity((*arguments, *sorted(named.items()))))
        if key not in known:
            known[key] = function(*arguments, **named)
        return known[key]

    return remembered


@contextmanager
def quickly() -> Iterator[None]:
    """Inside, evidence is folded and judged once."""
    judge, fold = once(analysis.judge), once(Evidence.fold)
    with mutations.swapped((analysis, "judge", judge), (Evidence, "fold", fold)):
        yield
