"""What the use cases need of an endpoint's function: its aliases and its published versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from halftone.domain.names import ALIAS
from halftone.domain.rollout.routing import Anchor, ReadAliases, ReadRouting, Routing


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
        self,
        endpoint: str,
        routing: Routing,
        *,
        revision: str | None,
        alias: str = ALIAS,
        anchor: Anchor | None = None,
    ) -> str:
        """Point an alias; answer its new revision. ``revision`` None writes over what is there.

        ``anchor`` is what the alias says of the record from then on (None: what it said before).

        Raises:
            RoutingChanged: if the alias is not at ``revision`` any more.
            NotFound: if there is no such alias, or no such version.
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
            ConcurrentWrite: if the function does not carry ``pointer``.
        """
        ...

    def status(self, endpoint: str, version: str) -> tuple[VersionStatus, str]:
        """Whether a published version can be invoked, and the platform's words when not.

        Raises:
            NotFound: if there is no such version.
        """
        ...

    def pointer(self, endpoint: str, version: str) -> Pointer:
        """What a published version loads.

        Raises:
            NotFound: if there is no such version.
        """
        ...

    def memory(self, endpoint: str, version: str) -> int:
        """The memory in MB that a published version runs with.

        Raises:
            NotFound: if there is no such version.
        """
        ...

    def delete(self, endpoint: str, version: str) -> None:
        """Delete a published version for good; one that is gone already stays gone.

        Raises:
            Conflict: if an alias points at it.
        """
        ...

    def invoke(self, endpoint: str, version: str, event: Mapping[str, object]) -> dict[str, object]:
        """Invoke exactly that version. A crash or a time-out is an answer of status 500."""
        ...
