"""What somebody may do to endpoints and their rollouts, with the reason where they may not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from halftone.domain.access import EVERYWHERE, MAY, Action, Group, Role, permits, principal_in
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import Ports


class Why(StrEnum):
    """Why an action is not allowed now. More words may come."""

    ROLE = "role"
    STARTED = "started"
    PHASE = "phase"
    OVER = "over"
    NO_TRAFFIC = "no_traffic"
    UNDER_WAY = "under_way"
    NOTHING_SERVES = "nothing_serves"


@dataclass(frozen=True)
class Permission:
    """Whether an action is open to somebody now. ``why`` is None where it is.

    For ``Why.ROLE``, ``roles`` are those of which one would do in the group ``group`` or in that of
    all groups; for ``Why.PHASE``, ``phases`` are those in which it would be open.
    """

    why: Why | None = None
    roles: tuple[Role, ...] = ()
    group: str | None = None
    phases: tuple[Phase, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it is open."""
        return self.why is None


_RUNNING = tuple(phase for phase in Phase if not phase.final and phase is not Phase.ROLLING_BACK)
_WATCHED = (Phase.OBSERVING, Phase.BAKING)
ON_ROLLOUTS: Mapping[str, tuple[Action, tuple[Phase, ...]]] = {
    "abort": (Action.OPERATE, _RUNNING),
    "pause": (Action.OPERATE, _WATCHED),
    "resume": (Action.OPERATE, (Phase.PAUSED,)),
    "approve": (Action.APPROVE, (Phase.AWAITING_APPROVAL,)),
    "reject": (Action.OPERATE, (Phase.AWAITING_APPROVAL,)),
    "promote": (Action.APPROVE, (*_WATCHED, Phase.PAUSED, Phase.AWAITING_APPROVAL)),
}
"""What may be said to a rollout: the right that it takes, and the phases in which it is heard."""

ON_ENDPOINTS: Mapping[str, Action] = {
    "release": Action.RELEASE,
    "roll_back": Action.OPERATE,
    "edit": Action.RELEASE,
    "read_logs": Action.READ,
    "own": Action.ADMINISTER,
    "delete": Action.ADMINISTER,
}
"""What may be done to an endpoint, and the right that it takes."""


@dataclass(frozen=True)
class Rights:
    """The rights of ``principal`` in ``groups``; ``self_approval`` is the stage's word."""

    principal: str
    groups: Mapping[str, Group]
    self_approval: bool

    @classmethod
    def of(
        cls, ports: Ports, principal: str, owners: Sequence[str | None], *, self_approval: bool
    ) -> "Rights":
        """The rights in all groups that are named: one call a hundred groups."""
        names = sorted({EVERYWHERE, *(owner for owner in owners if owner is not None)})
        groups = ports.groups.load_groups(names) if names != [EVERYWHERE] else ()
        return cls(principal, {group.name: group for group in groups}, self_approval)

    def on_endpoint(self, state: EndpointState) -> Mapping[str, Permission]:
        """What is open on an endpoint, by ``ON_ENDPOINTS``."""
        return {
            name: self._by_role(action, state.about.owner) or self._now(name, state)
            for name, action in ON_ENDPOINTS.items()
        }

    def on_rollout(self, state: EndpointState, rollout: Rollout) -> Mapping[str, Permission]:
        """What is open on an endpoint's newest rollout, by ``ON_ROLLOUTS``."""
        return {name: self._said(name, state, rollout) for name in ON_ROLLOUTS}

    def _said(self, name: str, state: EndpointState, rollout: Rollout) -> Permission:
        action, phases = ON_ROLLOUTS[name]
        if rollout.phase.final:
            return Permission(Why.OVER)
        if rollout.phase not in phases:
            return Permission(Why.PHASE, phases=phases)
        if refused := self._by_role(action, state.about.owner):
            return refused
        own = state.about.self_approval
        may_approve_own = self.self_approval if own is None else own
        started = principal_in(rollout.actor) == self.principal
        if action is Action.APPROVE and started and not may_approve_own:
            return Permission(Why.STARTED)
        if name == "promote" and rollout.exposed_at is None:
            return Permission(Why.NO_TRAFFIC)
        return Permission()

    def _by_role(self, action: Action, owner: str | None) -> Permission | None:
        group = self.groups.get(owner, Group(owner)) if owner is not None else None
        if permits(self.principal, action, group, self.groups.get(EVERYWHERE)):
            return None
        roles = tuple(role for role in Role if action in MAY[role])
        return Permission(Why.ROLE, roles=roles, group=owner)

    def _now(self, name: str, state: EndpointState) -> Permission:
        if name == "release" and state.active is not None:
            return Permission(Why.UNDER_WAY)
        if name == "roll_back" and state.active is None and state.champion is None:
            return Permission(Why.NOTHING_SERVES)
        return Permission()
