"""``halftone deployments …``: one published version of an endpoint each."""

from typing import Annotated

import typer

from halftone_cli.commands.changing import MessageOption, YesOption, ask, existing
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.console import note, one_line, say_json, show, stamped, table
from halftone_cli.control.api import Json, Reply
from halftone_cli.stage.session import Session

DeploymentArgument = Annotated[
    str,
    typer.Argument(metavar="DEPLOYMENT", help="Its name or its version.", show_default=False),
]


def list_deployments(
    session: Session,
    endpoint: EndpointArgument,
    *,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones, too.")] = False,
) -> None:
    """List an endpoint's deployments, the newest first.

    \b
    Examples:
      halftone deployments list fraud
    """
    path = f"/endpoints/{existing(endpoint)}/deployments"
    found = list(session.control.items(path, deleted=deleted or None))
    if session.as_json:
        say_json({"endpoint": endpoint, "deployments": found})
        return
    made = table("version", "name", "status", "share", "package", "created", "message")
    for each in found:
        made.add_row(
            each["version"],
            each["name"],
            each["status"],
            f"{each['share']:g} %",
            f"{each['package']['name']}@{each['package']['digest'][:12]}",
            stamped(each["created_at"]),
            one_line(each["message"]),
        )
    show(made)


def show_deployment(
    session: Session, endpoint: EndpointArgument, deployment: DeploymentArgument
) -> None:
    """Show a deployment: its status, its share, its replicas, its number in the registry.

    \b
    Examples:
      halftone deployments show fraud green
    """
    _tell(session, _seen(session, endpoint, deployment).json)


