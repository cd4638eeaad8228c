"""How an endpoint serves, changed without a deploy: traffic, mirror, rules, capture and the rest.

Each command shows what is so if it is given nothing to change; else it changes what it has read
just before, and nothing that somebody else has written since.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from halftone.domain.errors import InvalidInput
from halftone_cli.api import Json, Reply
from halftone_cli.changing import MessageOption, existing
from halftone_cli.context import Session
from halftone_cli.options import EndpointArgument
from halftone_cli.output import one_line, say_json, show

_NONE = ("none", "off")


def traffic(
    session: Session,
    endpoint: EndpointArgument,
    shares: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEPLOYMENT=SHARE]...",
            help="Shares in percent, which sum to 100, or to 0 to stop; what is not named gets "
            "nothing.",
            show_default=False,
        ),
    ] = None,
    *,
    message: MessageOption = "",
) -> None:
    """Show or change who answers how much.

    The champion may be called `champion`. A share for a deployment that never was champion puts it
    on probation: the alarms watch it, and take it back. A release by rollout is the safer way.

    \b
    Examples:
      halftone traffic fraud
      halftone traffic fraud blue=90 green=10 --message "change 1841"
      halftone traffic fraud blue=0
    """

    def change(seen: Reply) -> Reply:
        body = {"traffic": dict(_share(word) for word in shares or ()), "message": message}
        return session.control.put(f"/endpoints/{endpoint}/traffic", body, etag=seen.etag)

    _show_or_change(session, endpoint, change if shares else None)


def mirror(
    session: Session,
    endpoint: EndpointArgument,
    share: Annotated[
        str | None,
        typer.Argument(
            metavar="[DEPLOYMENT=SHARE|off]",
            help="Who is to score which percentage of requests unseen.",
            show_default=False,
        ),
    ] = None,
    *,
    message: MessageOption = "",
) -> None:
    """Show or change who scores a share of live requests unseen.

    Clients notice nothing: they are answered before. Pinned requests are not mirrored, and a
    deployment that answers clients can't be the mirror as well.

    \b
    Examples:
      halftone mirror fraud green=10
      halftone mirror fraud off
    """

    def change(seen: Reply) -> Reply:
        wanted = None
        if share not in _NONE:
            to, percent = _share(str(share))
            wanted = {"to": to, "share": percent} if percent else None
        body = {"mirror": wanted, "message": message}
        return session.control.put(f"/endpoints/{endpoint}/mirror", body, etag=seen.etag)

    _show_or_change(session, endpoint, change if share is not None else None)


def rules(
    session: Session,
    endpoint: EndpointArgument,
    *,
    file: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="FILE|-",
            help="Put the rules of this file (YAML or JSON) in place of what is there.",
            show_default=False,
        ),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take all rules away.")] = False,
    message: MessageOption = "",
) -> None:
    """Show or change which requests go to which deployment, whatever the shares.

    Without --set and --clear it prints them as YAML, as --set takes them.

    \b
    Examples:
      halftone rules fraud > rules.yaml
      halftone rules fraud --set rules.yaml --message "testers see green"
    """
    if clear and file is not None:
        raise InvalidInput("--clear", clear, "no --set beside it")
    wanted: list[Any] | None = [] if clear else None if file is None else _rules(file)
    if wanted is None:
        found = session.control.get(f"/endpoints/{existing(endpoint)}/serving")["rules"]
        if session.as_json:
            say_json({"endpoint": endpoint, "rules": found})
        else:
            show(yaml.safe_dump({"rules": found}, sort_keys=False).rstrip())
        return
    body = {"rules": wanted, "message": message}
    _show_or_change(
        session,
        endpoint,
        lambda seen: session.control.put(f"/endpoints/{endpoint}/rules", body, etag=seen.etag),
    )


def capture(
    session: Session,
    endpoint: EndpointArgument,
    share: Annotated[
        str | None,
        typer.Argument(
            metavar="[SHARE]", help="The percentage to keep; 0 keeps none.", show_default=False
        ),
    ] = None,
    *,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD", help="Never keep this field; may be repeated.", show_default=False
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Show or change which share of requests and answers is kept in the inference table.

    \b
    Examples:
      halftone capture fraud 10 --redact ssn --redact customer.name
      halftone capture fraud 0
    """

    def change(seen: Reply) -> Reply:
        kept = {"share": _percent("SHARE", str(share)), "redact": redact or []}
        body = {"capture": kept, "message": message}
        return session.control.patch(f"/endpoints/{endpoint}/serving", body, etag=seen.etag)

    if share is None and redact:
        raise InvalidInput("--redact", redact, "a SHARE beside it")
    _show_or_change(session, endpoint, change if share is not None else None)


