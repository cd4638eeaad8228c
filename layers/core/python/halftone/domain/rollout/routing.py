"""What an alias says: which versions answer, and with what share.

Shares are percentages (0 to 100) everywhere; only the alias adapter knows Lambda's weights.
"""

from dataclasses import dataclass


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


@dataclass(frozen=True)
class ReadRouting:
    """A routing as it was read, with the revision that a conditional write must present."""

    routing: Routing
    revision: str


@dataclass(frozen=True)
class ReadAliases:
    """Both aliases of an endpoint as they were read: clients', and the challenger's."""

    live: ReadRouting
    challenger: ReadRouting
