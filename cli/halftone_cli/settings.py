"""What the commands share that show or change how an endpoint serves.

Each shows what is so if it is given nothing to change; else it changes what it has read just
before, and nothing that somebody else has written since.
"""

import math
from collections.abc import Callable, Mapping

from halftone.domain.errors import InvalidInput
from halftone_cli.api import Json, Reply
from halftone_cli.changing import existing
from halftone_cli.context import Session
from halftone_cli.output import one_line, say_json, show


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
        told = _told(value)
        if told:
            show(f"{name.replace('_', ' '):<14} {one_line(told)}")


def _told(value: object) -> str:
    """A setting on one line; nothing for one that is not set."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{n}={_inner(inner)}" for n, inner in value.items() if inner not in (None, [])
        )
    if isinstance(value, list):
        return "; ".join(_rule(inner) or _told(inner) for inner in value)
    return _inner(value)


def _rule(value: object) -> str:
    """A routing rule in words, such as ``green if header x-tier is internal or beta``."""
    if not isinstance(value, Mapping) or not isinstance(value.get("match"), Mapping):
        return ""
    match = value["match"]
    conditions = [
        f"{kind} {name} is {_any(values)}"
        for kind, field in (("header", "headers"), ("query", "query"))
        for name, values in (match.get(field) or {}).items()
    ]
    conditions += [
        f"{kind} is {_any(match[field])}"
        for kind, field in (("client", "clients"), ("address", "addresses"))
        if match.get(field)
    ]
    return f"{value.get('to')} if {' and '.join(conditions) or 'any'}"


def _any(values: object) -> str:
    return " or ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)


def _inner(value: object) -> str:
    if isinstance(value, Mapping | list):
        return f"({_told(value)})"
    # Every digit: what is shown here is written into a file again.
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


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
