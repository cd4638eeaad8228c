"""What an alias says: which versions answer, and with what share.

Shares are percentages (0 to 100) everywhere; only the alias adapter knows Lambda's weights.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from halftone.domain.audit import AuditHead


@dataclass(frozen=True)
class Routing:
    """``main`` answers all requests but the ``share`` percent that ``other`` answers."""

    main: str
    other: str | None = None
    share: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 100.0:
            raise ValueError(f"share is {self.share}, expected 0 to 100 percent")
        if (self.other is None) != (self.share == 0.0):
            raise ValueError(f"a share of {self.share} % and the version {self.other} contradict")

    @classmethod
    def split(cls, champion: str | None, challenger: str, share: float) -> "Routing":
        """``challenger`` at ``share`` percent beside ``champion``; at 0 and 100 one is alone."""
        if share >= 100.0:
            return cls(challenger)
        if champion is None:
            if share > 0.0:
                raise ValueError(f"no champion to share traffic with at {share} %")
            return UNRELEASED
        return cls(champion) if share <= 0.0 else cls(champion, challenger, share)

    def share_of(self, version: str | None) -> float:
        """The percentage of requests that ``version`` answers."""
        if version is None:
            return 0.0
        if version == self.main:
            return 100.0 - self.share
        return self.share if version == self.other else 0.0


UNRELEASED = Routing("$LATEST")
"""Where the template leaves a new alias. No version is published there, and none answers."""


_ANCHOR = re.compile(
    r"halftone: revision (?P<revision>[0-9]+), audit (?P<seq>[0-9]+) (?P<hash>[0-9a-f]{64})"
    r"(?:, rollout (?P<rollout>\S+))?(?:, armed (?P<armed>\S+))?"
)


@dataclass(frozen=True)
class Anchor:
    """What an alias says of the record by which it was written: it outlives the table.

    ``revision`` and ``audit`` are those of the state. ``rollout`` is the rollout that was under way
    then, ``armed_at`` when the alarms were armed for its challenger.
    """

    revision: int
    audit: AuditHead
    rollout: str = ""
    armed_at: datetime | None = None

    def __str__(self) -> str:
        """The text that ``read`` reads, within the 256 characters of an alias' description."""
        written = f"halftone: revision {self.revision}, audit {self.audit.seq} {self.audit.hash}"
        written += f", rollout {self.rollout}" if self.rollout else ""
        return written + (f", armed {self.armed_at.isoformat()}" if self.armed_at else "")

    @classmethod
    def read(cls, text: str) -> "Anchor | None":
        """The anchor in a description; None if there is none in it."""
        match = _ANCHOR.fullmatch(text)
        if match is None:
            return None
        armed = match["armed"]
        return cls(
            int(match["revision"]),
            AuditHead(int(match["seq"]), match["hash"]),
            match["rollout"] or "",
            datetime.fromisoformat(armed) if armed else None,
        )


@dataclass(frozen=True)
class ReadRouting:
    """A routing as it was read, with the revision that a conditional write must present.

    ``anchor`` is None where the engine has not written the alias yet.
    """

    routing: Routing
    revision: str
    anchor: Anchor | None = None


@dataclass(frozen=True)
class ReadAliases:
    """Both aliases of an endpoint as they were read: clients', and the challenger's."""

    live: ReadRouting
    challenger: ReadRouting

    @property
    def anchor(self) -> Anchor | None:
        """The newer one of both aliases' anchors."""
        anchors = [read.anchor for read in (self.live, self.challenger) if read.anchor]
        return max(anchors, key=lambda anchor: anchor.revision, default=None)
