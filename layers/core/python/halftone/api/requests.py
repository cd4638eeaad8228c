"""What requests carry: names in paths, and bodies."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"

EndpointName = Annotated[str, Path(max_length=32, pattern=NAME, description="The endpoint's name.")]
GroupName = Annotated[str, Path(max_length=32, pattern=NAME, description="The group's name.")]
RolloutId = Annotated[
    str, Path(max_length=80, pattern=r"^[a-z0-9-]+$", description="The rollout's id.")
]
VersionName = Annotated[
    str | None,
    Query(
        max_length=32,
        pattern=r"^([0-9]+|\$LATEST|[a-z][a-z0-9]*(-[a-z0-9]+)*)$",
        description="Only this version's: its number, its deployment's name, `champion` or "
        "`challenger`.",
    ),
]
"""A deployment as people call it; ``service.deployments.deployments.resolve_version`` finds its
version."""

Why = Annotated[
    str,
    Field(max_length=1000, description="The update message: why. It goes on record as the reason."),
]


class Body(BaseModel):
    """A request's body: unknown fields are refused, not overlooked."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Message(Body):
    """An operation's body."""

    message: Why = ""

    def reason(self, otherwise: str) -> str:
        """The message, or ``otherwise`` where there is none."""
        return self.message or otherwise
