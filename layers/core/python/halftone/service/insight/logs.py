"""Reading an endpoint's log: what is newest, what follows, and all of it.

A *cursor* says how far a reader has come in each replica, so that following it misses no line and
shows none twice, also where a replica's lines arrive late. New replicas are found at each look.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.insight.logs import NEWEST, LogLine, Replica, version_in
from halftone.domain.texts import check_texts
from halftone.ports import InsightPorts

MOST_REPLICAS = 20
"""How many replicas one reading looks into: those that wrote last. Name one to see another."""

_LAG = timedelta(hours=1)
"""By how much CloudWatch may be late with when a stream was last written to."""

MOST_SIZE = 1_500_000
"""Characters of one reading, about: a function's answer is at most 6 MB, in which a character may
take several bytes, and CloudWatch gives up to 1 MB at once."""

_BESIDE = 150
"""Characters of what is told of a line besides its text."""

_PAGE = 1000
_MOST_PLACES = 30
_MOST_CALLS = 200


@dataclass(frozen=True)
class Reading:
    """Lines in the order of their time (UTC), and the cursor to read on with."""

    lines: Sequence[LogLine]
    cursor: str


def replicas(
    ports: InsightPorts, endpoint: str, *, version: str | None = None, most: int, token: str = ""
) -> tuple[Sequence[Replica], str]:
    """Replicas of a version, or of all, the one that wrote last first, and the next page's token.

    At least one page is read, and further ones until there are ``most`` or no more.

    Raises:
        NotFound: if there is no such endpoint.
    """
    _must_exist(ports, endpoint)
    all_replicas: list[Replica] = []
    while True:
        page, token = ports.logs.replicas(endpoint, token=token)
        all_replicas += [replica for replica in page if version in (None, replica.version)]
        if not token or len(all_replicas) >= most:
            return all_replicas, token


def newest(
    ports: InsightPorts,
    endpoint: str,
    *,
    version: str | None = None,
    stream: str | None = None,
    most: int = NEWEST,
) -> Reading:
    """The newest lines of a replica (``stream``), of a version, or of the endpoint.

    Of a version or an endpoint, the newest of its last ``MOST_REPLICAS`` replicas.

    Raises:
        NotFound: if there is no such endpoint or replica.
        InvalidInput: if ``stream`` is no replica of ``version``.
    """
    places: dict[str, str] = {}
    lines: list[LogLine] = []
    for replica in _wanted(ports, endpoint, version, stream):
        # What wrote its last line before the oldest that is shown has nothing to add.
        if len(lines) == most and replica.last_at and replica.last_at + _LAG < lines[0].at:
            break
        page = ports.logs.newest(endpoint, replica, most)
        places[replica.stream] = page.token
        lines = _within(list(merge(lines, page.lines, key=_time))[-most:])
    since = lines[0].at if lines else None
    return Reading(lines, _Cursor(since, places).text())


def following(
    ports: InsightPorts,
    endpoint: str,
    cursor: str,
    *,
    version: str | None = None,
    stream: str | None = None,
    most: int = NEWEST,
) -> Reading:
    """What was written since ``cursor``: at most ``most`` lines of each replica.

    Raises:
        NotFound: if there is no such endpoint or replica.
        InvalidInput: if the cursor is none, or ``stream`` is no replica of ``version``.
    """
    before = _Cursor.read(cursor)
    places: dict[str, str] = {}
    read: list[Sequence[LogLine]] = []
    size = 0
    for replica in _wanted(ports, endpoint, version, stream):
        if size >= MOST_SIZE:
            break  # where it was left, the next look finds it
        place = before.places.get(replica.stream)
        if place is None and before.since and replica.first_at and replica.first_at < before.since:
            # It was there and was not read: of what it wrote, all that was shown is older.
            page = ports.logs.newest(endpoint, replica, most)
            lines = [line for line in page.lines if line.at >= before.since]
        else:
            page = ports.logs.onward(endpoint, replica, place or "", most)
            lines = list(page.lines)
        places[replica.stream] = page.token
        read.append(lines)
        size += sum(len(line.text) + _BESIDE for line in lines)
    all_places = {**places, **{s: p for s, p in before.places.items() if s not in places}}
    next_places = dict(islice(all_places.items(), _MOST_PLACES))
    return Reading(list(merge(*read, key=_time)), _Cursor(before.since, next_places).text())


@dataclass(frozen=True)
class Piece:
    """A piece of the whole log, and the cursor of the next one (None: it was the last)."""

    lines: Sequence[LogLine]
    cursor: str | None


def piece(
    ports: InsightPorts,
    endpoint: str,
    cursor: str | None = None,
    *,
    version: str | None = None,
    stream: str | None = None,
) -> Piece:
    """The next piece of every line that is kept: replica by replica, the oldest first.

    It is as large as an answer may be. A replica that is made meanwhile comes last, unless it is
    another day's.

    Raises:
        NotFound: if there is no such endpoint or replica.
        InvalidInput: if the cursor is none.
    """
    place = _Place.read(cursor) if cursor is not None else _Place()
    lines: list[LogLine] = []
    size = calls = 0
    while True:
        page: Sequence[Replica]
        if stream is not None:
            page, listing = tuple(_all(ports, endpoint, version, stream)), ""
        else:
            _must_exist(ports, endpoint)
            page, listing = ports.logs.replicas(endpoint, token=place.listing, by_name=True)
        for replica in page:
            if replica.stream < place.stream or version not in (None, replica.version):
                continue
            token = place.token if replica.stream == place.stream else ""
            while True:
                page_read = ports.logs.onward(endpoint, replica, token, _PAGE)
                calls += 1
                lines += page_read.lines
                size += sum(len(line.text) + _BESIDE for line in page_read.lines)
                ended, token = page_read.token == token, page_read.token
                if size >= MOST_SIZE or calls >= _MOST_CALLS:
                    return Piece(lines, _Place(place.listing, replica.stream, token).text())
                if ended:
                    break
        if not listing:
            return Piece(lines, None)
        place = _Place(listing)


def everything(
    ports: InsightPorts, endpoint: str, *, version: str | None = None, stream: str | None = None
) -> Iterator[LogLine]:
    """Every line that is kept, a ``piece`` at a time as it is taken.

    Raises:
        NotFound: if there is no such endpoint or replica.
    """
    cursor: str | None = None
    while True:
        page = piece(ports, endpoint, cursor, version=version, stream=stream)
        yield from page.lines
        if page.cursor is None:
            return
        cursor = page.cursor


def _wanted(
    ports: InsightPorts, endpoint: str, version: str | None, stream: str | None
) -> Sequence[Replica]:
    return tuple(islice(_all(ports, endpoint, version, stream), MOST_REPLICAS))


def _all(
    ports: InsightPorts, endpoint: str, version: str | None, stream: str | None
) -> Iterator[Replica]:
    _must_exist(ports, endpoint)
    if stream is not None:
        version_logged = version_in(stream)
        if version_logged is None or version not in (None, version_logged):
            whose = f"of version {version}" if version else "as replicas are listed"
            raise InvalidInput("replica", stream, f"a log stream {whose}")
        yield Replica(stream, version_logged)
        return
    token = ""
    while True:
        page, token = ports.logs.replicas(endpoint, token=token)
        yield from (replica for replica in page if version in (None, replica.version))
        if not token:
            return


def _must_exist(ports: InsightPorts, endpoint: str) -> None:
    if ports.store.load(endpoint) is None:
        raise NotFound("endpoint", endpoint)


def _within(lines: list[LogLine]) -> list[LogLine]:
    """The newest of ``lines`` that one reading holds."""
    size = 0
    for number, line in enumerate(reversed(lines)):
        size += len(line.text) + _BESIDE
        if size > MOST_SIZE:
            return lines[len(lines) - max(number, 1) :]
    return lines


def _time(line: LogLine) -> datetime:
    return line.at


@dataclass(frozen=True)
class _Cursor:
    """How far a reader has come: the time of the first line shown, and a token by replica."""

    since: datetime | None
    places: Mapping[str, str]

    def text(self) -> str:
        return _packed([self.since.isoformat() if self.since else None, self.places])

    @classmethod
    def read(cls, text: str) -> "_Cursor":
        try:
            since, places = _unpacked(text)
            positions = {str(stream): str(place) for stream, place in places.items()}
            moment = datetime.fromisoformat(since) if since else None
            if moment and (moment.tzinfo is None or not 2000 <= moment.year <= 9998):
                raise ValueError("no time of a log")  # noqa: TRY301 - told as the others below
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise InvalidInput("cursor", text, "the cursor of a reading before") from None
        return cls(moment, positions)


@dataclass(frozen=True)
class _Place:
    """Where a piece begins: a page of the listing, a replica on it, and a token in that one."""

    listing: str = ""
    stream: str = ""
    token: str = ""

    def text(self) -> str:
        return _packed([self.listing, self.stream, self.token])

    @classmethod
    def read(cls, text: str) -> "_Place":
        try:
            listing, stream, token = _unpacked(text)
        except (ValueError, TypeError, RecursionError):
            raise InvalidInput("cursor", text, "the cursor of the piece before") from None
        return cls(str(listing), str(stream), str(token))


def _packed(value: object) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _unpacked(text: str) -> Any:
    value = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=="))
    try:
        check_texts("cursor", value)
    except InvalidInput:
        raise ValueError("a text that nothing can store") from None
    return value
