"""Answers: shapes, their JSON, pages of them, and how routes document them."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute

from halftone.domain.errors import InvalidInput

JSON = "application/json"
_encoder = msgspec.json.Encoder()
_sorted = msgspec.json.Encoder(order="sorted")
_T = TypeVar("_T")

SHAPES: dict[str, type[msgspec.Struct]] = {}
"""The shapes that routes answer with, by their names in the OpenAPI document."""


class Shape(msgspec.Struct, kw_only=True):
    """What an answer looks like. A field may be added to one; none is renamed or removed."""


class ConditionalRoute(APIRoute):
    """A route whose GET answers 304 where nothing moved since the ETag in ``If-None-Match``.

    An answer without an ETag of its own has the hash of its body as one, which is no revision. One
    whose ETag is a revision alone is always sent.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, with that."""
        handle = super().get_route_handler()
        if "GET" not in (self.methods or ()):
            return handle

        async def conditional(request: Request) -> Response:
            response = await handle(request)
            if response.status_code != 200 or response.media_type != JSON:
                return response
            etag = response.headers.setdefault("etag", f'W/"{digest(bytes(response.body))}"')
            seen = request.headers.get("if-none-match", "").split(",")
            # A revision alone does not tell what aliases or evidence did since.
            if "-" not in etag and not etag.startswith("W/"):
                return response
            if etag.removeprefix("W/") in {one.strip().removeprefix("W/") for one in seen}:
                kept = {n: v for n, v in response.headers.items() if n in ("etag", "location")}
                return Response(None, 304, kept)
            return response

        return conditional


def digest(content: object) -> str:
    """A hash of bytes, or of what is encoded as JSON, short enough for an ETag."""
    text = content if isinstance(content, bytes) else _sorted.encode(content)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def router(topic: str) -> APIRouter:
    """A router below ``/v1``."""
    return APIRouter(
        route_class=ConditionalRoute,
        prefix="/v1",
        tags=[topic],
        default_response_class=Response,
        generate_unique_id_function=lambda route: route.name,
    )


def shown(shape: type[Shape], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers ``shape`` with ``status``."""
    SHAPES[shape.__name__] = shape
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    description = " ".join((shape.__doc__ or "").partition("\n\n")[0].split())
    return {status: {"description": description, "content": {JSON: {"schema": schema}}}}


BROKEN: dict[int | str, dict[str, Any]] = {409: {"description": "The chain is broken."}}
"""What a route may answer besides that verifies a chain."""


def answer(
    body: msgspec.Struct,
    status: int = 200,
    *,
    etag: int | None = None,
    editable: object = None,
    moves_with: object = None,
    location: str = "",
) -> Response:
    """``body`` as JSON. ``etag`` is the revision to edit it by, ``location`` where to look next.

    ``editable`` is what an edit is held to where the revision moves on for other reasons, too (see
    ``RequestContext.at``). ``moves_with`` is what the ETag moves with beside the revision, where
    that is not ``body``, such as one that has the time in it.
    """
    headers: dict[str, str] = {}
    content = _encoder.encode(body)
    if moves_with is not None or editable is not None:
        of = digest(content if moves_with is None else moves_with)
        held = "" if editable is None else f"{digest(editable)}-"
        headers["etag"] = f'W/"{of}"' if etag is None else f'"{etag}-{held}{of}"'
    elif etag is not None:
        headers["etag"] = f'"{etag}"'
    if location:
        headers["location"] = location
    return Response(content, status, headers, JSON)


Limit = Annotated[int, Query(ge=1, le=100, description="How many to answer at most.")]
Cursor = Annotated[
    str | None, Query(max_length=400, description="`next` of the page before this one.")
]


def after(cursor: str | None) -> str:
    """What the page before ended with, "" for the first page.

    Raises:
        InvalidInput: if no page ever ended so.
    """
    if cursor is None:
        return ""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=="))
        last = position.get("after") if isinstance(position, dict) else None
        if isinstance(last, str):
            last.encode()  # half of a surrogate pair is JSON, but no key
            return last
    except (ValueError, RecursionError, binascii.Error):
        pass
    raise InvalidInput("cursor", cursor, "`next` of the page before")


def after_number(cursor: str | None) -> int:
    """``after``, where pages are told apart by a number; 0 for the first page.

    Raises:
        InvalidInput: if no page ever ended so.
    """
    last = after(cursor)
    if last and not (last.isascii() and last.isdigit() and len(last) <= 15):
        raise InvalidInput("cursor", cursor, "`next` of the page before")
    return int(last or 0)


LARGEST = 1_500_000
"""Bytes of a page, about: a function's answer is at most 6 MB, in which every quote of the body
takes two, and a letter that is not ASCII up to six."""


def page(entries: Iterable[tuple[str, _T]], limit: int) -> tuple[Sequence[_T], str | None]:
    """The first ``limit`` of ``found`` (each with what it is found again by), and the cursor.

    They are fewer where they would be more than an answer holds; there is always one.
    """
    taken = list(islice(entries, limit + 1))
    shown = fitting([item for _, item in taken[:limit]])
    if len(shown) == len(taken):
        return shown, None
    return shown, cursor_after(taken[len(shown) - 1][0])


def fitting(items: Sequence[_T]) -> Sequence[_T]:
    """As many of ``items``, from the first on, as an answer holds: at least one, if any."""
    size = 0
    for number, item in enumerate(items):
        size += len(_encoder.encode(item))
        if size > LARGEST:
            return items[: max(number, 1)]
    return items


def cursor_after(last: str) -> str:
    """The cursor of a page that ended with ``last``."""
    text = json.dumps({"after": last}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def kept(response: Response, forget: Iterable[str]) -> str:
    """``response`` as text to keep, without the fields named in ``forget``."""
    body: Any = json.loads(bytes(response.body) or b"null")
    for name in forget:
        if isinstance(body, dict) and name in body:
            body[name] = None
    headers = {n: v for n, v in response.headers.items() if n in ("etag", "location")}
    media = response.headers["content-type"]
    return json.dumps(
        {"status": response.status_code, "headers": headers, "media": media, "body": body}
    )


def again(text: str) -> Response:
    """The response that ``kept`` made ``text`` of."""
    stored: Mapping[str, Any] = json.loads(text)
    headers = {**stored["headers"], "idempotent-replayed": "true"}
    body = msgspec.json.encode(stored["body"])
    return Response(body, stored["status"], headers, stored["media"])
