"""What the commands share that show or change how an endpoint serves.

Each shows what is so if it is given nothing to change; else it changes what it has read just
before, and nothing that somebody else has written since.
"""

import math
from collections.abc import Callable

from halftone.domain.errors import InvalidInput
from halftone_cli.commands.changing import existing
from halftone_cli.console import one_line, say_json, show
from halftone_cli.control.api import Json, Reply
from halftone_cli.stage.session import Session
from halftone_cli.views.setting_text import setting


def show_or_change(
    session: Session, endpoint: str, change: Callable[[Reply], Reply] | None
) -> None:
    """Tell how ``endpoint`` serves, as it is or as ``change`` made it of what was read."""
    reply = session.control.read(f"/endpoints/{existing(endpoint)}/serving")
    tell(session, reply.json if change is None else change(reply).json)


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
