"""``halftone logs``: what an endpoint's replicas wrote."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput, Unavailable
from halftone_cli.commands.changing import existing
from halftone_cli.commands.options import ONE_VERSION, EndpointArgument
from halftone_cli.console import note, one_line, say_json, show, stamped, table
from halftone_cli.control.api import Json
from halftone_cli.local.files import write_whole
from halftone_cli.stage.session import Session

PERIOD = 2.0
"""Seconds between two looks while following."""


def logs(
    session: Session,
    endpoint: EndpointArgument,
    *,
    version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help=ONE_VERSION, show_default=False),
    ] = None,
    replica: Annotated[
        str | None,
        typer.Option(
            metavar="REPLICA",
            help="Only this replica's, as --replicas shows it.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="How many of the newest lines, 2000 at most.")
    ] = 100,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written, until ctrl-C.")
    ] = False,
    replicas: Annotated[bool, typer.Option("--replicas", help="List the replicas.")] = False,
    download: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the whole log to a file.", show_default=False),
    ] = None,
) -> None:
    """Show what an endpoint's replicas wrote, the newest last, in UTC.

    Of a line that holds metrics the names and the numbers. With --json each line is a document,
    and whole, as it is in a --download.

    \b
    Examples:
      halftone logs fraud -n 20
      halftone logs fraud --version green -f
      halftone logs fraud --download fraud.log
    """
    if not 1 <= limit <= 2000:
        raise InvalidInput("--limit", limit, "a whole number from 1 to 2000")
    base = f"/endpoints/{existing(endpoint)}"
    which = {"version": version, "replica": replica}
    if replicas:
        _list(session, list(session.control.items(f"{base}/replicas", version=version)))
    elif download is not None:
        text = "".join(_pieces(session, f"{base}/logs/download", which))
        write_whole(download, text.encode(), option="--download")
        note(f"wrote {text.count(chr(10))} lines to {download}")
    else:
        found = session.control.get(f"{base}/logs", limit=limit, **which)
        _tell(session, found)
        if follow:
            _follow(session, f"{base}/logs", which, found["cursor"])


def _follow(session: Session, path: str, which: Json, cursor: str) -> None:
    try:
        while True:
            session.sleep(PERIOD)
            try:
                found = session.control.get(path, cursor=cursor, **which)
            except Unavailable as error:
                note(f"trying again: {error}")
                continue
            cursor = found["cursor"]
            _tell(session, found)
    except KeyboardInterrupt:
        # The way out of what has no end of its own.
        return


def _pieces(session: Session, path: str, which: Json) -> Iterator[str]:
    cursor, done = None, 0
    while True:
        piece = session.control.get(path, cursor=cursor, **which)
        yield piece["text"]
        cursor = piece["next"]
        if cursor is None:
            return
        done += len(piece["text"])
        note(f"{done} characters so far")


def _tell(session: Session, found: Json) -> None:
    for line in found["items"]:
        if session.as_json:
            say_json(line, lines=True)
        else:
            show(f"{_at(line['at'])} {line['version']} {one_line(_plain(line['text']))}")


def _at(moment: str) -> str:
    given = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{given:%Y-%m-%d %H:%M:%S}.{given.microsecond // 1000:03d}Z"


def _plain(text: str) -> str:
    """A line for people: of one that holds metrics only the names and the numbers.

    The rest is for CloudWatch to know what they are (embedded metric format, field ``_aws``).
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(found, dict) or "_aws" not in found:
        return text
    told = (f"{n}={v}" for n, v in found.items() if n not in ("_aws", "Endpoint", "Version"))
    return f"metrics {' '.join(told)}"


def _list(session: Session, found: list[Json]) -> None:
    if session.as_json:
        say_json({"replicas": found})
        return
    made = table("version", "first line", "last line", "replica")
    for each in found:
        made.add_row(
            each["version"], stamped(each["first_at"]), stamped(each["last_at"]), each["replica"]
        )
    show(made)
