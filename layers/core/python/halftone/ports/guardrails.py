"""What the use cases need of CloudWatch: the alarms that end a rollout, and what was counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from halftone.domain.names import ALIAS
from halftone.domain.rollout.evidence import Arm, Bucket


class AlarmState(StrEnum):
    """CloudWatch's three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Guard:
    """An endpoint's guardrail: its state, why, and the version that *all* its alarms watch.

    ``reason`` is short: which alarm, which value, which threshold. ``detail`` is what CloudWatch
    itself says of each alarm that is red.

    ``alias`` is the one through which the platform's own metrics of that version are watched.
    """

    state: AlarmState
    reason: str
    armed_for: str | None
    alias: str = ALIAS
    detail: str = ""


class Guardrails(Protocol):
    """The alarms that end a rollout."""

    def read(self, endpoint: str) -> Guard:
        """The guardrail as it is now."""
        ...

    def arm(self, endpoint: str, version: str, why: str, *, alias: str = ALIAS) -> None:
        """Make every alarm watch ``version`` from a clean state, and read back that they do.

        The platform counts crashes by the alias that was called: ``alias`` is the one to watch.

        Raises:
            Unavailable: if one of them does not.
        """
        ...


class Metrics(Protocol):
    """What the versions did, as the platform counted it."""

    def buckets(
        self,
        endpoint: str,
        *,
        challenger: str,
        champion: str,
        since: datetime,
        until: datetime,
        limits: Sequence[float] = (),
        cohorts: tuple[str, str] = ("", ""),
        feedback: str = "",
    ) -> Sequence[Bucket]:
        """The buckets from ``since`` to ``until`` (aligned), oldest first; empty ones may miss.

        ``cohorts`` are those of challenger and champion whose counts are meant ("": all that were
        not pinned).

        ``feedback`` is the cohort of the answers that were judged.

        ``limits`` are milliseconds: ``Arm.over`` counts what took longer than each.
        """
        ...

    def totals(
        self, endpoint: str, versions: Sequence[str], *, since: datetime, until: datetime
    ) -> Mapping[str, Arm]:
        """What each of ``versions`` answered clients from ``since`` to ``until`` (aligned).

        Pinned requests are left out, and what a version scored unseen for the mirror.
        """
        ...

    def quantiles(self, endpoint: str, version: str, *, until: datetime) -> Sequence[float]:
        """Median, 90th and 99th percentile of a version's latency before ``until``, in ms.

        Empty if too few requests were answered to know them.
        """
        ...

    def publish(self, endpoint: str, version: str, proof: float, at: datetime) -> None:
        """Make the evidence against a version a metric that an alarm watches; 1.0 is proof."""
        ...
