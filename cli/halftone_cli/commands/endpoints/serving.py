"""How an endpoint serves, changed without a deploy: captures, whether it answers, all fields."""

from typing import Annotated, Any

import typer

from halftone.domain.errors import InvalidInput
from halftone.packaging.yaml import read_yaml
from halftone_cli.commands.changing import MessageOption, existing
from halftone_cli.commands.endpoints.policy_fields import note_lag, percentage, show_or_change, tell
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.control.api import Reply
from halftone_cli.stage.session import Session


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
        kept = {"share": percentage("SHARE", str(share)), "redact": redact or []}
        body = {"capture": kept, "message": message}
        return session.control.patch(f"/endpoints/{endpoint}/serving", body, etag=seen.etag)

    if share is None and redact:
        raise InvalidInput("--redact", redact, "a SHARE beside it")
    show_or_change(session, endpoint, change if share is not None else None)


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

    show_or_change(session, endpoint, change if fields else None)


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


def _say(session: Session, endpoint: str, verb: str, message: str) -> None:
    path = f"/endpoints/{existing(endpoint)}/{verb}"
    tell(session, session.control.post(path, {"message": message}).json)
    if verb in ("disable", "unpublish"):
        note_lag()


def _field(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals:
        raise InvalidInput("FIELD=VALUE", word, "a field and its value, such as mode=guarded")
    try:
        return name, read_yaml(value)
    except InvalidInput as error:
        raise InvalidInput(name, value, f"{error.expected} ({error.value})") from None
