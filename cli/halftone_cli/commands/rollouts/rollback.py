"""``halftone rollback``: the champion alone, or an earlier version again."""

from typing import Annotated
from urllib.parse import quote

import typer

from halftone.domain.endpoint.status import Status
from halftone.domain.errors import Conflict, Unavailable
from halftone_cli.commands.changing import (
    MessageOption,
    YesOption,
    ask,
    endpoint_of,
    newest_rollout,
    tell,
)
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.commands.rollouts.direct import rollback_directly
from halftone_cli.control.api import Json, Reply
from halftone_cli.control.problems import ServerFault
from halftone_cli.stage.session import Session


def rollback(
    session: Session,
    endpoint: EndpointArgument,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="VERSION",
            help="The version that is to serve, one that has served before: its number or its "
            "deployment's name.",
            show_default=False,
        ),
    ] = None,
    message: MessageOption = "rolled back by hand",
    direct: Annotated[
        bool,
        typer.Option(
            "--direct",
            help="Do it straight on Lambda and DynamoDB with the caller's own rights: for when the "
            "control API does not answer.",
        ),
    ] = False,
    yes: YesOption = False,
) -> None:
    """Take the challenger back, or return to an earlier version.

    A rollout that is under way ends: its champion alone answers. If there is none, the version that
    served before the present one becomes champion again. What is true afterwards is read back and
    shown. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone rollback fraud --message "scores drift since noon"
      halftone rollback fraud --to 3 --yes
      halftone rollback fraud --to teal
      halftone rollback fraud --direct
    """
    if direct:
        rollback_directly(session, endpoint, to=to, reason=message, yes=yes)
        return
    try:
        _by_the_api(session, endpoint, to=to, message=message, yes=yes)
    except (Unavailable, ServerFault) as error:
        told = f"{error}; `halftone rollback {endpoint} --direct` does without the control API"
        raise Unavailable(told) from error
    tell(session, endpoint)


def _by_the_api(
    session: Session, endpoint: str, *, to: str | None, message: str, yes: bool
) -> None:
    """Do what was seen to be right: a rollout that ended since is not taken for leave to go back
    one version further than whoever asked could know.
    """
    seen = endpoint_of(session, endpoint)
    if to is not None and not to.isdigit():
        deployment = quote(to, safe="")
        to = str(session.control.get(f"/endpoints/{endpoint}/deployments/{deployment}")["version"])
    running = newest_rollout(session, endpoint) if seen["status"] == Status.DEPLOYING else None
    ask(session, lambda: _question(seen, running, to), yes=yes)
    ended = running if running is not None else _ended_before(session, endpoint, message)
    if running is not None:
        _abort(session, endpoint, running, message)
    if ended is not None and to in (None, ended["champion"]):
        return
    query = "" if to is None else f"?v={to}"
    champion = seen["champion"]["version"] if seen["champion"] else "-"
    session.control.post(
        f"/endpoints/{endpoint}/rollback{query}",
        {"message": message},
        seen=f"{champion} {running['id']}" if running else champion,
    )


def _abort(session: Session, endpoint: str, rollout: Json, message: str) -> Reply:
    path = f"/endpoints/{endpoint}/rollouts/{rollout['id']}/abort"
    # The end of its id tells rollouts apart; a key has 128 characters at most.
    return session.control.post(path, {"message": message}, part=f"abort-{rollout['id'][-16:]}")


def _ended_before(session: Session, endpoint: str, message: str) -> Json | None:
    """The newest rollout if this very request ended it when it was sent before.

    Who says a rollback again after ctrl-C must not go one version further back by it.
    """
    if session.request is None or endpoint_of(session, endpoint)["rollout"] is None:
        return None
    newest = newest_rollout(session, endpoint)
    try:
        again = _abort(session, endpoint, newest, message).headers
    except Conflict:
        return None
    return newest if again.get("idempotent-replayed") == "true" else None


def _question(seen: Json, running: Json | None, to: str | None) -> str:
    champion = seen["champion"]
    serving = f"version {champion['version']}" if champion else "nothing"
    if running:
        package = f"{running['package']['name']}@{running['package']['digest'][:12]}"
        target = f"version {to}" if to else serving
        return (
            f"End the rollout of {package} to {seen['name']} ({running['phase']} at "
            f"{running['share']:g} %), so that {target} alone answers?"
        )
    target = f"version {to}" if to else "the version before it"
    return f"Take {serving} of {seen['name']} back, so that {target} alone answers?"
