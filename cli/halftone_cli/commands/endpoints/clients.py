"""``halftone clients …``: who may call a private endpoint."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

import typer

from halftone_cli.commands.changing import MessageOption, existing
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.console import note, one_line, say_json, show, stamped, table
from halftone_cli.control.api import Json
from halftone_cli.stage.session import Session

ClientArgument = Annotated[
    str, typer.Argument(metavar="CLIENT", help="The client's name.", show_default=False)
]


def add_client(
    session: Session,
    endpoint: EndpointArgument,
    client: ClientArgument,
    *,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN",
            help="For how long, such as 90d; else until revoked.",
            show_default=False,
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Give a client a token, and print it: this once and never again.

    Only its SHA-256 is kept. A client may have two tokens, so that one can take the other's place.

    \b
    Examples:
      halftone clients add fraud clinic --expires 90d
      TOKEN=$(halftone clients add fraud clinic)
    """
    body = {"name": client, "expires": expires, "message": message}
    added: Json = session.control.post(f"/endpoints/{existing(endpoint)}/clients", body).json
    if session.as_json:
        say_json(added)
        return
    token, until = added["token"], added["client"]["expires_at"]
    if token is None:
        note("the token was shown when it was made, and is not kept: revoke it and add the client")
        return
    show(token)
    lasts = f"until {stamped(until)}" if until else "until it is revoked"
    note(f"{client} may call {endpoint} {lasts}: curl -u {client}:TOKEN, or Bearer TOKEN")


def list_clients(session: Session, endpoint: EndpointArgument) -> None:
    """List who may call a private endpoint, by which token, and until when.

    \b
    Examples:
      halftone clients list fraud
    """
    found = session.control.get(f"/endpoints/{existing(endpoint)}/clients")
    _tell(session, endpoint, found)


def revoke_client(
    session: Session,
    endpoint: EndpointArgument,
    client: Annotated[
        str,
        typer.Argument(
            metavar="CLIENT|ID",
            help="A client, with all its tokens, or the id of one token.",
            show_default=False,
        ),
    ],
    *,
    message: MessageOption = "",
) -> None:
    """Refuse a client's tokens, or one of them: within ten seconds.

    \b
    Examples:
      halftone clients revoke fraud clinic
      halftone clients revoke fraud 5f1c9a02 --message "it was in a log"
    """
    path = f"/endpoints/{existing(endpoint)}/clients/{quote(client, safe='')}"
    _tell(session, endpoint, session.control.delete(path, message=message or None).json)


def _tell(session: Session, endpoint: str, found: Json) -> None:
    if session.as_json:
        say_json(found)
        return
    if not found["items"]:
        note(f"{endpoint} has no clients")
        return
    now = session.stage.ports.clock.now()
    made = table("client", "token", "added", "by", "expires")
    for client in found["items"]:
        added, expires = stamped(client["created_at"]), stamped(client["expires_at"])
        if client["expires_at"] and datetime.fromisoformat(client["expires_at"]) <= now:
            expires = f"{expires} (expired)"
        words = (client["name"], client["token_id"], added, client["created_by"], expires)
        made.add_row(*(one_line(word) for word in words))
    show(made)
