"""The dispatch: what a model server must know of its endpoint to pass requests on.

It is derived from the endpoint's state and written in the same transaction, so that no server ever
acts on something that is not on record. A server may act on an old one: the alias ``challenger``
and the version that every hop expects make that harmless.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from halftone.domain.endpoint.policy_rules import without
from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.signing import SigningKey
from halftone.domain.traffic.policy import CHAMPION, Match, Mode, Rule, TrafficPolicy

DECIDE_SECONDS = 10.0
"""A server reads a dispatch older than this again before it decides by it: for so long, what was
true before a change may still be answered."""

OPEN_SECONDS = 900.0
"""What was read longer ago than this decides nothing (docs/decisions/0015)."""


@dataclass(frozen=True)
class Experiment:
    """The rollout's part: requests whose position (0 to 100) is below ``share`` are the trial's.

    ``version`` is the challenger. ``since`` is the share of the stage before: positions from there
    on are freshly drawn in this stage. ``match`` narrows who takes part; ``mirror`` is the share of
    requests that the challenger scores unseen. ``sticky`` is whether keys are drawn, and ``began``
    when the stage did.
    """

    rollout: str
    version: str
    stage: int
    mode: Mode
    share: float = 0.0
    since: float = 0.0
    mirror: float = 0.0
    match: Match | None = None
    sticky: bool = False
    began: datetime | None = None


@dataclass(frozen=True)
class RouteConfig:
    """An endpoint as its model servers see it. ``revision`` is that of the state, ``signing`` the
    keys of its requests' ids, newest first.
    """

    endpoint: str
    revision: int
    champion: str | None = None
    placed: tuple[Placed, ...] = ()
    serving: TrafficPolicy = field(default_factory=TrafficPolicy)
    trial: Experiment | None = None
    signing: tuple[SigningKey, ...] = field(default=(), repr=False)

    @property
    def named(self) -> frozenset[str]:
        """The versions that unpinned requests are sent to by their number."""
        serving = self.serving
        versions = {portion.version for portion in serving.split}
        versions |= {rule.version for rule in serving.rules}
        versions |= {serving.mirror.version} if serving.mirror else set()
        return frozenset(versions | ({self.champion} if self.champion else set()))

    @property
    def answering(self) -> dict[str, float]:
        """The percentage of unpinned requests that each version answers, where no rule matches.

        In mode weighted the alias splits: its share is the rollout's, as the record has it.
        """
        if self.champion is None or self.serving.stopped:
            return {}
        rest, by_version = 100.0, {self.champion: 100.0}
        for portion in self.serving.split:
            by_version[portion.version] = portion.share
            rest -= portion.share
        if self.trial and self.trial.share > 0:
            version, taken = self.trial.version, rest * self.trial.share / 100.0
            by_version[version] = by_version.get(version, 0.0) + taken
            rest -= taken
        return {**by_version, self.champion: rest}


_EXPOSED = frozenset(
    {Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.BAKING}
)


def route_config_of(state: EndpointState) -> RouteConfig:
    """What ``state`` means to the model servers."""
    return RouteConfig(
        endpoint=state.endpoint,
        revision=state.revision,
        champion=state.champion.version if state.champion else None,
        placed=state.placed,
        serving=_routed(state),
        trial=None if state.restored else _trial(state),
        signing=state.signing,
    )


def _routed(state: EndpointState) -> TrafficPolicy:
    """The serving of ``state`` as fronts may act on it.

    Nothing leads to what is not watched yet or was taken back. Where the record is older than what
    the aliases say, nothing leads to anybody but the front itself.
    """
    serving = state.serving
    if state.restored:
        return replace(serving, split=(), rules=(), mirror=None, probation=None)
    hidden = {bar.version for bar in state.barred}
    if serving.probation and not serving.probation.armed:
        hidden.add(serving.probation.version)
    for version in hidden:
        serving = without(serving, version)
    champion = state.champion.version if state.champion else None
    if champion is not None:
        rules = tuple(
            Rule(rule.match, champion) if rule.version == CHAMPION else rule
            for rule in serving.rules
        )
        split = tuple(portion for portion in serving.split if portion.version != champion)
        serving = replace(serving, rules=rules, split=split)
    return serving


def _trial(state: EndpointState) -> Experiment | None:
    rollout = state.active
    if rollout is None or rollout.challenger is None or rollout.phase not in _EXPOSED:
        return None
    stage = rollout.current
    if stage is None:
        return None  # on its way to its first share: until that is on record, nobody sends anything
    return Experiment(
        rollout=rollout.id,
        version=rollout.challenger,
        stage=rollout.stage,
        mode=rollout.mode,
        share=rollout.share,
        since=rollout.since,
        mirror=rollout.mirror,
        match=stage.match,
        sticky=rollout.sticky,
        began=rollout.begun[-1].at,
    )
