"""``halftone notify …``: who is told of what happens, and where."""

from typing import Annotated

import typer

from halftone.domain.errors import InvalidInput, NotFound
from halftone_cli.commands.changing import MessageOption, YesOption, ask
from halftone_cli.console import note, one_line, say_json, show, stamped, table
from halftone_cli.control.api import Json
from halftone_cli.control.problems import NothingThere
from halftone_cli.stage.session import Session

CHANNELS = ("webhook", "slack", "teams", "sns")

SubscriptionArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="The id in `halftone notify list`.", show_default=False),
]


def list_subscriptions(session: Session) -> None:
    """List who is told of what, and where.

    \b
    Examples:
      halftone notify list
    """
    entries = list(session.control.items("/subscriptions"))
    if session.as_json:
        say_json({"subscriptions": entries})
        return
    if not entries:
        note("nobody is told of anything: `halftone notify add --help` shows how")
        return
    rows = table("id", "endpoint", "kinds", "channel", "address")
    for entry in entries:
        kinds = " ".join(entry["kinds"])
        rows.add_row(
            entry["id"], entry["endpoint"], kinds, entry["channel"], one_line(entry["address"])
        )
    show(rows)


def add_subscription(
    session: Session,
    channel: Annotated[
        str,
        typer.Argument(
            metavar="CHANNEL", help=f"One of {', '.join(CHANNELS)}.", show_default=False
        ),
    ],
    address: Annotated[
        str,
        typer.Argument(metavar="ADDRESS", help="A URL, or an SNS topic's ARN.", show_default=False),
    ],
    *,
    endpoint: Annotated[
        str, typer.Option(metavar="ENDPOINT", help="The endpoint; * for the whole stage.")
    ] = "*",
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="alert, action, info, or a kind such as rollout.*; may be given more than once.",
            show_default="alert, action",
        ),
    ] = None,
    message: MessageOption = "",
) -> None:
    """Tell somebody of what happens from now on.

    A webhook's secret is printed once. It checks the signature of each notice, as
    https://www.standardwebhooks.com describes.

    \b
    Examples:
      halftone notify add slack https://hooks.slack.com/services/T0/B0/x
      halftone notify add webhook https://ops.example.com/halftone --kind 'rollout.*'
      halftone notify add sns arn:aws:sns:eu-west-1:111111111111:halftone-dev-oncall
    """
    if channel not in CHANNELS:
        raise InvalidInput("CHANNEL", channel, f"one of {', '.join(CHANNELS)}")
    wanted = {
        "endpoint": endpoint,
        "kinds": kinds or ["alert", "action"],
        "channel": channel,
        "address": address,
        "message": message,
    }
    made: Json = session.control.post("/subscriptions", wanted).json
    if session.as_json:
        say_json(made)
        return
    subscription = made["subscription"]
    if made["secret"]:
        show(made["secret"])
        note("this secret checks the signatures; it is shown this once")
    key = subscription["id"]
    note(f"subscription {key} stands: `halftone notify test {key}` tries it")


def remove_subscription(
    session: Session,
    subscription: SubscriptionArgument,
    *,
    message: MessageOption = "",
    yes: YesOption = False,
) -> None:
    """End a subscription. On a terminal the command asks before it acts.

    \b
    Examples:
      halftone notify remove 3f2a90c1d4b7
    """
    standing = _read(session, subscription)
    address = one_line(standing["address"])
    ask(session, lambda: f"Tell {standing['channel']} {address} of nothing any more?", yes=yes)
    ended = session.control.delete(f"/subscriptions/{subscription}", message=message).json
    if session.as_json:
        say_json(ended)
        return
    note(f"subscription {subscription} has ended")


def try_subscription(
    session: Session, subscription: SubscriptionArgument, *, message: MessageOption = ""
) -> None:
    """Send a test notice, by the way that all notices take.

    \b
    Examples:
      halftone notify test 3f2a90c1d4b7
    """
    _read(session, subscription)
    tested = session.control.post(f"/subscriptions/{subscription}/test", {"message": message}).json
    if session.as_json:
        say_json(tested)
        return
    note(f"a test is on its way to {tested['channel']} {one_line(tested['address'])}")


def list_undelivered(session: Session, subscription: SubscriptionArgument) -> None:
    """List the newest notices that could not be delivered within a day, and why.

    \b
    Examples:
      halftone notify failed 3f2a90c1d4b7
    """
    _read(session, subscription)
    given_up = session.control.get(f"/subscriptions/{subscription}/undelivered")
    if session.as_json:
        say_json(given_up)
        return
    if not given_up["items"]:
        note("every notice was delivered, or is being tried")
        return
    rows = table("record", "title", "given up", "why")
    for entry in given_up["items"]:
        rows.add_row(
            entry["notice"][:12],
            one_line(entry["title"]),
            stamped(entry["given_up_at"]),
            one_line(entry["why"]),
        )
    show(rows)


def _read(session: Session, subscription: str) -> Json:
    if len(subscription) != 12 or not set(subscription) <= set("0123456789abcdef"):
        raise InvalidInput("ID", subscription, "12 hex digits: `halftone notify list` shows them")
    try:
        return session.control.get(f"/subscriptions/{subscription}")
    except NothingThere as error:
        remedy = "`halftone notify list` shows which there are"
        raise NotFound("subscription", subscription, remedy) from error
