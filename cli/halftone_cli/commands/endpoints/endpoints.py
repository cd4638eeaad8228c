"""``halftone endpoints …``: which there are, whose they are, and how they are called."""

import json
import shlex
from typing import Annotated

import typer
from rich.table import Table

from halftone.domain.errors import InvalidInput, NotFound
from halftone_cli.commands.changing import MessageOption, existing
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.console import note, one_line, say_json, show, stamped, table
from halftone_cli.control.api import Json
from halftone_cli.control.problems import NothingThere
from halftone_cli.stage.session import Session


def list_endpoints(
    session: Session,
    *,
    group: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only those of this owner group.", show_default=False),
    ] = None,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only those of my groups, or my doing.")
    ] = False,
    search: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only names that hold this.", show_default=False),
    ] = None,
) -> None:
    """List the stage's endpoints with their status.

    \b
    Examples:
      halftone endpoints list
      halftone endpoints list --group risk --search fraud
      halftone endpoints list --mine --json
    """
    wanted = {"group": group, "mine": mine or None, "name": search}
    found = list(session.control.items("/endpoints", **wanted))
    if session.as_json:
        say_json({"stage": session.stage.name, "endpoints": found})
        return
    if not found:
        note("no endpoint is like that")
        return
    made = table("endpoint", "status", "owner", "creator", "message")
    for each in found:
        words = (each["owner"] or "-", each["creator"] or "-", each["message"])
        made.add_row(each["name"], each["status"], *(one_line(word) for word in words))
    show(made)
    if unread := sum(each["difference"] is None and bool(each["champion"]) for each in found):
        note(
            f"{unread} of them are shown by their record: the aliases of ten a page are read; "
            "`halftone endpoints show NAME` reads those of any"
        )


def show_endpoint(session: Session, endpoint: EndpointArgument) -> None:
    """Show an endpoint on one page, with a curl line that works.

    Status, traffic, deployments with their size and replicas, access, owner, settings, signature.
    Where nothing serves it, the status says why.

    \b
    Examples:
      halftone endpoints show fraud
    """
    page = _overview(session, endpoint)
    found, settings, serving = page["endpoint"], page["settings"], page["serving"]
    deployments = page["deployments"]
    clients = [] if serving["access"] == "public" else page["clients"]
    signature = page["signature"]
    if signature is not None:
        signature |= _reached(signature, f"{session.stage.api}/endpoints/{endpoint}")
    if session.as_json:
        say_json(
            {
                **found,
                "settings": settings,
                "serving": serving,
                "deployments": deployments,
                "clients": clients,
                "signature": signature,
            }
        )
        return
    facts = {
        "endpoint": found["name"],
        "status": f"{found['status']}: {found['message']}",
        "answering": _answering(serving),
        "access": _access(serving, clients),
        "address": f"{session.stage.api}/endpoints/{endpoint}",
        "owner": found["owner"] or "nobody",
        "creator": found["creator"] or "-",
        "created": stamped(found["created_at"]) if found["created_at"] else "-",
        "description": settings["description"] or "-",
        "tags": _pairs(settings["tags"]) or "-",
        "concurrency": _number(settings["concurrency"], "what the account has left"),
        "throttle": _limit(settings["throttle"]),
    }
    if signature:
        facts["takes"] = ", ".join(map(_field, signature["inputs"])) or "-"
        facts["gives"] = ", ".join(map(_field, signature["outputs"])) or "-"
    for name, value in facts.items():
        show(f"{name:<12} {one_line(value)}")
    if deployments:
        show(_deployments(deployments))
    if signature is None:
        return
    for field in (*signature["inputs"], *signature["outputs"]):
        about = _about(field)
        if about:
            show(one_line(f"{field['name']}: {about}"))
    show(one_line(signature["curl"]))


def _overview(session: Session, endpoint: str) -> Json:
    try:
        return session.control.get(f"/endpoints/{existing(endpoint)}/overview")
    except NothingThere as error:
        remedy = "`halftone endpoints list` shows which there are"
        raise NotFound("endpoint", endpoint, remedy) from error


def _answering(serving: Json) -> str:
    if serving["stopped"]:
        return f"nobody: {serving['stopped']}"
    shares = [f"version {v} {share:g} %" for v, share in serving["answering"].items() if share]
    rules = f"; {len(serving['rules'])} rules before that" if serving["rules"] else ""
    return (", ".join(shares) or "nobody") + rules


def _access(serving: Json, clients: list[Json]) -> str:
    if serving["access"] == "public":
        return "public"
    names = ", ".join(dict.fromkeys(str(client["name"]) for client in clients))
    return f"private; clients: {names or 'none'}"


