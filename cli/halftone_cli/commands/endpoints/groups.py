"""``halftone groups …`` and ``halftone me``: who belongs to a group, and as what."""

from collections.abc import Sequence
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.names import checked_name
from halftone_cli.commands.changing import MessageOption, YesOption, ask
from halftone_cli.console import note, one_line, say_json, show, table
from halftone_cli.control.api import Json, Reply
from halftone_cli.control.problems import NothingThere
from halftone_cli.stage.session import Session

ROLES = ("viewer", "releaser", "approver", "admin")

GroupArgument = Annotated[
    str, typer.Argument(metavar="GROUP", help="The group's name.", show_default=False)
]
MemberArgument = Annotated[
    str,
    typer.Argument(
        metavar="ARN",
        help="An IAM user or role, such as arn:aws:iam::111111111111:role/analyst.",
        show_default=False,
    ),
]


def list_groups(session: Session) -> None:
    """List the stage's groups with how many members each has.

    \b
    Examples:
      halftone groups list
      halftone groups list --json
    """
    groups = list(session.control.items("/groups"))
    if session.as_json:
        say_json({"groups": groups})
        return
    if not groups:
        note("there are no groups: `halftone groups add all ARN admin` makes the first")
        return
    rows = table("group", "members", "admins", "description")
    for group in groups:
        admins = [arn for arn, roles in group["members"].items() if "admin" in roles]
        rows.add_row(
            group["name"],
            str(len(group["members"])),
            str(len(admins)),
            one_line(group["description"] or "-"),
        )
    show(rows)


def show_group(session: Session, group: GroupArgument) -> None:
    """Show a group's members and their roles.

    \b
    Examples:
      halftone groups show risk
    """
    _show(session, _read(session, group).json)


def add_member(
    session: Session,
    group: GroupArgument,
    member: MemberArgument,
    roles: Annotated[
        list[str],
        typer.Argument(metavar="ROLE...", help=f"Any of {', '.join(ROLES)}.", show_default=False),
    ],
    *,
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the group is.", show_default=False)
    ] = None,
    message: MessageOption = "",
) -> None:
    """Give a member these roles in a group, in place of those that it had; makes a new group.

    Members of the group `all` have their roles in every group.

    \b
    Examples:
      halftone groups add risk arn:aws:iam::111111111111:role/analyst viewer
      halftone groups add risk arn:aws:iam::111111111111:user/ann releaser approver
    """
    for role in roles:
        if role not in ROLES:
            raise InvalidInput("ROLE", role, f"one of {', '.join(ROLES)}")
    wanted = sorted(set(roles))
    try:
        seen = _read(session, group)
    except NotFound:
        body = {"name": group, "description": description or "", "members": {member: wanted}}
        made = session.control.post("/groups", {**body, "message": message}).json
        _show(session, made)
        return
    members = {**seen.json["members"], member: wanted}
    _put(session, seen, members, description=description, message=message)


