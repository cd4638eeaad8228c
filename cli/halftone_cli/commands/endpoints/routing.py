"""Who answers which requests, changed without a deploy: traffic, mirror and rules."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from halftone.domain.errors import InvalidInput
from halftone.packaging.yaml import read_yaml
from halftone_cli.commands.changing import MessageOption, existing
from halftone_cli.commands.endpoints.policy_fields import percentage, show_or_change
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.console import say_json, show
from halftone_cli.control.api import Reply
from halftone_cli.stage.session import Session

_NONE = ("none", "off")


def traffic(
    session: Session,
    endpoint: EndpointArgument,
    shares: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEPLOYMENT[=SHARE]]...",
            help="Shares in percent, which sum to 100, or to 0 to stop; what is not named gets "
            "nothing. Two deployments without shares get 80 and 20.",
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
      halftone traffic fraud blue green
      halftone traffic fraud blue=0
    """

    def change(seen: Reply) -> Reply:
        body = {"traffic": _shares(shares or ()), "message": message}
        return session.control.put(f"/endpoints/{endpoint}/traffic", body, etag=seen.etag)

    show_or_change(session, endpoint, change if shares else None)


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

    show_or_change(session, endpoint, change if share is not None else None)


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
    show_or_change(
        session,
        endpoint,
        lambda seen: session.control.put(f"/endpoints/{endpoint}/rules", body, etag=seen.etag),
    )


def _shares(words: Sequence[str]) -> dict[str, float]:
    """Shares in percent by deployment; 80 and 20 for two of which none has a share.

    Raises:
        InvalidInput: if a share is missing, or a deployment comes twice.
    """
    if len(words) == 2 and not any("=" in word for word in words):
        words = (f"{words[0]}=80", f"{words[1]}=20")
    shares: dict[str, float] = {}
    for word in words:
        name, percent = _share(word)
        if name in shares:
            raise InvalidInput("DEPLOYMENT=SHARE", word, f"{name} to be named once")
        shares[name] = percent
    return shares


def _share(word: str) -> tuple[str, float]:
    name, equals, percent = word.rpartition("=")
    if not equals or not name:
        raise InvalidInput("DEPLOYMENT=SHARE", word, "a deployment and its share, such as green=10")
    return name, percentage("DEPLOYMENT=SHARE", percent)


def _rules(file: str) -> list[Any]:
    source = "stdin" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("--set", file, f"a file of rules in YAML ({error})") from None
    value = read_yaml(text, source)
    found = value.get("rules") if isinstance(value, dict) else value
    if not isinstance(found, list):
        expected = "a list of rules such as {match: {headers: {x-tier: [internal]}}, to: green}"
        raise InvalidInput("rules", found, expected, source=source)
    return found
