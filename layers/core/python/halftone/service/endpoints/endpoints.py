"""Endpoints as a person looks for them, and whose they are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from halftone.domain.access import EVERYWHERE, principal_in
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound
from halftone.domain.rollout.deploys import OWNER
from halftone.ports import Ports
from halftone.service.groups import roles_of
from halftone.service.unit_of_work import commit, must_be_at, retry_on_conflict


@dataclass(frozen=True)
class Mine:
    """Somebody for whom endpoints are looked for: a principal, and the groups that name it."""

    principal: str
    groups: frozenset[str]

    def has(self, state: EndpointState) -> bool:
        """Whether a group of theirs owns the endpoint, or they made it or rolled out to it last.

        Who made an endpoint is seldom a person: CloudFormation does not say whose deploy it was.
        """
        by = [state.about.creator, state.rollout.actor if state.rollout else ""]
        return state.about.owner in self.groups or self.principal in map(principal_in, by)


@dataclass(frozen=True)
class Wanted:
    """What to look for: a part of the name, the owner group, and whose; "" and None any."""

    name: str = ""
    owner: str = ""
    mine: Mine | None = None

    def fits(self, state: EndpointState) -> bool:
        """Whether ``state`` is looked for."""
        theirs = self.mine is None or self.mine.has(state)
        return theirs and self.owner in ("", state.about.owner)


def matching(ports: Ports, query: Wanted, *, after: str = "") -> Iterator[EndpointState]:
    """The endpoints that are looked for, by name, after the one named ``after``.

    One read each: whoever takes a page reads no more than that page, where all fit.
    """
    for name in ports.catalogue.endpoints():
        if name > after and query.name in name:
            state = ports.store.load(name)
            if state and query.fits(state):
                yield state


def endpoint(ports: Ports, name: str) -> EndpointState:
    """The endpoint's state.

    Raises:
        NotFound: if there is none.
    """
    state = ports.store.load(name)
    if state is None:
        raise NotFound("endpoint", name, "GET /v1/endpoints lists those there are")
    return state


def mine(ports: Ports, principal: str) -> Mine:
    """What tells the endpoints of ``principal``: those of the group of all groups are not meant."""
    return Mine(principal, frozenset(roles_of(ports, principal)) - {EVERYWHERE})


def set_owner(
    ports: Ports,
    name: str,
    *,
    owner: str | None,
    self_approval: bool | None,
    actor: str,
    reason: str,
    revision: int | None,
) -> EndpointState:
    """Give the endpoint to a group, or to nobody; what is so already is not recorded again.

    Raises:
        NotFound: if there is no such endpoint or no such group.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
    """
    if owner is not None and ports.groups.load_group(owner) is None:
        raise NotFound("group", owner, "POST /v1/groups makes one")

    def attempt() -> EndpointState:
        state = endpoint(ports, name)
        must_be_at(f"endpoint {name!r}", state.revision, revision)
        about = replace(state.about, owner=owner, self_approval=self_approval)
        deploys = state.deploys.set_by_people([OWNER])
        if (about, deploys) == (state.about, state.deploys):
            return state
        message = reason or (f"owned by {owner}" if owner else "owned by nobody")
        numbers = {"owner": owner, "self_approval": self_approval, "was": state.about.owner}
        after = replace(state, about=about, deploys=deploys)
        return commit(
            ports, state, after, action="owner", actor=actor, reason=message, numbers=numbers
        )

    return retry_on_conflict(name, attempt)