def set_quota(
    session: Session,
    group: GroupArgument,
    *,
    endpoints: Annotated[
        str | None,
        typer.Option(metavar="N|none", help="How many endpoints it may own.", show_default=False),
    ] = None,
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N|none",
            help="How many requests at once all of them together may reserve.",
            show_default=False,
        ),
    ] = None,
    requests: Annotated[
        str | None,
        typer.Option(
            metavar="R|none",
            help="Requests a second that their throttles together may let in.",
            show_default=False,
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Show or set what a group's endpoints may take together in this stage, beside what they take.

    An admin of the group `all` sets it. What the group has already stays; more is refused. With a
    quota of concurrency or requests, each endpoint of the group needs such a limit of its own.

    \b
    Examples:
      halftone groups quota risk
      halftone groups quota risk --endpoints 5 --concurrency 200 --requests 500
      halftone groups quota risk --endpoints none
    """
    seen = _read(session, group)
    limits = {
        "endpoints": _limit("--endpoints", endpoints),
        "concurrency": _limit("--concurrency", concurrency),
        "requests_a_second": _limit("--requests", requests),
    }
    given = {"endpoints": endpoints, "concurrency": concurrency, "requests_a_second": requests}
    if all(value is None for value in given.values()):
        _show(session, seen.json)
        return
    quota = {
        name: limits[name] if given[name] is not None else seen.json["quota"][name]
        for name in limits
    }
    _put(session, seen, seen.json["members"], description=None, message=message, quota=quota)


def _limit(option: str, text: str | None) -> float | None:
    if text in (None, "none"):
        return None
    try:
        number = float(str(text))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1e6 or (option != "--requests" and number != int(number)):
        raise InvalidInput(option, text, "a number from 0 to 1000000, or none")
    return number if option == "--requests" else int(number)


def remove_member(
    session: Session,
    group: GroupArgument,
    member: MemberArgument,
    *,
    message: MessageOption = "",
    yes: YesOption = False,
) -> None:
    """Take a member out of a group. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone groups remove risk arn:aws:iam::111111111111:role/analyst
    """
    seen = _read(session, group)
    members = dict(seen.json["members"])
    if member not in members:
        known = ", ".join(sorted(members)) or "nobody"
        raise NotFound("member", member, f"members of {group!r}: {known}")
    roles = ", ".join(members.pop(member))
    ask(session, lambda: f"Take {member} ({roles}) out of the group {group}?", yes=yes)
    _put(session, seen, members, description=None, message=message)


def verify_group(session: Session, group: GroupArgument) -> None:
    """Verify a group's audit chain. Exits 5 if it is broken.

    \b
    Examples:
      halftone groups verify risk
    """
    _read(session, group)
    verified = session.control.get(f"/groups/{group}/audit/verify")
    if session.as_json:
        say_json({"group": group, **verified})
    else:
        show(f"{group}: {verified['records']} records verify, ending in {verified['hash'][:12]}")


def me(session: Session) -> None:
    """Show in whose name the command acts, and its roles by group.

    \b
    Examples:
      halftone me
    """
    caller = session.control.get("/me")
    if session.as_json:
        say_json(caller)
        return
    show(f"arn          {one_line(caller['arn'])}", f"principal    {one_line(caller['principal'])}")
    for group, roles in sorted(caller["roles"].items()):
        show(f"{group:<12} {', '.join(roles)}")
    if not caller["roles"]:
        note("no group names this principal: what it may do is what IAM allows")


def _read(session: Session, group: str) -> Reply:
    try:
        return session.control.read(f"/groups/{checked_name('GROUP', group)}")
    except NothingThere as error:
        remedy = "`halftone groups list` shows which there are"
        raise NotFound("group", group, remedy) from error


def _put(
    session: Session,
    seen: Reply,
    members: dict[str, Sequence[str]],
    *,
    description: str | None,
    message: str,
    quota: Json | None = None,
) -> None:
    body = {
        "description": seen.json["description"] if description is None else description,
        "members": members,
        "message": message,
        **({} if quota is None else {"quota": quota}),
    }
    _show(session, session.control.put(f"/groups/{seen.json['name']}", body, etag=seen.etag).json)


def _show(session: Session, group: Json) -> None:
    if session.as_json:
        say_json(group)
        return
    show(f"group        {group['name']}", f"description  {one_line(group['description'] or '-')}")
    use = group["use"] or dict.fromkeys(group["quota"])
    for name, limit in group["quota"].items():
        taken = "unlimited" if use[name] is None else f"{use[name]:g}"
        of = "" if limit is None else f" of {limit:g}"
        show(f"{name.replace('_', ' '):<17} {taken}{of}")
    rows = table("member", "roles")
    for arn, roles in sorted(group["members"].items()):
        rows.add_row(one_line(arn), ", ".join(roles))
    show(rows)