def serving(
    session: Session,
    endpoint: EndpointArgument,
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD=VALUE]...",
            help="Fields of docs/settings.md, with values in YAML.",
            show_default=False,
        ),
    ] = None,
    *,
    message: MessageOption = "",
) -> None:
    """Show or change everything about how an endpoint serves.

    All fields that are given change at once, or none does.

    \b
    Examples:
      halftone serving fraud
      halftone serving fraud mode=guarded "key={header: x-user}" latency_budget=250ms
      halftone serving fraud access=private
    """

    def change(seen: Reply) -> Reply:
        body = {**dict(_field(word) for word in fields or ()), "message": message}
        return session.control.patch(f"/endpoints/{endpoint}/serving", body, etag=seen.etag)

    _show_or_change(session, endpoint, change if fields else None)


def publish(session: Session, endpoint: EndpointArgument, *, message: MessageOption = "") -> None:
    """Let an endpoint answer again that was unpublished.

    \b
    Examples:
      halftone publish fraud
    """
    _say(session, endpoint, "publish", message)


def unpublish(session: Session, endpoint: EndpointArgument, *, message: MessageOption = "") -> None:
    """Let an endpoint answer 503 to everybody until it is published.

    \b
    Examples:
      halftone unpublish fraud --message "the contract ended"
    """
    _say(session, endpoint, "unpublish", message)


def enable(session: Session, endpoint: EndpointArgument, *, message: MessageOption = "") -> None:
    """Let an endpoint answer again that was disabled.

    \b
    Examples:
      halftone enable fraud
    """
    _say(session, endpoint, "enable", message)


def disable(session: Session, endpoint: EndpointArgument, *, message: MessageOption = "") -> None:
    """Let an endpoint answer 503, with the message as the reason, until it is enabled.

    \b
    Examples:
      halftone disable fraud --message "the feature store is down"
    """
    _say(session, endpoint, "disable", message)


def _show_or_change(
    session: Session, endpoint: str, change: Callable[[Reply], Reply] | None
) -> None:
    reply = session.control.read(f"/endpoints/{existing(endpoint)}/serving")
    _tell(session, reply.json if change is None else change(reply).json)


def _say(session: Session, endpoint: str, verb: str, message: str) -> None:
    path = f"/endpoints/{existing(endpoint)}/{verb}"
    _tell(session, session.control.post(path, {"message": message}).json)


def _tell(session: Session, found: Json) -> None:
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
        return ", ".join(f"{name}={_inner(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_told(inner) for inner in value)
    return _inner(value)


def _inner(value: object) -> str:
    if isinstance(value, Mapping | list):
        return f"({_told(value)})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _share(word: str) -> tuple[str, float]:
    name, equals, percent = word.rpartition("=")
    if not equals or not name:
        raise InvalidInput("DEPLOYMENT=SHARE", word, "a deployment and its share, such as green=10")
    return name, _percent("DEPLOYMENT=SHARE", percent)


def _percent(field: str, text: str) -> float:
    try:
        return float(text.rstrip(" %"))
    except ValueError:
        raise InvalidInput(field, text, "a percentage such as 10") from None


def _field(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals:
        raise InvalidInput("FIELD=VALUE", word, "a field and its value, such as mode=guarded")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InvalidInput(name, value, f"YAML ({' '.join(str(error).split())})") from None


def _rules(file: str) -> list[Any]:
    source = "stdin" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        value = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise InvalidInput("--set", file, f"a file of rules in YAML ({why})") from None
    found = value.get("rules") if isinstance(value, dict) else value
    if not isinstance(found, list):
        expected = "a list of rules such as {match: {headers: {x-tier: [internal]}}, to: green}"
        raise InvalidInput("rules", found, expected, source=source)
    return found
