"""``halftone adopt``: what holds after the table was restored to an earlier day."""

from typing import Annotated

import typer

from halftone.service.rollouts.adopt import Keep
from halftone_cli.commands.changing import MessageOption, YesOption, ask, endpoint_of, tell
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.stage.session import Session


def adopt(
    session: Session,
    endpoint: EndpointArgument,
    *,
    keep: Annotated[
        Keep,
        typer.Option(
            help="What holds: the version that the aliases say, or the record's champion.",
            show_default=False,
        ),
    ],
    message: MessageOption = "",
    yes: YesOption = False,
) -> None:
    """Say what holds after the table was restored to an earlier day.

    The aliases of an endpoint know how far its record had come. Where the record is older, nothing
    is written to AWS until this command says which of both is right. One version answers alone
    afterwards; split, rules and mirror are to be set again.

    \b
    Examples:
      halftone status fraud
      halftone adopt fraud --keep aliases --message "restored from the backup of Monday"
    """
    seen = endpoint_of(session, endpoint)
    ask(session, lambda: f"{seen['message']}. Keep the {keep}?", yes=yes)
    session.control.post(f"/endpoints/{endpoint}/adopt", {"keep": keep.value, "message": message})
    tell(session, endpoint)
