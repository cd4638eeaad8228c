"""What the use cases need of the world, in ports of one to four methods.

Every port has a part on AWS and a part in memory in ``halftone.adapters``; one set of contract
tests holds both to what is said here. An adapter raises only errors of ``domain.errors``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from halftone.domain.audit import AuditRecord
from halftone.domain.deployment import Deployment
from halftone.domain.endpoint import EndpointState
from halftone.domain.evidence import Bucket, Evidence
from halftone.domain.names import ALIAS
from halftone.domain.package import Manifest
from halftone.domain.routing import ReadAliases, ReadRouting, Routing
from halftone.service.control_ports import Claims, Groups, Uploads
from halftone.service.registry_ports import Registry, RegistryPages
from halftone.service.scale_ports import Gate, Scaling
from halftone.service.watch_ports import Charts, Logs


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...


@dataclass(frozen=True)
class Change:
    """One change of an endpoint's state, with its one audit record.

    ``before`` is the state as it was read (None: the endpoint is new), ``after`` the next one, with
    ``revision`` one higher and ``audit`` at the record. ``deployment`` is written along, if given,
    and that ``request`` (an id of ``Claims``) has changed something.
    """

    before: EndpointState | None
    after: EndpointState
    record: AuditRecord
    deployment: Deployment | None = None
    request: str = ""


class Store(Protocol):
    """State and audit."""

    def load(self, endpoint: str) -> EndpointState | None:
        """The newest state, strongly consistent."""
        ...

    def commit(self, change: Change) -> None:
        """Write all of ``change`` or nothing.

        Raises:
            StaleWrite: if ``change.before`` is not the newest state any more.
        """
        ...

    def deployments(self, endpoint: str) -> Sequence[Deployment]:
        """Every deployment there ever was, oldest first."""
        ...

    def audit(self, endpoint: str, *, after: int = 0) -> Iterable[AuditRecord]:
        """The records after number ``after``, oldest first."""
        ...


class Catalogue(Protocol):
    """Which endpoints there are."""

    def endpoints(self) -> Sequence[str]:
        """The names of all endpoints that were ever released to, sorted."""
        ...


class EvidenceLog(Protocol):
    """Evidence, kept because CloudWatch forgets ten-second buckets after three hours."""

    def load_evidence(self, endpoint: str, rollout: str) -> Evidence | None:
        """What has been kept of a rollout."""
        ...

    def keep_evidence(
        self,
        endpoint: str,
        evidence: Evidence,
        buckets: Sequence[Bucket],
        *,
        previous: datetime | None,
    ) -> None:
        """Keep ``evidence``, which ``buckets`` were added to since ``previous`` (None: all of it).

        Raises:
            StaleWrite: if what is kept does not reach to ``previous`` any more.
        """
        ...


class Aliases(Protocol):
    """An endpoint's two aliases: ``live`` takes clients' requests, fronts call ``challenger``."""

    def read(self, endpoint: str, alias: str = ALIAS) -> ReadRouting:
        """One alias as it is now, with its revision.

        Raises:
            NotFound: if there is no such alias.
        """
        ...

    def both(self, endpoint: str) -> ReadAliases:
        """Both aliases as they are now, each with its revision; they may be read one by one.

        Raises:
            NotFound: if one of them is not there.
        """
        ...

    def write(
        self, endpoint: str, routing: Routing, *, revision: str | None, alias: str = ALIAS
    ) -> str:
        """Point an alias; answer its new revision. ``revision`` None writes over what is there.

        Raises:
            RoutingChanged: if the alias is not at ``revision`` any more.
            NotFound: if there is no such alias.
        """
        ...


class VersionStatus(StrEnum):
    """Whether a function or one of its versions can be used."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Pointer:
    """What the function under release is made to load: a package, on behalf of a rollout."""

    rollout: str
    digest: str


class Versions(Protocol):
    """Published versions of an endpoint's function."""

    def point(self, endpoint: str, pointer: Pointer) -> VersionStatus:
        """Make the unpublished function load ``pointer``; pending until the update is done."""
        ...

    def publish(self, endpoint: str, pointer: Pointer) -> str:
        """Publish the function as it is; the same version again if nothing changed since.

        Raises:
            StaleWrite: if the function does not carry ``pointer``.
        """
        ...

    def status(self, endpoint: str, version: str) -> tuple[VersionStatus, str]:
        """Whether a published version can be invoked, and the platform's words when not."""
        ...

    def delete(self, endpoint: str, version: str) -> None:
        """Delete a published version for good; one that is gone already stays gone.

        Raises:
            Refused: if an alias points at it.
        """
        ...

    def invoke(self, endpoint: str, version: str, event: Mapping[str, object]) -> dict[str, object]:
        """Invoke exactly that version. A crash or a time-out is an answer of status 500."""
        ...


class AlarmState(StrEnum):
    """CloudWatch's three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Guard:
    """An endpoint's guardrail: its state, why, and the version that *all* its alarms watch.

    ``alias`` is the one through which the platform's own metrics of that version are watched.
    """

    state: AlarmState
    reason: str
    armed_for: str | None
    alias: str = ALIAS


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
    ) -> Sequence[Bucket]:
        """The buckets from ``since`` to ``until`` (aligned), oldest first; empty ones may miss.

        ``cohorts`` are those of challenger and champion whose counts are meant ("": all that were
        not pinned).

        ``limits`` are milliseconds: ``Arm.over`` counts what took longer than each.
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


class Packages(Protocol):
    """Model packages, stored under their digest."""

    def register(self, bucket: str, key: str, digest: str) -> Manifest:
        """Check the zip at that place and keep it under ``digest``; keeping it twice keeps it once.

        Raises:
            InvalidPackage: if the digest does not match or the package is not sound.
        """
        ...

    def manifest(self, digest: str) -> Manifest:
        """The manifest of a package that is kept.

        Raises:
            NotFound: if there is none of that digest.
        """
        ...


class Workflow(Protocol):
    """Whatever calls the tick until a rollout is done."""

    def start(self, endpoint: str, rollout: str) -> None:
        """Start it; starting the same rollout twice starts it once."""
        ...


@dataclass(frozen=True)
class Parts:
    """All ports together: what every use case takes as its first argument.

    ``metric_lag`` is how long after its end a bucket is taken to be complete, ``key_lag`` how much
    longer where keys are counted: log lines are delivered, read, then counted. ``request`` is the
    id of the request on whose behalf a use case runs, if that request can come again ("": it
    can't).
    """

    clock: Clock
    store: Store
    catalogue: Catalogue
    evidence: EvidenceLog
    aliases: Aliases
    versions: Versions
    guardrails: Guardrails
    metrics: Metrics
    packages: Packages
    workflow: Workflow
    registry: Registry
    registry_pages: RegistryPages
    logs: Logs
    charts: Charts
    scaling: Scaling
    gate: Gate
    claims: Claims
    groups: Groups
    uploads: Uploads
    metric_lag: timedelta
    key_lag: timedelta = timedelta(seconds=60)
    request: str = ""