def deployment_history(
    session: Session,
    endpoint: EndpointArgument,
    deployment: Annotated[
        str | None,
        typer.Argument(
            metavar="[DEPLOYMENT]",
            help="Only this one, with every event: its name or its version.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show what happened to an endpoint's deployments: who, when, and how each ended.

    Every deployment that ever was is listed, also deleted ones and those before the endpoint was
    retired. `halftone history` shows every record of the endpoint instead.

    \b
    Examples:
      halftone deployments history fraud
      halftone deployments history fraud green
    """
    path = f"/endpoints/{existing(endpoint)}/history"
    found = list(session.control.items(path, deployment=deployment))
    if session.as_json:
        say_json({"endpoint": endpoint, "deployments": found})
        return
    if deployment is not None:
        for each in found:
            _show_events(each)
        return
    made = table("version", "name", "published", "by", "package", "size", "replicas", "state")
    for each in found:
        made.add_row(
            each["version"],
            each["name"],
            stamped(each["published_at"]),
            one_line(each["actor"] or "-"),
            f"{each['package']['name']}@{each['package']['digest'][:12]}",
            _size(each["memory"]),
            str(each["replicas"]),
            one_line(_state(each)),
        )
    show(made)


def _show_events(entry: Json) -> None:
    facts = {
        "version": entry["version"],
        "name": entry["name"],
        "package": f"{entry['package']['name']}@{entry['package']['digest']}",
        "published": f"{stamped(entry['published_at'])} by {entry['actor'] or '-'}",
        "message": entry["message"] or "-",
        "size": _size(entry["memory"]),
        "replicas": str(entry["replicas"]),
        "description": entry["description"] or "-",
        "tags": ", ".join(f"{name}={text}" for name, text in entry["tags"].items()) or "-",
        "state": _state(entry),
    }
    for name, value in facts.items():
        show(f"{name:<12} {one_line(value)}")
    made = table("seq", "time", "actor", "action", "reason")
    for event in entry["events"]:
        words = (event["actor"], event["action"], event["reason"])
        made.add_row(str(event["seq"]), stamped(event["at"]), *map(one_line, words))
    show(made)


def _state(entry: Json) -> str:
    if entry["serving"]:
        return "champion"
    return str(entry["stopped_why"] or (entry["phase"] or "-").replace("_", " "))


def _size(memory: int | None) -> str:
    return f"{memory} MB" if memory else "-"


def name_deployment(
    session: Session,
    endpoint: EndpointArgument,
    deployment: DeploymentArgument,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Such as green; its version: none of its own.", show_default=False
        ),
    ],
    *,
    message: MessageOption = "",
) -> None:
    """Call a deployment by a name, by which requests may be pinned to it.

    \b
    Examples:
      halftone deployments name fraud 2 green
    """
    _edit(session, endpoint, deployment, {"name": name, "message": message})


def scale_deployment(
    session: Session,
    endpoint: EndpointArgument,
    deployment: DeploymentArgument,
    replicas: Annotated[
        int,
        typer.Argument(
            metavar="REPLICAS", help="How many stand ready; 0: none.", show_default=False
        ),
    ],
    *,
    message: MessageOption = "",
) -> None:
    """Say how many replicas of a deployment stand ready (provisioned concurrency).

    Without any, Lambda starts as many as it needs when requests come.

    \b
    Examples:
      halftone deployments scale fraud blue 2
    """
    _edit(session, endpoint, deployment, {"replicas": replicas, "message": message})


def stop_deployment(
    session: Session,
    endpoint: EndpointArgument,
    deployment: DeploymentArgument,
    *,
    message: MessageOption = "",
) -> None:
    """Let a deployment take no requests, not even those that name it.

    \b
    Examples:
      halftone deployments stop fraud green --message "leaks memory"
    """
    _say(session, endpoint, deployment, "stop", message)


def start_deployment(
    session: Session,
    endpoint: EndpointArgument,
    deployment: DeploymentArgument,
    *,
    message: MessageOption = "",
) -> None:
    """Let a deployment that was stopped take requests again.

    \b
    Examples:
      halftone deployments start fraud green
    """
    _say(session, endpoint, deployment, "start", message)


def delete_deployment(
    session: Session,
    endpoint: EndpointArgument,
    deployment: DeploymentArgument,
    *,
    message: MessageOption = "",
    yes: YesOption = False,
) -> None:
    """Delete a deployment with its version, for good; what it was stays on record.

    Refused for the champion, for either side of a rollout, for what a share, a rule, a mirror or an
    alias points at, and for the last one that is known to have answered well. On a terminal the
    command asks before it acts.

    \b
    Examples:
      halftone deployments delete fraud blue --yes
    """
    seen: Json = _seen(session, endpoint, deployment).json
    package = f"{seen['package']['name']}@{seen['package']['digest'][:12]}"
    named = f"version {seen['version']} ({package}) of {endpoint}"
    ask(session, lambda: f"Delete {named} for good?", yes=yes)
    path = f"/endpoints/{endpoint}/deployments/{seen['version']}"
    _tell(session, session.control.delete(path, message=message or None).json)


def _seen(session: Session, endpoint: str, deployment: str) -> Reply:
    return session.control.read(f"/endpoints/{existing(endpoint)}/deployments/{deployment}")


def _edit(session: Session, endpoint: str, deployment: str, body: Json) -> None:
    seen = _seen(session, endpoint, deployment)
    path = f"/endpoints/{endpoint}/deployments/{deployment}"
    _tell(session, session.control.patch(path, body, etag=seen.etag).json)


def _say(session: Session, endpoint: str, deployment: str, verb: str, message: str) -> None:
    path = f"/endpoints/{existing(endpoint)}/deployments/{deployment}/{verb}"
    _tell(session, session.control.post(path, {"message": message}).json)


def _tell(session: Session, found: Json) -> None:
    if session.as_json:
        say_json(found)
        return
    facts = {
        **{name: found[name] for name in ("version", "name", "status", "message")},
        "share": f"{found['share']:g} %",
        "model": found["model"] or "-",
        "package": f"{found['package']['name']}@{found['package']['digest'][:12]}",
        "created": stamped(found["created_at"]),
        "replicas": f"{found['ready']} of {found['replicas']} ready",
        "size": _size(found["memory"]),
    }
    for name, value in facts.items():
        show(f"{name:<8} {one_line(value)}")
    if found["replicas_message"]:
        note(found["replicas_message"])
