"""What the commands share that show or change how an endpoint serves.

Each shows what is so if it is given nothing to change; else it changes what it has read just
before, and nothing that somebody else has written since.
"""

import math
from collections.abc import Callable

from halftone.domain.endpoint.route_table import DECIDE_SECONDS, OPEN_SECONDS
from halftone.domain.errors import InvalidInput
from halftone_cli.commands.changing import existing
from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.control.api import Json, Reply
from halftone_cli.stage.session import Session
from halftone_cli.views.setting_text import setting


def show_or_change(
    session: Session, endpoint: str, change: Callable[[Reply], Reply] | None
) -> None:
    """Tell how ``endpoint`` serves, as it is or as ``change`` made it of what was read."""
    before = session.control.read(f"/endpoints/{existing(endpoint)}/serving")
    after = before if change is None else change(before)
    tell(session, after.json)
    if _closed(before.json, after.json):
        note_lag()


def _closed(before: Json, after: Json) -> bool:
    """Whether somebody who was answered before is not any more."""
    return (not before["stopped"] and bool(after["stopped"])) or (
        before["access"] == "public" and after["access"] != "public"
    )


def tell(session: Session, found: Json) -> None:
    """Show how an endpoint serves, a setting a line, without those that are not set."""
    if session.as_json:
        say_json(found)
        return
    shown = {name: value for name, value in found.items() if name not in ("endpoint", "revision")}
    for name, value in {"endpoint": found["endpoint"], **shown}.items():
        told = setting(value)
        if told:
            show(f"{name.replace('_', ' '):<14} {one_line(told)}")


def note_lag() -> None:
    """Say for how long what was just stopped may still be answered."""
    note(
        f"sandboxes with the routes from before may still answer for up to {DECIDE_SECONDS:g} s; "
        f"a public endpoint whose table can't be read, for up to {OPEN_SECONDS / 60:g} min"
    )


def percentage(field: str, text: str) -> float:
    """The number of percent that ``text`` says, with or without a sign.

    Raises:
        InvalidInput: naming ``field``, if it is none.
    """
    try:
        found = float(text.removesuffix("%"))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InvalidInput(field, text, "a percentage such as 10")
    return found
