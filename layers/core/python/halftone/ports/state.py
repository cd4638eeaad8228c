"""What the use cases need of the world, in ports of one to four methods.

Every port has a part on AWS and a part in memory in ``halftone.adapters``; one set of contract
tests holds both to what is said here. An adapter raises only errors of ``domain.errors``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.model.manifest import Manifest
from halftone.domain.rollout.evidence import Bucket, Evidence
from halftone.domain.rollout.looks import Look, RolloutSnapshot


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

    @property
    def snapshot(self) -> RolloutSnapshot | None:
        """The rollout that this change begins or ends, to be kept when the state has another."""
        was, rollout = self.before.rollout if self.before else None, self.after.rollout
        if rollout is None:
            return None
        same = was is not None and was.id == rollout.id
        if same and (was is None or was.phase.final or not rollout.phase.final):
            return None
        return RolloutSnapshot(rollout, self.record.at if rollout.phase.final else None)


class Store(Protocol):
    """State and audit."""

    def load(self, endpoint: str) -> EndpointState | None:
        """The newest state, strongly consistent."""
        ...

    def commit(self, change: Change) -> None:
        """Write all of ``change`` or nothing.

        Raises:
            ConcurrentWrite: if ``change.before`` is not the newest state any more.
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

    def load_states(self, names: Sequence[str]) -> Sequence[EndpointState]:
        """The newest states of those of ``names`` that there are, in that order.

        One call a hundred: for pages, which need no word of each.
        """
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
        look: Look | None = None,
    ) -> None:
        """Keep ``evidence``, which ``buckets`` were added to since ``previous`` (None: all of it).

        ``look`` is what was seen in it, for ``RolloutHistory``: one for each watermark, the newest.

        Raises:
            ConcurrentWrite: if what is kept does not reach to ``previous`` any more.
        """
        ...


class RolloutHistory(Protocol):
    """What is kept of rollouts for people, also of those that are over."""

    def looks(
        self, endpoint: str, rollout: str, *, since: datetime | None = None
    ) -> Iterable[Look]:
        """The looks at a rollout whose watermark is later than ``since`` (None: all)."""
        ...

    def last_look(self, endpoint: str, rollout: str) -> Look | None:
        """The newest look at a rollout."""
        ...

    def snapshot(self, endpoint: str, rollout: str) -> RolloutSnapshot | None:
        """The rollout as it ended, or as it began while it runs; None if it is not kept."""
        ...

    def ended(self, rollouts: Sequence[tuple[str, str]]) -> Mapping[str, datetime]:
        """When many rollouts ended, given as endpoint and id, by their ids; see ``snapshot``.

        One call a hundred.
        """
        ...

    def evidence_of(self, rollouts: Sequence[tuple[str, str]]) -> Mapping[str, Evidence]:
        """The evidence of many rollouts, given as endpoint and id, by their ids.

        One call a hundred.
        """
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

    def has_environment(self, digest: str) -> bool:
        """Whether the environment of that digest is kept."""
        ...

    def keep_environment(self, bucket: str, key: str, digest: str) -> None:
        """Keep the environment's zip at that place under ``digest``, for all packages that need it.

        Raises:
            NotFound: if there is nothing.
            InvalidPackage: if the digest does not match.
        """
        ...


class Workflow(Protocol):
    """Whatever calls the tick until a rollout is done."""

    def start(self, endpoint: str, rollout: str) -> None:
        """Start it; starting the same rollout twice starts it once."""
        ...
