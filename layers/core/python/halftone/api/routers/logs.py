"""Logs: replicas, their newest lines, what follows, and everything as a download."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query, Response

from halftone.api.authorizer import RequestContext, reads
from halftone.api.requests import EndpointName, VersionName
from halftone.api.responses import Cursor, Limit, Shape, after, answer, cursor_after, router, shown
from halftone.domain.access import Action
from halftone.domain.insight.logs import NEWEST
from halftone.service.deployments.deployments import resolve_version
from halftone.service.insight import logs as service

routes = router("logs")

ReplicaName = Annotated[
    str | None, Query(max_length=512, description="Only this replica's, as replicas are listed.")
]

LongCursor = Annotated[str | None, Query(max_length=8000, description="That of the answer before.")]


class Replica(Shape):
    """A sandbox of a version: its log stream, and when its first and last lines were written."""

    replica: str
    version: str
    first_at: datetime | None
    last_at: datetime | None


class Replicas(Shape):
    """A page of replicas, the last to write first; `next` is null on the last."""

    items: Sequence[Replica]
    next: str | None


class Line(Shape):
    """A line of the log, in UTC."""

    at: datetime
    version: str
    replica: str
    text: str


class Lines(Shape):
    """Lines in the order of their time. `cursor` finds what is written after them."""

    items: Sequence[Line]
    cursor: str


class Piece(Shape):
    """A piece of the whole log; `next` is null on the last."""

    text: str
    next: str | None


@routes.get("/endpoints/{endpoint}/replicas", responses=shown(Replicas))
async def list_replicas(
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    version: VersionName = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List replicas, the one that wrote last first. A page has whole pages of the log's own."""
    number = resolve_version(call.ports, endpoint, version)
    replicas, token = service.replicas(
        call.ports, endpoint, version=number, most=limit, token=after(cursor)
    )
    items = [
        Replica(
            replica=each.stream,
            version=each.version,
            first_at=each.first_at,
            last_at=each.last_at,
        )
        for each in replicas
    ]
    return answer(Replicas(items=items, next=cursor_after(token) if token else None))


@routes.get("/endpoints/{endpoint}/logs", responses=shown(Lines))
async def read_logs(
    *,
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads(Action.READ)],
    version: VersionName = None,
    replica: ReplicaName = None,
    cursor: LongCursor = None,
    limit: Annotated[int, Query(ge=1, le=NEWEST, description="How many lines at most.")] = NEWEST,
) -> Response:
    """Read the newest lines; with a cursor, those that were written since."""
    number = resolve_version(call.ports, endpoint, version)
    if cursor is None:
        reading = service.newest(call.ports, endpoint, version=number, stream=replica, most=limit)
    else:
        reading = service.following(
            call.ports, endpoint, cursor, version=number, stream=replica, most=limit
        )
    items = [
        Line(at=line.at, version=line.version, replica=line.stream, text=line.text)
        for line in reading.lines
    ]
    return answer(Lines(items=items, cursor=reading.cursor))


@routes.get("/endpoints/{endpoint}/logs/download", responses=shown(Piece))
async def download_logs(
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads(Action.READ)],
    version: VersionName = None,
    replica: ReplicaName = None,
    cursor: LongCursor = None,
) -> Response:
    """Take the whole log away, a piece at a time: replica by replica, the oldest first."""
    number = resolve_version(call.ports, endpoint, version)
    piece = service.piece(call.ports, endpoint, cursor, version=number, stream=replica)
    text = "".join(f"{line.as_text()}\n" for line in piece.lines)
    return answer(Piece(text=text, next=piece.cursor))
