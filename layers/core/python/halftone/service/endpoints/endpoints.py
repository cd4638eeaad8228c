"""Endpoints as a person looks for them, and whose they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from halftone.domain.access import EVERYWHERE, principal_in
from halftone.domain.audit import Author
from halftone.domain.endpoint.agreement import disagreement
from halftone.domain.endpoint.projection import shares
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.endpoint.status import Told, gone
from halftone.domain.endpoint.status import told as told_of
from halftone.domain.errors import NotFound, Unavailable
from halftone.domain.rollout.deploys import OWNER
from halftone.domain.rollout.routing import ReadAliases
from halftone.ports import DeploymentPorts, RecordPorts
from halftone.service.endpoints.quotas import check_quota
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


def matching(
    ports: DeploymentPorts, query: Wanted, *, after: str = "", at_once: int = 100
) -> Iterator[EndpointState]:
    """The endpoints that are looked for, by name, after the one named ``after``.

    One read for ``at_once`` of them: whoever takes such a page reads it by one call, where all fit.
    """
    names = [name for name in ports.catalogue.endpoints() if name > after and query.name in name]
    for first in range(0, len(names), at_once):
        states = ports.catalogue.load_states(names[first : first + at_once])
        yield from filter(query.fits, states)


def endpoint(ports: RecordPorts, name: str) -> EndpointState:
    """The endpoint's state.

    Raises:
        NotFound: if there is none.
    """
    state = ports.store.load(name)
    if state is None:
        raise NotFound("endpoint", name, "GET /v1/endpoints lists those there are")
    return state


def mine(ports: DeploymentPorts, principal: str) -> Mine:
    """What tells the endpoints of ``principal``: those of the group of all groups are not meant."""
    return Mine(principal, frozenset(roles_of(ports, principal)) - {EVERYWHERE})


@dataclass(frozen=True)
class ReadEndpoint:
    """An endpoint's record beside its aliases as they were read.

    ``aliases`` is None where they could not be read, or no function answers for it. ``difference``
    is how they differ from the record ("": they do not; None: they were not compared).
    """

    state: EndpointState
    aliases: ReadAliases | None
    difference: str | None
    status: Told

    @property
    def shares(self) -> Mapping[str, float]:
        """The percentage of unpinned requests by version: as read, or as the record has it."""
        return shares(self.state, self.aliases.live.routing if self.aliases else None)


def as_read(ports: DeploymentPorts, name: str) -> ReadEndpoint:
    """The endpoint with its aliases read. One call to Lambda besides.

    Raises:
        NotFound: if there is no such endpoint.
    """
    # The aliases before the record, as a tick does: a shift in between is no difference.
    aliases, fault, exists = None, "", True
    try:
        aliases = ports.aliases.both(name)
    except NotFound:
        exists = False
    except Unavailable as error:
        fault = f"the aliases were not read: {error}"
    state = endpoint(ports, name)
    if state.champion is None and state.rollout is None:
        return by_record(state)  # it was retired: nothing is to be there
    if not exists:
        told = gone(state)
        return ReadEndpoint(state, None, told.message, told)
    if aliases is None:
        return ReadEndpoint(state, None, None, told_of(state, fault))
    difference = state.restored or disagreement(state, aliases)
    told = told_of(state, "" if state.restored else difference, aliases.live.routing)
    return ReadEndpoint(state, aliases, difference, told)


def by_record(state: EndpointState) -> ReadEndpoint:
    """The endpoint as its record has it: nothing is read."""
    return ReadEndpoint(state, None, None, told_of(state))


@retry_on_conflict
def set_owner(
    ports: DeploymentPorts,
    name: str,
    *,
    owner: str | None,
    self_approval: bool | None,
    author: Author,
) -> EndpointState:
    """Give the endpoint to a group, or to nobody; what is so already is not recorded again.

    Raises:
        NotFound: if there is no such endpoint or no such group.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
        Conflict: if the group would take more than its quota.
    """
    if owner is not None and ports.groups.load_group(owner) is None:
        raise NotFound("group", owner, "POST /v1/groups makes one")

    state = endpoint(ports, name)
    must_be_at(f"endpoint {name!r}", state.revision, author.revision)
    about = replace(state.about, owner=owner, self_approval=self_approval)
    deploys = state.deploys.set_by_people([OWNER])
    if (about, deploys) == (state.about, state.deploys):
        return state
    check_quota(ports, state, replace(state, about=about))
    message = f"owned by {owner}" if owner else "owned by nobody"
    numbers = {"owner": owner, "self_approval": self_approval, "was": state.about.owner}
    after = replace(state, about=about, deploys=deploys)
    return commit(
        ports, state, after, action="owner", author=author.with_default(message), numbers=numbers
    )
