"""The harvest's ports in memory."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from halftone.domain.insight.capture import KeyObservation
from halftone.domain.insight.sticky_keys import FOLLOWED, News, Seen, news, seen_in
from halftone.ports.capture import CapturePorts, Observation


@dataclass
class MemoryFiles:
    """Port ``Files``."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, data: bytes) -> None:
        """See the port."""
        self.kept[name] = data


@dataclass
class MemoryKeys:
    """Port ``Keys``."""

    known: dict[tuple[str, str, int, str, str], tuple[Seen, str, News]] = field(
        default_factory=dict
    )
    begun: set[tuple[str, str, int, str]] = field(default_factory=set)
    followed: timedelta = FOLLOWED

    def see(self, endpoint: str, sighting: KeyObservation, batch: str) -> News:
        """See the port."""
        name = (endpoint, sighting.rollout, sighting.stage, sighting.version, sighting.key)
        before = self.known.get(name)
        if before and before[1] == batch:
            return before[2]
        now = before[0].and_then(seen_in(sighting)) if before else seen_in(sighting)
        added = news(before[0] if before else None, sighting, followed=self.followed)
        if added:
            self.known[name] = (now, batch, added)
        return added

    def begin(self, endpoint: str, rollout: str, stage: int, batch: str) -> bool:
        """See the port."""
        name = (endpoint, rollout, stage, batch)
        if name in self.begun:
            return False
        self.begun.add(name)
        return True

    def failed(self, endpoint: str, rollout: str, stage: int, batch: str) -> None:
        """See the port."""
        self.begun.discard((endpoint, rollout, stage, batch))


@dataclass
class MemoryKeyMetrics:
    """Port ``KeyMetrics``: how often each value was published, by endpoint and observation."""

    counted: dict[tuple[str, Observation], dict[float, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )

    def publish_keys(
        self, endpoint: str, counts: Mapping[Observation, Mapping[float, int]]
    ) -> None:
        """See the port."""
        for where, values in counts.items():
            for value, count in values.items():
                self.counted[endpoint, where][value] += count


@dataclass(frozen=True)
class InMemoryCapture:
    """All of the harvest's parts in memory, each reachable for what a test wants to see."""

    files: MemoryFiles = field(default_factory=MemoryFiles)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    metrics: MemoryKeyMetrics = field(default_factory=MemoryKeyMetrics)

    def ports(self) -> CapturePorts:
        """The ports on these parts."""
        return CapturePorts(self.files, self.keys, self.metrics)
