"""What may change about an endpoint's serving without a deploy: it is state, not infrastructure.

All of it is part of the endpoint's state, so that every change is one conditional write with one
audit record, and reaches the model servers as part of the ``Dispatch`` derived from that state.
Shares are percentages (0 to 100).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Mode(StrEnum):
    """How a rollout's share reaches the challenger.

    ``weighted``: the alias splits, at random for each request; no hop, two versions.
    ``guarded``: the champion stands in front, passes the share on, and answers in the challenger's
    place when that one errs, crashes or is late.
    """

    WEIGHTED = "weighted"
    GUARDED = "guarded"


class Access(StrEnum):
    """Who may call an endpoint: everybody, or clients with a token."""

    PUBLIC = "public"
    PRIVATE = "private"


class KeySource(StrEnum):
    """Where the key lies by which a request is assigned: the same key meets the same version."""

    HEADER = "header"
    QUERY = "query"
    BODY = "body"
    CLIENT = "client"
    ADDRESS = "address"


@dataclass(frozen=True)
class StickyKey:
    """The key of sticky routing. ``name`` is that of a header, a query parameter or a body field
    (a path with dots); empty for client and address.
    """

    source: KeySource
    name: str = ""


@dataclass(frozen=True)
class Match:
    """Which requests are meant: all conditions that are given must hold, each by any of its values.

    ``headers`` and ``query`` map names (of headers, in lower case) to values; ``addresses`` are
    networks such as ``10.0.0.0/8``.
    """

    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clients: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


CHAMPION = "champion"
"""The word for whichever deployment is champion."""


@dataclass(frozen=True)
class Rule:
    """Requests that match go to ``version``; the first rule that matches decides.

    ``version`` is ``CHAMPION`` where the rule means whichever deployment is champion.
    """

    match: Match
    version: str


@dataclass(frozen=True)
class Portion:
    """A deployment that gets ``share`` percent of the requests beside the champion."""

    version: str
    share: float


@dataclass(frozen=True)
class Mirror:
    """A share of live requests is also sent to ``version``, whose answers no client sees."""

    version: str
    share: float
    match: Match | None = None


@dataclass(frozen=True)
class Capture:
    """Which share of requests and responses is kept, without the fields named in ``redact``.

    Fields are names at any depth, or paths with dots from the top.
    """

    share: float = 0.0
    redact: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cors:
    """Which pages of other origins may call an endpoint from a browser.

    ``origins`` are such as ``https://shop.example``, or ``*`` alone for all. ``headers`` (names in
    lower case) may be sent beside those that Halftone itself reads; ``max_age`` is how long a
    browser may keep the answer to a preflight.
    """

    origins: tuple[str, ...]
    headers: tuple[str, ...] = ()
    max_age: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class Client:
    """Somebody who may call a private endpoint.

    The token itself is not kept: ``digest`` is the SHA-256 (64 hex digits) of it, ``token_id`` the
    public part of it by which it is found.
    """

    name: str
    token_id: str
    digest: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Probation:
    """A deployment that takes requests and never was champion: the alarms watch it ``since``.

    While ``armed`` is False it is only intended to take requests: no route leads to it until the
    alarms are read back to watch it.
    """

    version: str
    since: datetime
    armed: bool = True


@dataclass(frozen=True)
class TrafficPolicy:
    """How an endpoint serves.

    ``salt`` makes two endpoints' assignments independent ("": the endpoint's name). ``split`` are
    deployments that serve beside the champion, which has what is left of 100 %. ``stopped`` is why
    the endpoint answers 503 ("": it does not). Within ``latency_budget`` a guarded request is
    answered, by the champion if need be (None: within the function's timeout). ``label`` names the
    output field that feedback is compared with. ``probation`` is the one deployment that takes
    requests without having proved itself in a rollout. ``cors`` is None where browsers let no
    page of another origin read an answer.
    """

    mode: Mode = Mode.WEIGHTED
    access: Access = Access.PUBLIC
    key: StickyKey | None = None
    salt: str = ""
    rules: tuple[Rule, ...] = ()
    split: tuple[Portion, ...] = ()
    mirror: Mirror | None = None
    capture: Capture = field(default_factory=Capture)
    clients: tuple[Client, ...] = ()
    stopped: str = ""
    latency_budget: timedelta | None = None
    label: str = ""
    probation: Probation | None = None
    cors: Cors | None = None
