"""An endpoint's state: what serves, what is rolling out, and where its audit ends.

One record holds all of it, so that one conditional write can change all of it at once.
"""

from dataclasses import dataclass, field, replace

from halftone.domain.audit import AuditHead
from halftone.domain.endpoint.capacity import Capacity
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.ownership import Ownership
from halftone.domain.rollout.deploys import Deploys
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import Anchor
from halftone.domain.rollout.signing import SigningKey
from halftone.domain.traffic.policy import TrafficPolicy

MOST_PLACED = 20
"""How many deployments can be called by name. Lambda keeps every version; the dispatch is read
again and again, so that it must stay small."""


MOST_NAMED = 50
"""How many deployments may have a name of their own: what people name stays until they delete it or
take the name back, in one item of at most 400 KB."""


MOST_PAST = 50
"""How many earlier champions a rollback can go to."""

MOST_BARRED = 50
"""How many bars are kept of versions that cannot be called by name any more."""


@dataclass(frozen=True)
class Bar:
    """A version that was taken back, and why: it answers no unpinned request any more."""

    version: str
    reason: str


@dataclass(frozen=True)
class Placed:
    """A deployment that requests can be sent to: it has answered its samples.

    ``name`` is what people call it, such as ``green`` (the version's number unless they do);
    ``stopped`` is why it takes no requests ("": it does).
    """

    version: str
    name: str
    stopped: str = ""


@dataclass(frozen=True)
class EndpointState:
    """Everything about an endpoint that must change together.

    ``revision`` counts writes; every write is conditional on the one it read. ``barred`` are the
    versions that were taken back. ``past`` are the champions before the present one, in the order
    of time, without those that were taken back or deleted (None: a record of an earlier release,
    whose audit tells). ``anchor`` is what the aliases are known to say of this record, ``restored``
    why the engine writes nothing ("": it does): the aliases know of a later record than this.
    ``flagged`` is why the champion should not serve ("": nothing is said against it), or, without a
    champion, why there is none any more.
    ``signing`` are the keys of its requests' ids, newest first.
    """

    endpoint: str
    revision: int = 0
    champion: Deployment | None = None
    rollout: Rollout | None = None
    audit: AuditHead = field(default_factory=AuditHead)
    serving: TrafficPolicy = field(default_factory=TrafficPolicy)
    placed: tuple[Placed, ...] = ()
    about: Ownership = field(default_factory=Ownership)
    upkeep: Capacity = field(default_factory=Capacity)
    deploys: Deploys = field(default_factory=Deploys)
    signing: tuple[SigningKey, ...] = field(default=(), repr=False)
    barred: tuple[Bar, ...] = ()
    past: tuple[Deployment, ...] | None = None
    anchor: Anchor | None = None
    restored: str = ""
    flagged: str = ""

    def bar_of(self, version: str | None) -> Bar | None:
        """Why ``version`` may answer no unpinned request; None: it was not taken back."""
        return next((bar for bar in self.barred if bar.version == version), None)

    def placing(self, version: str) -> tuple[Placed, ...]:
        """``placed`` with ``version``, without the oldest ones that nothing names any more.

        What serves, rolls out, or is named by a rule, a portion, the mirror or a person stays. What
        is placed again takes requests again, if it was stopped.
        """
        if any(placed.version == version for placed in self.placed):
            return tuple(replace(p, stopped="") if p.version == version else p for p in self.placed)
        every = (*self.placed, Placed(version, version))
        surplus = len(every) - MOST_PLACED
        named = self._named | {version}
        dropped = [p.version for p in every if p.version not in named and p.name == p.version]
        return tuple(p for p in every if p.version not in dropped[: max(0, surplus)])

    @property
    def _named(self) -> set[str | None]:
        serving, rollout = self.serving, self.rollout
        named: set[str | None] = {rule.version for rule in serving.rules}
        named |= {portion.version for portion in serving.split}
        named |= {serving.mirror.version} if serving.mirror else set()
        named |= {self.champion.version} if self.champion else set()
        return named | ({rollout.champion, rollout.challenger} if rollout else set())

    def version_called(self, name: str) -> str | None:
        """The version that ``name`` stands for: champion, challenger, a deployment's name, or the
        number itself; None where it stands for nothing here. Whether there is such a version of
        that number is not known to the state.
        """
        if name == "champion":
            return self.champion.version if self.champion else None
        if name == "challenger":
            return self.active.challenger if self.active else None
        if name.isascii() and name.isdigit():
            return name
        return next((placed.version for placed in self.placed if placed.name == name), None)

    @property
    def active(self) -> Rollout | None:
        """The rollout that is not finished, if there is one."""
        return self.rollout if self.rollout and not self.rollout.phase.final else None
