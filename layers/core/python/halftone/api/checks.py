"""What is checked of every request before its route reads it."""

import json
from collections.abc import Mapping
from contextlib import suppress

from fastapi import Request

from halftone.api.errors import TooLong
from halftone.domain.errors import InvalidInput
from halftone.domain.names import checked_name
from halftone.domain.texts import check_texts

LONGEST = 1_000_000
"""Bytes of a body: several times what the largest good one has."""

_SIGNATURE = "x-amz-"
"""What the query parameters begin with that sign a request."""


def names(path: Mapping[str, str]) -> None:
    """Refuse what no endpoint and no group can be called, before anything is looked up by it.

    Raises:
        InvalidInput: naming it.
    """
    for kind in ("endpoint", "group"):
        if kind in path:
            checked_name(kind, path[kind])


def queries(request: Request) -> None:
    """Refuse query parameters that the route does not have, and those that come twice.

    Overlooked, they would say nothing; of two, only one would be heard.

    Raises:
        InvalidInput: naming the first.
    """
    if not request.url.query:
        return
    parameters = sorted(
        parameter.alias for parameter in request.scope["route"].dependant.query_params
    )
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name in seen:
            raise InvalidInput(name, value, "to be given once")
        seen.add(name)
        if name not in parameters and not name.lower().startswith(_SIGNATURE):
            expected = f"no such query parameter; known: {', '.join(parameters) or 'none'}"
            raise InvalidInput(name, value, expected)


async def body(request: Request) -> bytes:
    """The body.

    Raises:
        TooLong: if it is longer than any good one.
        InvalidInput: if an object in it names a field twice, of which the last one would win,
            unseen; or if a text in it can't be stored.
    """
    content = await request.body()
    if len(content) > LONGEST:
        raise TooLong("body", f"{len(content)} bytes", f"at most {LONGEST} bytes")
    if content:
        # What is no JSON at all is told of by whoever reads it.
        with suppress(ValueError, RecursionError):
            check_texts("", json.loads(content, object_pairs_hook=_each_once))
    return content


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, value in pairs:
            if name in seen:
                raise InvalidInput(name, value, "to be named once in its object")
            seen.add(name)
    return members
