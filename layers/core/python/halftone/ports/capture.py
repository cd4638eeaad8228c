"""What the harvest needs of the world. Each port has a part on AWS and a part in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from halftone.domain.insight.capture import KeyObservation
from halftone.domain.insight.sticky_keys import News


class Files(Protocol):
    """The files of the inference table."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``; what was there is replaced."""
        ...


class Keys(Protocol):
    """Which keys were seen in which stage, kept for as long as a stage can last."""

    def see(self, endpoint: str, sighting: KeyObservation, batch: str) -> News:
        """Take note of a sighting in ``batch``; answer what it adds, the same again if repeated."""
        ...

    def begin(self, endpoint: str, rollout: str, stage: int, batch: str) -> bool:
        """Whether what ``batch`` adds to a stage is still to be published, by whoever asks now."""
        ...

    def failed(self, endpoint: str, rollout: str, stage: int, batch: str) -> None:
        """Take ``begin`` back: nothing was published."""
        ...


@dataclass(frozen=True)
class Observation:
    """Where observations of keys belong: a metric of a version, in the ten seconds from ``bucket``.

    ``Errors`` and ``Late`` are 0 or 1 for each key, ``ErrorsLater`` and ``LateLater`` 1 for each
    one that was counted as 0 there and had the event after that.
    """

    version: str
    bucket: datetime
    metric: str


class KeyMetrics(Protocol):
    """The metrics of cohort ``keys``."""

    def publish_keys(
        self, endpoint: str, counts: Mapping[Observation, Mapping[float, int]]
    ) -> None:
        """Publish so many observations of each value."""
        ...


@dataclass(frozen=True)
class CapturePorts:
    """All ports of the harvest together."""

    files: Files
    keys: Keys
    metrics: KeyMetrics
