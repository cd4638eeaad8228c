"""The traffic that a preview reckons with, and what of it a stage counts. Pure."""

from dataclasses import dataclass

from halftone.domain.errors import InvalidInput
from halftone.domain.plan import Plan

LEAST_RATE, MOST_RATE = 1e-6, 1e6
"""The requests a second that can be reckoned with: the least is one in eleven days."""

_HOUR = 3600


@dataclass(frozen=True)
class Traffic:
    """What to reckon with: an endpoint's requests a second, and the parts that err or are late.

    ``keys`` are the new keys an hour where a key draws, that is those that a stage has not seen
    before (None: requests are drawn one by one). The parts are then of keys: those with at least
    one request that errs or is late. ``source`` says where the numbers come from.

    Raises:
        InvalidInput: if ``rate`` is not from ``LEAST_RATE`` to ``MOST_RATE``, or ``keys`` are
            fewer than that, or more than the requests.
        ValueError: if a part is not between 0 and 1.
    """

    rate: float
    errors: float
    late: float
    source: str
    keys: float | None = None

    def __post_init__(self) -> None:
        if not LEAST_RATE <= self.rate <= MOST_RATE:
            expected = f"requests a second, from {LEAST_RATE:f} to {MOST_RATE:.0f}"
            raise InvalidInput("requests_a_second", self.rate, expected)
        requests = self.rate * _HOUR
        if self.keys is not None and not LEAST_RATE * _HOUR <= self.keys <= requests:
            least = f"from {LEAST_RATE * _HOUR:g} to the {few_or_many(requests)} requests an hour"
            raise InvalidInput("keys_an_hour", self.keys, f"new keys an hour, {least}")
        if not (0 < self.errors < 1 and 0 < self.late < 1):
            raise ValueError(f"errors {self.errors:g}, late {self.late:g}: give parts of 1")


@dataclass(frozen=True)
class Counted:
    """What a stage counts: the challenger's ``units`` (requests or keys), ``rate`` a second.

    ``drawn`` is the challenger's part (0 to 1) of all that are compared.
    """

    units: str
    rate: float
    drawn: float

    @property
    def spoken(self) -> str:
        """The challenger's units and how many of them come, for people."""
        if self.units == "keys":
            return f"{few_or_many(self.rate * _HOUR)} new keys an hour"
        return f"{self.rate:.2g} requests a second"


def counted(plan: Plan, index: int, traffic: Traffic) -> Counted:
    """What the stage of that index counts at that traffic.

    A stage draws afresh only the keys from the share before on: who was on the challenger stays
    there, and says nothing new. What is scored unseen is drawn by request in any case.
    """
    stage = plan.stages[index]
    if traffic.keys is None or stage.mirror:
        return Counted("requests", traffic.rate * stage.taken, stage.drawn)
    before = plan.stages[index - 1].weight if index else 0.0
    fresh = stage.weight - before
    rate = traffic.keys / _HOUR * fresh / 100
    return Counted("keys", rate, fresh / (100 - before))


def few_or_many(count: float) -> str:
    """A count that may be a part of one, as it is spoken: ``0.25``, ``1,350``."""
    return f"{count:.2g}" if count < 100 else f"{count:,.0f}"
