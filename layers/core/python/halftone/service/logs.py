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

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.logs import NEWEST, LogLine, Replica, version_in
from halftone.service.ports import Parts

MOST_REPLICAS = 20
"""How many replicas one reading looks into: those that wrote last. Name one to see another."""

_LAG = timedelta(hours=1)
"""By how much CloudWatch may be late with when a stream was last written to."""

_PAGE = 1000
_MOST_PLACES = 30


@dataclass(frozen=True)
class Reading:
    """Lines in the order of their time (UTC), and the cursor to read on with."""

    lines: Sequence[LogLine]
    cursor: str


def replicas(
    parts: Parts, endpoint: str, *, version: str | None = None, most: int, token: str = ""
) -> tuple[Sequence[Replica], str]:
    """Replicas of a version, or of all, the one that wrote last first, and the next page's token.

    At least one page is read, and further ones until there are ``most`` or no more.

    Raises:
        NotFound: if there is no such endpoint.
    """
    _must_exist(parts, endpoint)
    found: list[Replica] = []
    while True:
        page, token = parts.logs.replicas(endpoint, token=token)
        found += [replica for replica in page if version in (None, replica.version)]
        if not token or len(found) >= most:
            return found, token


def newest(
    parts: Parts,
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
    for replica in _wanted(parts, endpoint, version, stream):
        # What wrote its last line before the oldest that is shown has nothing to add.
        if len(lines) == most and replica.last_at and replica.last_at + _LAG < lines[0].at:
            break
        found = parts.logs.newest(endpoint, replica, most)
        places[replica.stream] = found.token
        lines = list(merge(lines, found.lines, key=_time))[-most:]
    since = lines[0].at if lines else None
    return Reading(lines, _Cursor(since, places).text())


def following(
    parts: Parts,
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
    for replica in _wanted(parts, endpoint, version, stream):
        place = before.places.get(replica.stream)
        if place is None and before.since and replica.first_at and replica.first_at < before.since:
            # It was there and was not read: of what it wrote, all that was shown is older.
            found = parts.logs.newest(endpoint, replica, most)
            lines = [line for line in found.lines if line.at >= before.since]
        else:
            found = parts.logs.onward(endpoint, replica, place or "", most)
            lines = list(found.lines)
        places[replica.stream] = found.token
        read.append(lines)
    known = {**places, **{s: p for s, p in before.places.items() if s not in places}}
    kept = dict(islice(known.items(), _MOST_PLACES))
    return Reading(list(merge(*read, key=_time)), _Cursor(before.since, kept).text())


def everything(
    parts: Parts,
    endpoint: str,
    *,
    version: str | None = None,
    stream: str | None = None,
    since: datetime | None = None,
) -> Iterator[LogLine]:
    """Every line that is kept, replica by replica, each from its first line (or ``since``) on.

    Read a page at a time, as it is taken: a log of any length needs the memory of one page.

    Raises:
        NotFound: if there is no such endpoint or replica.
    """
    for replica in _all(parts, endpoint, version, stream):
        if since and replica.last_at and replica.last_at + _LAG < since:
            continue
        token = ""
        while True:
            found = parts.logs.onward(endpoint, replica, token, _PAGE)
            yield from (line for line in found.lines if since is None or line.at >= since)
            if found.token == token or not found.lines:
                break
            token = found.token


def _wanted(
    parts: Parts, endpoint: str, version: str | None, stream: str | None
) -> Sequence[Replica]:
    return tuple(islice(_all(parts, endpoint, version, stream), MOST_REPLICAS))


def _all(parts: Parts, endpoint: str, version: str | None, stream: str | None) -> Iterator[Replica]:
    _must_exist(parts, endpoint)
    if stream is not None:
        told = version_in(stream)
        if told is None or version not in (None, told):
            whose = f"of version {version}" if version else "as replicas are listed"
            raise InvalidInput("replica", stream, f"a log stream {whose}")
        yield Replica(stream, told)
        return
    token = ""
    while True:
        page, token = parts.logs.replicas(endpoint, token=token)
        yield from (replica for replica in page if version in (None, replica.version))
        if not token:
            return


def _must_exist(parts: Parts, endpoint: str) -> None:
    if parts.store.load(endpoint) is None:
        raise NotFound("endpoint", endpoint)


def _time(line: LogLine) -> datetime:
    return line.at


@dataclass(frozen=True)
class _Cursor:
    """How far a reader has come: the time of the first line shown, and a token by replica."""

    since: datetime | None
    places: Mapping[str, str]

    def text(self) -> str:
        given = [self.since.isoformat() if self.since else None, self.places]
        text = json.dumps(given, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> "_Cursor":
        try:
            since, places = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=="))
            known = {str(stream): str(place) for stream, place in places.items()}
            moment = datetime.fromisoformat(since) if since else None
            if moment and moment.tzinfo is None:
                raise ValueError("no time zone")  # noqa: TRY301 - told as the others below
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise InvalidInput("cursor", text, "the cursor of a reading before") from None
        return cls(moment, known)
