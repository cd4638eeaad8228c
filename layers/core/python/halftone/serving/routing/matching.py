"""What routing looks at in a request: the key of sticky routing, and whether a rule matches."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from halftone.domain.traffic.policy import KeySource, Match


def _no_body() -> object:
    return None


@dataclass(slots=True)
class RequestAttributes:
    """What routing looks at. Never changed; not frozen for the same reason as ``Case``.

    ``headers`` have names in lower case; ``body`` is asked for only where the key of sticky routing
    lies in it. ``pin`` is a version or the name of a deployment.
    """

    request_id: str
    headers: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    client: str | None = None
    pin: str | None = None
    body: Callable[[], object] = _no_body


def key_reader(source: KeySource, name: str) -> Callable[[RequestAttributes], str | None]:
    """What reads the key from a request; it finds None in one that has none."""
    if source is KeySource.HEADER:
        header = name.lower()
        return lambda facts: _text(facts.headers.get(header))
    if source is KeySource.QUERY:
        return lambda facts: _text(facts.query.get(name))
    if source is KeySource.CLIENT:
        return lambda facts: _text(facts.client)
    if source is KeySource.ADDRESS:
        return lambda facts: _text(facts.address)
    path = name.split(".")

    def of_body(facts: RequestAttributes) -> str | None:
        value = facts.body()
        for part in path:
            if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            elif isinstance(value, dict):
                value = value.get(part)
            else:
                return None
        if type(value) is bool or not isinstance(value, str | int):
            return None
        return _text(str(value))

    return of_body


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def condition(match: Match | None) -> Callable[[RequestAttributes], bool]:
    """``match`` as a function; a match without conditions takes everybody."""
    if match is None:
        return lambda _: True
    headers = [(name.lower(), frozenset(values)) for name, values in match.headers.items()]
    query = [(name, frozenset(values)) for name, values in match.query.items()]
    clients = frozenset(match.clients)
    inside = _networks(match.addresses) if match.addresses else None

    def matches(facts: RequestAttributes) -> bool:
        for name, values in headers:
            if not _among(facts.headers.get(name), values):
                return False
        for name, values in query:
            if not _among(facts.query.get(name), values):
                return False
        if clients and facts.client not in clients:
            return False
        return inside is None or inside(facts.address)

    return matches


def _among(value: object, values: frozenset[str]) -> bool:
    return isinstance(value, str) and value in values


def _networks(addresses: Iterable[str]) -> Callable[[str], bool]:
    # Imported only by who has a rule on addresses: it takes milliseconds.
    from ipaddress import ip_address, ip_network  # noqa: PLC0415

    networks = []
    for address in addresses:
        try:
            networks.append(ip_network(address, strict=False))
        except ValueError:
            continue  # settings refuse such a text; a server that meets one serves on

    def inside(address: str) -> bool:
        try:
            source = ip_address(address)
        except ValueError:
            return False
        return any(source in network for network in networks)

    return inside
