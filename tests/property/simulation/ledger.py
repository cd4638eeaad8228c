"""What happened, as far as the promises ask: a frozen value beside what the parts hold.

It is written from the calls that actors make, by rules of its own, and not from what the engine
says about itself in its own words.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from halftone.domain.endpoint.route_table import RouteConfig

REMEMBERED = timedelta(minutes=15)
"""How long a front acts on a dispatch when it can't read the table (docs/decisions/0015)."""

CONTENTS: dict[str, RouteConfig] = {}
"""Every dispatch that was ever written, without its revision, by its own text."""


@dataclass(frozen=True)
class Front:
    """What fronts may hold: the dispatch ``text``, which was the newest until ``until``.

    ``until`` None: it is the newest.
    """

    text: str
    until: datetime | None = None

    @property
    def dispatch(self) -> RouteConfig:
        """The dispatch itself."""
        return CONTENTS[self.text]


@dataclass(frozen=True)
class Stretch:
    """From ``since`` on, requests were counted under these cohorts of challenger and champion."""

    since: datetime
    cohorts: tuple[str, str]


@dataclass(frozen=True)
class Deploy:
    """The deploy under way: what it declares, and what it has set.

    ``own`` are the fields of the endpoint's serving that it has set and nobody has set since, each
    with the text of its value before. ``returning``: it failed, and CloudFormation takes it back.
    """

    name: str
    declared: str
    own: tuple[tuple[str, str], ...] = ()
    returning: bool = False

    def setting(self, values: Mapping[str, str]) -> "Deploy":
        """It has set these fields, whose values were these before."""
        own = {**values, **dict(self.own)}
        return replace(self, own=tuple(own.items()))

    def losing(self, fields: Collection[str]) -> "Deploy":
        """Somebody else has set these fields."""
        return replace(self, own=tuple(f for f in self.own if f[0] not in fields))


@dataclass(frozen=True)
class Stack:
    """The endpoint's stack: its status, and its resource with the properties that CloudFormation
    has of it (JSON).
    """

    status: str
    logical: str
    physical: str
    properties: str


@dataclass(frozen=True)
class Drawn:
    """An answer that a client got: its request, and the stage that drew it. ``spreading``: so soon
    after the stage began that it may have been drawn with the share before.
    """

    request: str
    rollout: str
    stage: int
    spreading: bool


@dataclass(frozen=True)
class Judged:
    """Honest feedback on a request, the first, while its stage lasted; ``bucket`` is when."""

    request: str
    rollout: str
    bucket: datetime


@dataclass(frozen=True)
class Ledger:
    """See the module. Versions are Lambda's numbers, as texts."""

    answered: frozenset[str] = frozenset()
    """Versions whose samples were answered rightly."""

    barred: frozenset[str] = frozenset()
    """Versions that a rollback, an abort, a return or a withdrawal has taken back, on record."""

    superseded: frozenset[str] = frozenset()
    """Rollouts that a release ended to take their place: nothing is held against their versions."""

    failed: frozenset[str] = frozenset()
    """Versions that failed while the alarms watched them and requests met them."""

    fired_at: datetime | None = None
    """When the guardrail last went into alarm."""

    by_hand: bool = False
    """Whether an alias was last written past the engine."""

    restored: bool = False
    """Whether the table was put back, and nobody has said anything since."""

    fronts: frozenset[Front] = frozenset()
    """What fronts may hold."""

    stretches: tuple[Stretch, ...] = ()
    """Under which cohorts requests were counted, the oldest first."""

    deploy: Deploy | None = None
    """The deploy that is under way: CloudFormation has one at a time."""

    stack: Stack | None = None
    """The endpoint's stack, if there is one."""

    tokens: frozenset[str] = frozenset()
    """Secrets that were handed out."""

    drawn: frozenset[Drawn] = frozenset()
    """Answers that clients got."""

    judged: frozenset[Judged] = frozenset()
    """What clients said honestly and in time."""

    taken: frozenset[tuple[str, str]] = frozenset()
    """What the table says of feedback: on which request, by which one."""

    revised: bool = False
    """Whether counts were revised after they could be read: what was counted first then stays."""

    def written(self, dispatch: RouteConfig | None, now: datetime) -> "Ledger":
        """This ledger once ``dispatch`` is what fronts read."""
        text = ""
        if dispatch is not None:
            plain = replace(dispatch, revision=0)
            text = repr(plain)
            CONTENTS.setdefault(text, plain)
        newest = {front for front in self.fronts if front.until is None}
        if {front.text for front in newest} == {text}:
            return self
        older = {front for front in self.fronts if front.until and front.text != text}
        older |= {Front(front.text, now) for front in newest}
        fronts = self.expired(older, now) | ({Front(text)} if text else set())
        return replace(self, fronts=frozenset(fronts))

    def later(self, now: datetime) -> "Ledger":
        """This ledger without what no front may act on any more."""
        return replace(self, fronts=frozenset(self.expired(set(self.fronts), now)))

    @staticmethod
    def expired(fronts: set[Front], now: datetime) -> set[Front]:
        """``fronts`` without those that are too old."""
        return {f for f in fronts if f.until is None or now - f.until <= REMEMBERED}
