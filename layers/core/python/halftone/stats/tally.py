"""Counts that a test needs, and nothing more: they add, compare and round-trip as plain integers.

The unit is the unit of randomisation. Alias weights draw per request, so a unit is a request.
Sticky routing draws per user key, so a unit is a key and its event is the key's first one in the
stage: counting the same user's ten errors as ten would make the tests see what is not there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

POOLED = 20
"""Units of both versions that a stratum has at least. Of N units, the condition on their events
takes one part in N of what they say: of one it takes all, of twenty a twentieth."""


@dataclass(frozen=True, slots=True)
class Tally:
    """``x`` of ``n`` units had the event (an error, a late answer, a latency above a quantile).

    Raises:
        ValueError: unless 0 <= x <= n.
    """

    n: int = 0
    x: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.x <= self.n:
            raise ValueError(f"{self.x} events in {self.n} units: count units with the event, once")

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.n + other.n, self.x + other.x)

    @property
    def rate(self) -> float | None:
        """Events per unit, or None where there was no unit: no data is not a rate of zero."""
        return self.x / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both versions' tallies over one stretch of time: a closed bucket of ten seconds, or several
    where there were few units.
    """

    challenger: Tally = Tally()
    champion: Tally = Tally()

    def __add__(self, other: "Stratum") -> "Stratum":
        return Stratum(self.challenger + other.challenger, self.champion + other.champion)

    @property
    def events(self) -> int:
        """Events of both versions together, the total that the tests condition on."""
        return self.challenger.x + self.champion.x

    @property
    def units(self) -> int:
        """Units of both versions together."""
        return self.challenger.n + self.champion.n

    @property
    def is_informative(self) -> bool:
        """Whether the total leaves open who had the events; else the bucket says nothing."""
        return 0 < self.events < self.units and self.challenger.n > 0 and self.champion.n > 0


def pooled(waiting: Stratum, closed: Stratum) -> tuple[Stratum, Stratum]:
    """What is to be bet on after one more closed bucket (nothing yet: empty), and what waits.

    When a pool is full is told by its units alone, never by their events: else the bets on it would
    not be fair. All of a pool must be drawn with one share.
    """
    both = waiting + closed
    return (Stratum(), both) if both.units < POOLED else (both, Stratum())


def total(strata: Iterable[Stratum]) -> Stratum:
    """The sum of ``strata``: to display and to estimate rates, never to test with."""
    return sum(strata, Stratum())
