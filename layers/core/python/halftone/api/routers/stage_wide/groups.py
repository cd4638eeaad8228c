"""Groups: who belongs to them and as what."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, edits, posts, reads
from halftone.api.requests import NAME, Body, GroupName, Why
from halftone.api.responses import (
    BROKEN,
    Cursor,
    Limit,
    Shape,
    after,
    after_number,
    answer,
    page,
    router,
    shown,
)
from halftone.domain.access import EVERYWHERE, Action, Quota
from halftone.domain.access import Group as Kept
from halftone.ports import Ports
from halftone.service import groups as service
from halftone.service.authorization import must_on_group
from halftone.service.endpoints.quotas import Use, use_of_group

routes = router("groups")

_ARN = r"^arn:[a-z-]+:(iam|sts)::[0-9]{12}:(root|(role|user|assumed-role|federated-user)/.+)$"
_RoleName = Literal["viewer", "releaser", "approver", "admin"]
Members = Annotated[
    dict[Annotated[str, Field(pattern=_ARN)], Annotated[list[_RoleName], Field(max_length=4)]],
    Field(
        max_length=200,
        description="Roles by ARN; the ARN of a session stands for that of its role.",
    ),
]


class QuotaShown(Shape):
    """What a group's endpoints may take together, or take; null: no limit."""

    endpoints: int | None
    concurrency: float | None
    requests_a_second: float | None


class Group(Shape):
    """A group. The members of the group `all` have their roles in every group.

    `use` is what its endpoints take (null in a listing); null in it: some have no limit of their
    own.
    """

    name: str
    description: str
    members: Mapping[str, Sequence[str]]
    revision: int
    quota: QuotaShown
    use: QuotaShown | None


class Groups(Shape):
    """A page of groups; `next` is null on the last."""

    items: Sequence[Group]
    next: str | None


class GroupAudit(Shape):
    """A page of a group's audit, the oldest record first; `next` is null on the last."""

    items: Sequence[schemas.AuditRecord]
    next: str | None


class GroupVerified(Shape):
    """That a group's audit chain is whole: how many records, and the hash of the last."""

    records: int
    hash: str


class Me(Shape):
    """Who asks: the ARN, the principal that counts, and its roles by group."""

    arn: str
    principal: str
    roles: Mapping[str, Sequence[str]]


class GroupMade(Body):
    """A group to make."""

    name: Annotated[str, Field(max_length=32, pattern=NAME)]
    description: Annotated[str, Field(max_length=200)] = ""
    members: Members = {}  # noqa: RUF012 - pydantic copies it
    message: Why = ""


class QuotaWanted(Body):
    """What a group's endpoints may take together; null: no limit."""

    endpoints: Annotated[int, Field(ge=0, le=100_000)] | None = None
    concurrency: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    requests_a_second: Annotated[float, Field(ge=0, le=1e6)] | None = None


class GroupWanted(Body):
    """A group as it is to be. Without `quota` that stays; an admin of the group `all` sets it."""

    description: Annotated[str, Field(max_length=200)] = ""
    members: Members
    quota: QuotaWanted | None = None
    message: Why = ""


@routes.get("/me", responses=shown(Me))
async def show_me(call: Annotated[RequestContext, reads()]) -> Response:
    """Show who asks, and what it is in which group."""
    roles_by_group = service.roles_of(call.ports, call.principal)
    roles = {group: sorted(held) for group, held in roles_by_group.items()}
    return answer(Me(arn=call.actor, principal=call.principal, roles=roles))


@routes.get("/groups", responses=shown(Groups))
async def list_groups(
    call: Annotated[RequestContext, reads()], cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """List groups, in the order of their names."""
    first, groups = after(cursor), call.ports.groups

    def found() -> Iterator[tuple[str, Group]]:
        for name in groups.groups():
            if name > first and (group := groups.load_group(name)):
                yield name, _group(group)

    items, following = page(found(), limit)
    return answer(Groups(items=items, next=following))


@routes.post("/groups", status_code=201, responses=shown(Group, 201))
async def make_group(
    wanted: GroupMade, call: Annotated[RequestContext, posts(Action.ADMINISTER)]
) -> Response:
    """Make a group.

    Until the group `all` has an admin, whoever IAM lets ask may make one; from then on its admins.
    """
    location = f"/v1/groups/{wanted.name}"

    def do(ports: Ports) -> Response:
        group = service.make_group(
            ports,
            wanted.name,
            description=wanted.description,
            members=wanted.members,
            author=call.author(wanted.message),
        )
        return answer(_group(group), 201, etag=group.revision, location=location)

    def lost(ports: Ports) -> Response:
        stands = service.group_named(ports, wanted.name)
        return answer(_group(stands), 201, etag=stands.revision, location=location)

    return call.once(do, lost=lost)


@routes.get("/groups/{group}", responses=shown(Group))
async def show_group(group: GroupName, call: Annotated[RequestContext, reads()]) -> Response:
    """Show a group."""
    kept = service.group_named(call.ports, group)
    return answer(_with_use(call.ports, kept), etag=kept.revision)


@routes.put("/groups/{group}", responses=shown(Group))
async def edit_group(
    group: GroupName, wanted: GroupWanted, call: Annotated[RequestContext, edits(Action.ADMINISTER)]
) -> Response:
    """Replace a group's description and members, and its quota where that is given."""
    quota = None if wanted.quota is None else _quota(wanted.quota)
    if quota is not None and quota != service.group_named(call.ports, group).quota:
        # The admins of a group do not set the limits that hold for it.
        must_on_group(call.ports, call.principal, Action.ADMINISTER, EVERYWHERE)
    edited = service.edit_group(
        call.ports,
        group,
        description=wanted.description,
        members=wanted.members,
        author=call.author(wanted.message),
        quota=quota,
    )
    return answer(_with_use(call.ports, edited), etag=edited.revision)


@routes.get("/groups/{group}/audit", responses=shown(GroupAudit))
async def show_group_audit(
    group: GroupName,
    call: Annotated[RequestContext, reads()],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List who changed a group, when and why."""
    service.group_named(call.ports, group)
    first = after_number(cursor)
    records = call.ports.groups.group_audit(group, after=first)
    items, following = page(((str(r.seq), schemas.record(r)) for r in records), limit)
    return answer(GroupAudit(items=items, next=following))


@routes.get("/groups/{group}/audit/verify", responses=shown(GroupVerified) | BROKEN)
async def verify_group_audit(
    group: GroupName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Verify a group's audit chain: answers 409 naming the record at which it breaks."""
    records, head = service.verified(call.ports, group)
    return answer(GroupVerified(records=records, hash=head.hash))


def _group(group: Kept, use: Use | None = None) -> Group:
    return Group(
        name=group.name,
        description=group.description,
        members={who: sorted(roles) for who, roles in sorted(group.members.items())},
        revision=group.revision,
        quota=QuotaShown(
            endpoints=group.quota.endpoints,
            concurrency=group.quota.concurrency,
            requests_a_second=group.quota.requests,
        ),
        use=None if use is None else _use(use),
    )


def _with_use(ports: Ports, group: Kept) -> Group:
    return _group(group, use_of_group(ports, group.name))


def _use(use: Use) -> QuotaShown:
    return QuotaShown(
        endpoints=use.endpoints,
        concurrency=None if math.isinf(use.concurrency) else use.concurrency,
        requests_a_second=None if math.isinf(use.requests) else use.requests,
    )


def _quota(wanted: QuotaWanted) -> Quota:
    return Quota(wanted.endpoints, wanted.concurrency, wanted.requests_a_second)
