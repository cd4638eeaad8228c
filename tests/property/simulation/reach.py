"""Who answers a request that names no version: by the aliases, and by any front's dispatch.

The model server's own router is asked, for requests of every kind that the actors' rules tell
apart, so that nothing is known here of how a dispatch says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from halftone.domain.names import CHALLENGER
from halftone.domain.rollout.routing import UNRELEASED
from halftone.serving.routing.matching import RequestAttributes
from halftone.serving.routing.router import Refusal, Router
from tests.property.simulation.ledger import CONTENTS, Front
from tests.property.simulation.world import Snapshot

_REQUESTS = 100
"""How many requests of each kind are drawn; a share of 1 % is one of them."""

KINDS: tuple[Mapping[str, str], ...] = ({}, {"beta": "1"})
"""The queries that rules of the actors tell apart."""


@dataclass(frozen=True)
class Way:
    """How a request reaches ``version``: by the front itself (via ""), an alias or a number."""

    version: str
    qualifier: str


@cache
def ways(text: str, own: str, kind: int) -> Mapping[Way, float]:
    """The percentage of one kind's requests that a front of version ``own`` sends each way."""
    router = Router(CONTENTS[text], own)
    counted: dict[Way, float] = {}
    for i in range(_REQUESTS):
        facts = RequestAttributes(request_id=f"r{i}", query=KINDS[kind], client="ann")
        try:
            arm = router.assign(facts)
        except Refusal:
            continue
        way = Way(arm.version, arm.qualifier)
        counted[way] = counted.get(way, 0.0) + 100.0 / _REQUESTS
    return counted


def answered_by(now: Snapshot, front: Front, kind: int = 0) -> dict[str, float]:
    """The percentage of one kind's requests that each version answers, where all fronts hold that.

    A front names the version that it expects behind the alias ``challenger``; another one sends
    the request back, and the front answers by itself.
    """
    shares: dict[str, float] = {}
    for own in (now.alias.main, now.alias.other):
        if own is None or own == UNRELEASED.main:
            continue
        weight = now.alias.share_of(own) / 100.0
        for way, share in ways(front.text, own, kind).items():
            version = own
            if way.qualifier == CHALLENGER:
                version = way.version if now.challenger_alias.main == way.version else own
            elif way.qualifier and now.has(way.version) and _is_named(now, way.version):
                version = way.version
            shares[version] = shares.get(version, 0.0) + weight * share
    return shares


def _is_named(now: Snapshot, version: str) -> bool:
    """Whether a version that is called by its number still finds itself named.

    It reads the table itself; one that can't sends the request back, too.
    """
    return now.dispatch is not None and version in now.dispatch.named


def most(now: Snapshot, version: str, *, stale: bool = False) -> float:
    """The most that ``version`` answers of any kind of requests, at fronts that read the table.

    ``stale``: at fronts that can't, and hold any dispatch of the last quarter of an hour.
    """
    fronts = [f for f in now.ledger.fronts if stale or f.until is None]
    shares = [
        answered_by(now, front, kind).get(version, 0.0)
        for front in fronts
        for kind in range(len(KINDS))
    ]
    return max(shares, default=now.alias.share_of(version))
