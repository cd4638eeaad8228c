"""What is checked of every request before its route reads it."""

from fastapi import Request

from halftone.api.errors import TooLong
from halftone.domain.errors import InvalidInput

LONGEST = 1_000_000
"""Bytes of a body: several times what the largest good one has."""

_SIGNATURE = "x-amz-"
"""What the query parameters begin with that sign a request."""


def queries(request: Request) -> None:
    """Refuse query parameters that the route does not have: overlooked, they would say nothing.

    Raises:
        InvalidInput: naming the first.
    """
    if not request.url.query:
        return
    known = sorted(parameter.alias for parameter in request.scope["route"].dependant.query_params)
    for name, value in request.query_params.items():
        if name not in known and not name.lower().startswith(_SIGNATURE):
            expected = f"no such query parameter; known: {', '.join(known) or 'none'}"
            raise InvalidInput(name, value, expected)


async def body(request: Request) -> bytes:
    """The body.

    Raises:
        TooLong: if it is longer than any good one.
    """
    found = await request.body()
    if len(found) > LONGEST:
        raise TooLong("body", f"{len(found)} bytes", f"at most {LONGEST} bytes")
    return found
