"""Lambda in memory: functions with two aliases and numbered versions."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from halftone.domain.errors import ConcurrentWrite, Conflict, InvalidInput, NotFound, RoutingChanged
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.routing import UNRELEASED, Anchor, ReadAliases, ReadRouting, Routing
from halftone.ports.functions import Pointer, VersionStatus


@dataclass
class MemoryLambda:
    """Ports ``Aliases`` and ``Versions``: functions with two aliases and numbered versions.

    ``answers`` maps a package's digest to what its versions answer when invoked. ``routings`` and
    ``revisions`` and ``anchors`` are of the alias ``live``, ``challengers`` holds the alias
    ``challenger``. ``size`` is the memory of every version in MB.
    """

    answers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    routings: dict[str, Routing] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    anchors: dict[str, Anchor | None] = field(default_factory=dict)
    challengers: dict[str, ReadRouting] = field(default_factory=dict)
    pointers: dict[str, Pointer] = field(default_factory=dict)
    versions: dict[str, list[Pointer]] = field(default_factory=lambda: defaultdict(list))
    deleted: set[tuple[str, str]] = field(default_factory=set)
    size: int = 1024

    def read(self, endpoint: str, alias: str = ALIAS) -> ReadRouting:
        """See ``Aliases``."""
        if alias == CHALLENGER:
            return self.challengers.get(endpoint, ReadRouting(UNRELEASED, "0"))
        routing = self.routings.get(endpoint, UNRELEASED)
        return ReadRouting(routing, str(self.revisions[endpoint]), self.anchors.get(endpoint))

    def both(self, endpoint: str) -> ReadAliases:
        """See ``Aliases``."""
        return ReadAliases(self.read(endpoint), self.read(endpoint, CHALLENGER))

    def write(
        self,
        endpoint: str,
        routing: Routing,
        *,
        revision: str | None,
        alias: str = ALIAS,
        anchor: Anchor | None = None,
    ) -> str:
        """See ``Aliases``."""
        current = self.read(endpoint, alias)
        if revision not in (None, current.revision):
            raise RoutingChanged(f"the alias {alias!r} of {endpoint!r} is no longer at {revision}")
        for version in (routing.main, routing.other):
            if version is not None and (endpoint, version) in self.deleted:
                raise NotFound("version", version, f"{endpoint!r} had it, and it was deleted")
        following, said = int(current.revision) + 1, anchor or current.anchor
        if alias == CHALLENGER:
            self.challengers[endpoint] = ReadRouting(routing, str(following), said)
        else:
            self.routings[endpoint] = routing
            self.revisions[endpoint] = following
            self.anchors[endpoint] = said
        return str(following)

    def point(self, endpoint: str, pointer: Pointer) -> VersionStatus:
        """See ``Versions``."""
        if self.pointers.get(endpoint) == pointer:
            return VersionStatus.READY
        self.pointers[endpoint] = pointer
        return VersionStatus.PENDING

    def publish(self, endpoint: str, pointer: Pointer) -> str:
        """See ``Versions``."""
        if self.pointers.get(endpoint) != pointer:
            raise ConcurrentWrite(f"the function of {endpoint!r} does not carry {pointer}")
        published = self.versions[endpoint]
        if not published or published[-1] != pointer:
            published.append(pointer)
        return str(len(published))

    def status(self, endpoint: str, version: str) -> tuple[VersionStatus, str]:
        """See ``Versions``."""
        self._pointer(endpoint, version)
        return VersionStatus.READY, ""

    def pointer(self, endpoint: str, version: str) -> Pointer:
        """See ``Versions``."""
        return self._pointer(endpoint, version)

    def memory(self, endpoint: str, version: str) -> int:
        """See ``Versions``."""
        self._pointer(endpoint, version)
        return self.size

    def delete(self, endpoint: str, version: str) -> None:
        """See ``Versions``."""
        if not version.isdecimal():
            raise InvalidInput("version", version, "the number of a published version")
        aliases = self.both(endpoint)
        for routing in (aliases.live.routing, aliases.challenger.routing):
            if version in (routing.main, routing.other):
                raise Conflict(f"version {version} of {endpoint!r} is what an alias points at")
        self.deleted.add((endpoint, version))

    def invoke(self, endpoint: str, version: str, event: Mapping[str, object]) -> dict[str, object]:  # noqa: ARG002
        """See ``Versions``."""
        digest = self._pointer(endpoint, version).digest
        return dict(self.answers.get(digest, {"statusCode": 500, "body": "no such model"}))

    def _pointer(self, endpoint: str, version: str) -> Pointer:
        published = self.versions[endpoint]
        if not version.isdigit() or not 0 < int(version) <= len(published):
            raise NotFound("version", version, f"{endpoint!r} has {len(published)}")
        if (endpoint, version) in self.deleted:
            raise NotFound("version", version, f"{endpoint!r} had it, and it was deleted")
        return published[int(version) - 1]
