"""Who may do what: principals, their roles in groups, and the table of what each role may. Pure.

IAM lets a principal reach a route. Groups say whose endpoints it may touch there: an endpoint that
has an owner group is changed by that group's members alone, each by the roles that it has there,
and its logs, which may hold what its clients sent, are read by them alone. All else is for all to
see. An endpoint without an owner group, and a group without an admin, are left to IAM.

| action     | viewer | releaser | approver | admin | what                                        |
| ---------- | ------ | -------- | -------- | ----- | ------------------------------------------- |
| view       | yes    | yes      | yes      | yes   | every other GET, of members and others      |
| read       | yes    | yes      | yes      | yes   | the lines of logs                           |
| operate    |        | yes      | yes      | yes   | pause, resume, abort, reject, roll back     |
| release    |        | yes      |          | yes   | releases, settings, traffic, rules, clients |
| approve    |        |          | yes      | yes   | approve, promote                            |
| administer |        |          |          | yes   | owner group, members, deleting              |
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from halftone.domain.audit import AuditHead
from halftone.domain.errors import InvalidInput

EVERYWHERE = "all"
"""The reserved group whose members have their roles in every group."""

LONGEST_ARN = 700
"""Characters of a member's ARN: IAM's own have no more, and 200 of them fit into one item."""

_SESSION = re.compile(
    r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/"
    r"(?P<role>[^/]+)/.+"
)
_ROLE = re.compile(
    r"arn:(?P<partition>[^:]+):iam::(?P<account>\d{12}):role/(?:.+/)?"
    r"(?P<role>[^/]+)"
)
_FEDERATED = re.compile(r"(?P<all>arn:[^:]+:sts::\d{12}:federated-user)/.+")
_PERSON = re.compile(
    r"arn:[^:]+:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[a-zA-Z0-9_-]+/[a-zA-Z0-9:_-]{1,128}"
)
_OTHER = re.compile(r"arn:[^:]+:iam::\d{12}:(root|user/.+)")


class Role(StrEnum):
    """What a principal is in a group. The module's table says what each may."""

    VIEWER = "viewer"
    RELEASER = "releaser"
    APPROVER = "approver"
    ADMIN = "admin"


class Action(StrEnum):
    """A kind of request. The module's table says who may make it."""

    VIEW = "view"
    READ = "read"
    OPERATE = "operate"
    RELEASE = "release"
    APPROVE = "approve"
    ADMINISTER = "administer"


MAY: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW, Action.READ}),
    Role.RELEASER: frozenset({Action.VIEW, Action.READ, Action.OPERATE, Action.RELEASE}),
    Role.APPROVER: frozenset({Action.VIEW, Action.READ, Action.OPERATE, Action.APPROVE}),
    Role.ADMIN: frozenset(Action),
}


@dataclass(frozen=True)
class Quota:
    """What the endpoints of a group may take together (None: no limit): how many they are, their
    reserved concurrency, and their throttles in requests a second.
    """

    endpoints: int | None = None
    concurrency: int | None = None
    requests: float | None = None


@dataclass(frozen=True)
class Group:
    """Principals and their roles. ``revision`` counts writes, ``audit`` is its chain's end.

    ``quota`` is what its endpoints may take together, in this stage.
    """

    name: str
    description: str = ""
    members: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    revision: int = 0
    audit: AuditHead = field(default_factory=AuditHead)
    quota: Quota = field(default_factory=Quota)

    def may(self, principal: str, action: Action) -> bool:
        """Whether a role of ``principal`` in this group has ``action``."""
        return any(action in MAY[role] for role in self.members.get(principal, ()))

    @property
    def administered(self) -> bool:
        """Whether it has an admin."""
        return any(Role.ADMIN in roles for roles in self.members.values())


def principal_of(arn: str) -> str:
    """Who acts, without the name of the session: ``arn:aws:iam::<account>:role/<name>`` for a role.

    Whoever takes a role on may choose the session's name, so it says nothing; nor does the name of
    a federated user, whom any user may make: all of an account are one principal. The path of a
    role is left out, because an assumed role's ARN does not have it. A person of a user
    pool (see ``person_arn``) is one principal, in whatever role.

    Raises:
        InvalidInput: if it is no ARN of a role, a session of one, a user, or an account's root.
    """
    match = _SESSION.fullmatch(arn) or _ROLE.fullmatch(arn)
    if match:
        return f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}"
    federated = _FEDERATED.fullmatch(arn)
    if federated:
        return federated["all"]
    if _OTHER.fullmatch(arn) or _PERSON.fullmatch(arn):
        return arn
    raise InvalidInput("principal", arn, "the ARN of a role, a user or an account's root")


def person_arn(*, partition: str, account: str, pool: str, subject: str) -> str:
    """The ARN of a person of a user pool: no role or session changes it.

    ``pool`` is the pool's id, which begins with its region, and ``subject`` the person's ``sub``.
    It is the same whichever role the person has, and another for each person of one role.

    >>> person_arn(partition="aws", account="1" * 12, pool="eu-west-1_AbC", subject="ann")
    'arn:aws:cognito-idp:eu-west-1:111111111111:userpool/eu-west-1_AbC/ann'
    """
    region = pool.partition("_")[0]
    return f"arn:{partition}:cognito-idp:{region}:{account}:userpool/{pool}/{subject}"


VIA = " via "
"""Between a person and the stack through which they act, in an actor on record."""


def principal_in(actor: str) -> str:
    """The principal of who is on record as ``actor``, also through a stack; its name where it has
    none: a deploy whose author is not known.
    """
    try:
        return principal_of(actor.partition(VIA)[0])
    except InvalidInput:
        return actor


def checked_members(
    field: str, roles_by_member: Mapping[str, Sequence[str]]
) -> dict[str, frozenset[Role]]:
    """Members with their roles, each by its principal; an ARN given twice has both's roles.

    Raises:
        InvalidInput: naming the ARN or the role that can't be taken.
    """
    members: dict[str, frozenset[Role]] = {}
    for arn, names in roles_by_member.items():
        if len(arn) > LONGEST_ARN or not arn.isascii():
            raise InvalidInput(field, arn, f"ARNs of at most {LONGEST_ARN} ASCII characters")
        if _FEDERATED.fullmatch(arn):
            expected = "a role or a user: a federated user's name is chosen by whoever asks for it"
            raise InvalidInput(f"{field}.{arn}", arn, expected)
        try:
            principal = principal_of(arn)
        except InvalidInput as error:
            raise InvalidInput(f"{field}.{arn}", arn, error.expected) from None
        roles = {role.value: role for role in Role}
        for name in names:
            if name not in roles:
                raise InvalidInput(f"{field}.{arn}", name, f"one of {', '.join(roles)}")
        had = members.get(principal, frozenset())
        members[principal] = had | {roles[name] for name in names}
    return members


def permits(principal: str, action: Action, owner: Group | None, everywhere: Group | None) -> bool:
    """Whether ``principal`` may do ``action`` to what ``owner`` owns (None: nobody does)."""
    if action is Action.VIEW or owner is None:
        return True
    return any(group.may(principal, action) for group in (owner, everywhere) if group)
