"""One request of a client on its way through the front."""

from dataclasses import dataclass

from halftone.serving.protocol import Request
from halftone.serving.router import Assignment, Router
from halftone.serving.visit import Visit


@dataclass(slots=True)
class Case:
    """Never changed; not frozen only because one is made for each request, at twice the cost.

    ``client`` is the name of who calls a private endpoint. ``arm`` is what the request was
    assigned to by ``router``, and with that by one state of the dispatch, from first to last.
    """

    request: Request
    router: Router
    arm: Assignment
    client: str | None
    visit: Visit
