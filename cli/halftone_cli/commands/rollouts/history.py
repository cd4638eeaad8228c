"""``halftone history``: who changed what, when and why."""

from typing import Annotated

import typer

from halftone.domain.quantities import whole
from halftone_cli.commands.options import EndpointArgument
from halftone_cli.console import say_json, show
from halftone_cli.stage.session import Session
from halftone_cli.views import shapes
from halftone_cli.views.reading import read_state
from halftone_cli.views.tables import history_table


def history(
    session: Session,
    endpoint: EndpointArgument,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="How many of the newest records to show.")
    ] = 50,
) -> None:
    """Show who changed what, when and why.

    One line for each record of the endpoint's audit, the newest last. With --json the records come
    whole, as their hashes cover them.

    \b
    Examples:
      halftone history fraud
      halftone history fraud --limit 10 --json
    """
    whole("--limit", limit, least=1)
    ports = session.stage.ports
    newest = read_state(ports, endpoint).audit.seq
    records = tuple(ports.store.audit(endpoint, after=max(0, newest - limit)))
    if session.as_json:
        document = {"endpoint": endpoint, "records": [shapes.record(r) for r in records]}
        say_json(document)
    else:
        show(history_table(records))
