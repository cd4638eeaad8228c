"""What an endpoint is able to take, as ports on the platform."""

from dataclasses import dataclass
from typing import Protocol

from halftone.domain.endpoint.capacity import Throttle


@dataclass(frozen=True)
class Provisioned:
    """How many sandboxes of a version are asked for, how many stand ready, and why not all."""

    wanted: int = 0
    ready: int = 0
    message: str = ""


class Scaling(Protocol):
    """Concurrency of functions and their versions."""

    def reserve(self, endpoint: str, concurrency: int | None) -> None:
        """Let the function answer so many requests at once; None: as many as the account has left.

        Raises:
            NotFound: if there is no such function.
            Conflict: if the account has no so many left, in the platform's words.
        """
        ...

    def provision(self, endpoint: str, version: str, replicas: int) -> None:
        """Keep so many sandboxes of a version ready; 0: none. It takes minutes until they are.

        Raises:
            NotFound: if there is no such version.
            Conflict: if it can't be done, in the platform's words.
        """
        ...

    def provisioned(self, endpoint: str, version: str) -> Provisioned:
        """What is asked for, and what stands ready.

        Raises:
            NotFound: if there is no such version.
        """
        ...


class Gate(Protocol):
    """What the HTTP API lets through to an endpoint."""

    def throttle(self, endpoint: str, limit: Throttle | None) -> int:
        """Hold each route of the endpoint to ``limit`` (None: the stage's); how many there are.

        Raises:
            Conflict: if the API refuses it, in its words.
        """
        ...

    def url(self, endpoint: str) -> str:
        """The address below which the endpoint answers."""
        ...
