"""A rollout plan: which shares of traffic a challenger gets, for how long, and on what evidence.

A plan is a list of stages. Each stage but the last has a share below 100 %; the last of them, the
*bake*, keeps a control on the champion. After it the challenger takes everything. How a plan is
written in YAML is the concern of ``dump_plan``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from halftone.domain.errors import InvalidInput
from halftone.domain.traffic.match_schema import dump_match
from halftone.domain.traffic.policy import Match, Mode


class OnInconclusive(StrEnum):
    """What happens when a step reaches its greatest age without a clear verdict."""

    HOLD = "hold"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Margins:
    """What counts as worse, per metric.

    ``regression`` and ``safety`` are odds ratios of challenger to champion: a regression is proven
    against the first, harmlessness against the second. ``tolerance`` is a rate in percent below
    which the metric is harmless whatever the champion does.
    """

    regression: float = 1.25
    safety: float = 2.0
    tolerance: float = 1.0


@dataclass(frozen=True)
class Stage:
    """One share of traffic, held until time has passed and evidence has come in.

    The challenger answers ``weight`` percent of the requests, or it scores ``mirror`` percent of
    them unseen while the champion answers: never both. ``match`` narrows whose requests take part.
    """

    weight: float
    min_time: timedelta = timedelta(minutes=5)
    max_time: timedelta = timedelta(hours=2)
    min_requests: int = 100
    approval: bool = False
    mirror: float = 0.0
    match: Match | None = None

    @property
    def told(self) -> str:
        """The stage's share for people: ``5 %``, or ``mirror 10 %``."""
        return f"mirror {self.mirror:g} %" if self.mirror else f"{self.weight:g} %"

    @property
    def taken(self) -> float:
        """The part (0 to 1) of the requests that the challenger answers or scores."""
        return (self.mirror or self.weight) / 100

    @property
    def drawn(self) -> float:
        """The challenger's part (0 to 1) of all answers that are compared.

        A request that is scored counts for both versions: of each 100 requests the champion has
        100 answers, the challenger ``mirror``.
        """
        return self.taken / (1 + self.taken) if self.mirror else self.taken


@dataclass(frozen=True)
class Plan:
    """Stages in order, and the rules by which each is judged.

    ``alpha`` bounds the probability that a challenger which is no worse is ever rolled back by the
    comparison, over the whole rollout and however often it is looked at. ``approve_all`` asks for a
    person's word before the challenger takes everything. What takes less than ``latency_floor``
    is never slow, however fast the champion is. ``changed`` is the percentage of scored requests
    whose label may differ from the champion's answer; 0 asks nothing of that, for a better model
    answers differently.
    """

    stages: tuple[Stage, ...]
    bakes: bool = True
    approve_all: bool = False
    alpha: float = 0.05
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD
    errors: Margins = field(default_factory=Margins)
    late: Margins = field(default_factory=lambda: Margins(tolerance=5.0))
    latency: Margins = field(default_factory=Margins)
    quality: Margins = field(default_factory=Margins)
    latency_floor: timedelta = timedelta(milliseconds=10)
    changed: float = 0.0

    def is_bake(self, stage: int) -> bool:
        """Whether the stage of that index is the bake."""
        return self.bakes and stage == len(self.stages) - 1


def check_mode(plan: Plan, mode: Mode, *, at: str = "plan") -> None:
    """See that an endpoint in ``mode`` can do what ``plan`` says.

    Raises:
        InvalidInput: naming the step that it can't.
    """
    if mode is Mode.GUARDED:
        return
    for i, stage in enumerate(plan.stages):
        if stage.match is not None and not stage.mirror:
            where = "bake" if plan.is_bake(i) else f"steps[{i}]"
            why = "none in mode weighted, where the alias draws by chance: mode guarded, or mirror"
            raise InvalidInput(f"{at}.{where}.match", dump_match(stage.match), why)


BAKE = Stage(weight=95.0, min_time=timedelta(minutes=10), max_time=timedelta(hours=6))
"""The bake of every preset that bakes."""

_HOUR, _HALF = timedelta(hours=1), timedelta(minutes=30)


def _steps(*weights: float, min_time: timedelta) -> tuple[Stage, ...]:
    return tuple(Stage(weight, min_time=min_time, max_time=4 * min_time) for weight in weights)


def _scored(share: float, *, min_time: timedelta) -> Stage:
    return Stage(0.0, mirror=share, min_time=min_time, max_time=4 * min_time)


INTERNAL = Match(addresses=("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""Private networks. An endpoint that is called from the internet sees public addresses: name those
of the office in a plan's own ``match``."""


_INTERNALLY = replace(_scored(0.1, min_time=_HOUR), match=INTERNAL)


def _gated(stage: Stage) -> Stage:
    return replace(stage, approval=True)


PRESETS: Mapping[str, Plan] = MappingProxyType(
    {
        "gradual": Plan((*_steps(5, 20, 50, min_time=_HALF), BAKE)),
        "internal": Plan(
            (
                replace(
                    _scored(0.1, min_time=_HOUR),
                    max_time=24 * _HOUR,
                    min_requests=20,
                    match=INTERNAL,
                ),
                *map(_gated, _steps(5, min_time=_HALF)),
                *_steps(20, 50, min_time=_HALF),
                BAKE,
            )
        ),
        "large-model": Plan(
            (
                _scored(1, min_time=_HOUR),
                *map(_gated, _steps(10, min_time=_HALF)),
                *_steps(50, min_time=_HALF),
                BAKE,
            )
        ),
        "all-at-once": Plan((), bakes=False),
    }
)
"""Plans that have a name; ``DESCRIPTIONS`` says what each is for."""

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "gradual": "5, 20 and 50 % for at least half an hour each, then a bake at 95 %.",
        "internal": (
            "0.1 % of the requests from private networks, scored but not answered, for at least an "
            "hour; once a person has approved, 5, 20 and 50 %, and a bake."
        ),
        "large-model": (
            "1 % scored by both models for at least an hour, with the pairs in the capture for "
            "people to look at; once a person has approved, 10 and 50 %, and a bake."
        ),
        "all-at-once": (
            "All traffic as soon as the smoke test has passed: nothing is compared, only the "
            "alarms and the way back remain."
        ),
    }
)
"""What each preset does, in a line for people."""
