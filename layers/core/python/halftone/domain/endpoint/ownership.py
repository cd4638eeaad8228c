"""The owner and the creator of an endpoint. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Ownership:
    """What is on record of an endpoint besides what it serves.

    ``creator`` made it at ``created_at`` (empty and None where that was not recorded yet); the
    group ``owner`` (None: nobody) says who may change it. ``self_approval``: whether who started a
    rollout may approve it; None leaves that to the stage.
    """

    creator: str = ""
    created_at: datetime | None = None
    owner: str | None = None
    self_approval: bool | None = None
