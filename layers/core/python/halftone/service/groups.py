"""Groups: who belongs to them and as what, changed by admins and on record."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import takewhile

from halftone.domain import audit
from halftone.domain.access import Group, Quota, Role, checked_members
from halftone.domain.audit import AuditHead, Author
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.names import checked_name
from halftone.ports import AccessPorts
from halftone.service.unit_of_work import must_be_at, retry_on_conflict

_LONGEST = 1000
"""Characters of a reason, as of one that a person gives."""


def group_named(ports: AccessPorts, name: str) -> Group:
    """The group of that name.

    Raises:
        NotFound: if there is none.
    """
    group = ports.groups.load_group(name)
    if group is None:
        raise NotFound("group", name, "GET /v1/groups lists those there are")
    return group


def roles_of(ports: AccessPorts, principal: str) -> dict[str, frozenset[Role]]:
    """The roles of ``principal``, by the groups that name it."""
    groups = (ports.groups.load_group(name) for name in ports.groups.groups())
    return {g.name: g.members[principal] for g in groups if g and principal in g.members}


def make_group(
    ports: AccessPorts,
    name: str,
    *,
    description: str,
    members: Mapping[str, Sequence[str]],
    author: Author,
) -> Group:
    """Make a group. ``members`` maps ARNs to roles.

    Raises:
        InvalidInput: if the name, an ARN or a role can't be taken.
        Conflict: if there is a group of that name.
    """
    group = Group(checked_name("name", name), description, checked_members("members", members))
    standing = ports.groups.load_group(name)
    if standing is not None:
        raise Conflict(f"there is a group {name!r} already: PUT /v1/groups/{name} changes it")
    author = author.with_default(f"made with {len(group.members)} members")
    return _commit(ports, None, group, action="group-made", author=author)


def verified(ports: AccessPorts, name: str) -> tuple[int, AuditHead]:
    """Check a group's whole audit chain; how many records it has, and where it ends.

    Raises:
        NotFound: if there is no such group.
        BrokenChain: naming the first record that does not fit.
    """
    group = group_named(ports, name)
    # What was written since the group was read is of no harm: the chain is checked up to there.
    records = takewhile(
        lambda record: record.seq <= group.audit.seq, ports.groups.group_audit(name)
    )
    return audit.verify(_chain(name), records, group.audit), group.audit


@retry_on_conflict
def edit_group(
    ports: AccessPorts,
    name: str,
    *,
    description: str,
    members: Mapping[str, Sequence[str]],
    author: Author,
    quota: Quota | None = None,
) -> Group:
    """Replace a group's description and members; what is so already is not recorded again.

    ``quota`` None: it stays as it is.

    Raises:
        InvalidInput: if an ARN or a role can't be taken.
        NotFound: if there is no such group.
        PreconditionFailed: if it is not at ``revision`` (None: any).
    """
    checked = checked_members("members", members)

    before = group_named(ports, name)
    must_be_at(f"group {name!r}", before.revision, author.revision)
    after = replace(before, description=description, members=checked)
    after = after if quota is None else replace(after, quota=quota)
    if after == before:
        return before
    message = _difference(before, after)
    return _commit(
        ports, before, after, action="group-changed", author=author.with_default(message)
    )


def _difference(old: Group, new: Group) -> str:
    before, after = old.members, new.members
    changed = [who for who in after if who in before and before[who] != after[who]]
    by_verb = {
        "added": sorted({*after} - {*before}),
        "removed": sorted({*before} - {*after}),
        "changed": changed,
    }
    message = "; ".join(f"{verb} {', '.join(who)}" for verb, who in by_verb.items() if who)
    if len(message) > _LONGEST:
        # The record has before and after whole: an item of the table holds only so much.
        message = "; ".join(f"{verb} {len(who)} members" for verb, who in by_verb.items() if who)
    if new.quota != old.quota:
        message = "; ".join(filter(None, [message, f"quota: {spoken_quota(new.quota)}"]))
    return message or "described anew"


def spoken_quota(quota: Quota) -> str:
    """A quota for people."""
    limits = {
        "endpoints": quota.endpoints,
        "concurrent requests": quota.concurrency,
        "requests a second": quota.requests,
    }
    return ", ".join(f"{n:g} {unit}" for unit, n in limits.items() if n is not None) or "none"


def _commit(
    ports: AccessPorts,
    before: Group | None,
    after: Group,
    *,
    action: str,
    author: Author,
) -> Group:
    record = audit.append(
        before.audit if before else AuditHead(),
        endpoint=_chain(after.name),
        at=ports.clock.now(),
        actor=author.actor,
        action=action,
        before=_summary(before) if before else {},
        after=_summary(after),
        reason=author.reason,
        numbers={},
    )
    revision = (before.revision if before else 0) + 1
    written = replace(after, revision=revision, audit=record.head)
    ports.groups.commit_group(before, written, record, request=ports.request)
    return written


def _chain(name: str) -> str:
    """The subject of a group's audit records; no endpoint can be called so."""
    return f"group/{name}"


def _summary(group: Group) -> dict[str, object]:
    members = {who: sorted(roles) for who, roles in sorted(group.members.items())}
    quota = {"quota": asdict(group.quota)} if group.quota != Quota() else {}
    return {"description": group.description, "members": members, **quota}