def _number(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else str(value)


def _limit(throttle: Json | None) -> str:
    if throttle is None:
        return "the stage's"
    return f"{throttle['rate']:g} a second, {throttle['burst']} at once"


def _deployments(found: list[Json]) -> Table:
    made = table("version", "name", "status", "share", "package", "size", "replicas", "message")
    for each in found:
        made.add_row(
            each["version"],
            each["name"],
            each["status"],
            f"{each['share']:g} %",
            f"{each['package']['name']}@{each['package']['digest'][:12]}",
            f"{each['memory']} MB" if each["memory"] else "-",
            f"{each['ready']} of {each['replicas']}",
            one_line(each["message"]),
        )
    return made


def _field(field: Json) -> str:
    """A field with its type, and whether it may be missing."""
    told = f"{field['name']}: {field['type']}"
    if "default" in field:
        return f"{told} (default {json.dumps(field['default'], ensure_ascii=False)})"
    return f"{told} (optional)" if field.get("optional") else told


def _about(field: Json) -> str:
    """What the package says of a field, for people."""
    example = json.dumps(field.get("example"), ensure_ascii=False)
    told = [field.get("description", ""), f"for example {example}" if "example" in field else ""]
    return "; ".join(filter(None, told))


def _reached(signature: Json, here: str) -> dict[str, str]:
    """The address and the curl line as they are reached from here: AWS names its own address."""
    words, _, last = signature["curl"].rpartition(" ")
    path = shlex.split(last)[0].removeprefix(signature["url"])
    return {"url": here, "curl": f"{words} {shlex.quote(f'{here}{path}')}"}


def set_endpoint(
    session: Session,
    endpoint: EndpointArgument,
    *,
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is.", show_default=False)
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT",
            help="A tag; without a text it is taken away. May be repeated.",
            show_default=False,
        ),
    ] = None,
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N|none",
            help="How many requests at once, at most; none: what the account has left.",
            show_default=False,
        ),
    ] = None,
    throttle: Annotated[
        str | None,
        typer.Option(
            metavar="RATE/BURST|none",
            help="Requests a second on average, and at once, at most; none: the stage's.",
            show_default=False,
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Change an endpoint's description, tags, concurrency or throttle, without a deploy.

    \b
    Examples:
      halftone endpoints set fraud --description "Is this payment fraud?" --tag team=risk
      halftone endpoints set fraud --concurrency 50 --throttle 100/200
    """
    wanted: Json = {}
    if description is not None:
        wanted["description"] = description
    if tag:
        wanted["tags"] = dict(_tag(word) for word in tag)
    if concurrency is not None:
        if concurrency != "none" and not concurrency.isdecimal():
            raise InvalidInput("--concurrency", concurrency, "a whole number, or none")
        wanted["concurrency"] = None if concurrency == "none" else int(concurrency)
    if throttle is not None:
        wanted["throttle"] = None if throttle == "none" else _throttle(throttle)
    if not wanted:
        expected = "--description, --tag, --concurrency or --throttle: what to change"
        raise InvalidInput("OPTIONS", None, expected)
    path = f"/endpoints/{existing(endpoint)}/settings"
    seen = session.control.read(path)
    found = session.control.patch(path, {**wanted, "message": message}, etag=seen.etag).json
    if session.as_json:
        say_json(found)
        return
    for name, value in found.items():
        told = _pairs(value) if isinstance(value, dict) else value
        show(f"{name:<12} {one_line(str(told if told not in (None, '') else '-'))}")


def own_endpoint(
    session: Session,
    endpoint: EndpointArgument,
    owner: Annotated[
        str,
        typer.Argument(
            metavar="GROUP|nobody", help="Whose members may change it.", show_default=False
        ),
    ],
    *,
    self_approval: Annotated[
        bool | None,
        typer.Option(
            "--self-approval/--no-self-approval",
            help="Whether who started a rollout may approve it; else the stage says.",
            show_default=False,
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Give an endpoint to a group, and say whether one person may start and approve a rollout.

    \b
    Examples:
      halftone endpoints own fraud risk --no-self-approval
      halftone endpoints own playground nobody --self-approval
    """
    path = f"/endpoints/{existing(endpoint)}"
    wanted = {
        "owner": None if owner == "nobody" else owner,
        "self_approval": self_approval,
        "message": message,
    }
    seen = session.control.read(path)
    found: Json = session.control.put(f"{path}/owner", wanted, etag=seen.etag).json
    if session.as_json:
        say_json(found)
        return
    approval = {None: "as the stage says", True: "allowed", False: "not allowed"}
    told = approval[found["self_approval"]]
    show(one_line(f"{endpoint}: owned by {found['owner'] or 'nobody'}, self-approval {told}"))


def _throttle(text: str) -> Json:
    rate, _, burst = text.partition("/")
    try:
        return {"rate": float(rate), "burst": int(burst)}
    except ValueError:
        raise InvalidInput(
            "--throttle", text, "requests a second and at once such as 100/200, or none"
        ) from None


def _pairs(given: Json) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items())


def _tag(word: str) -> tuple[str, str | None]:
    name, _, text = word.partition("=")
    if not name:
        raise InvalidInput("--tag", word, "a tag such as team=risk")
    return name, text or None
