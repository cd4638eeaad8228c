"""Which requests are meant, as people write it: read, checked, and written again."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network

from halftone.domain.errors import InvalidInput, unknown_field
from halftone.domain.traffic.policy import Match

_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")
_MOST_VALUES = 100


def load_match(at: str, value: object) -> Match:
    """A match such as ``{headers: {x-tier: [gold, silver]}, addresses: 10.0.0.0/8}``.

    Each condition takes one value or a list of them.

    Raises:
        InvalidInput: naming the field and its value; a match without conditions is refused.
    """
    names = {"headers", "query", "clients", "addresses"}
    document = mapping(at, value, "a mapping of headers, query, clients or addresses")
    no_others(at, document, names)
    if not document:
        raise InvalidInput(at, value, f"at least one of {', '.join(sorted(names))}")
    return Match(
        headers=_named(f"{at}.headers", document.get("headers", {}), header_name),
        query=_named(f"{at}.query", document.get("query", {}), parameter_name),
        clients=_texts(f"{at}.clients", document["clients"]) if "clients" in document else (),
        addresses=_networks(f"{at}.addresses", document["addresses"])
        if "addresses" in document
        else (),
    )


def dump_match(match: Match) -> dict[str, object]:
    """What ``load_match`` makes ``match`` of."""
    form: dict[str, object] = {}
    if match.headers:
        form["headers"] = {name: list(values) for name, values in match.headers.items()}
    if match.query:
        form["query"] = {name: list(values) for name, values in match.query.items()}
    if match.clients:
        form["clients"] = list(match.clients)
    if match.addresses:
        form["addresses"] = list(match.addresses)
    return form


def header_name(at: str, value: object) -> str:
    """The name of a header, in lower case.

    Raises:
        InvalidInput: for anything else, for the header that carries tokens, and for cookies, which
            an HTTP API hands over apart from headers: no request would ever have them.
    """
    name = value.lower() if isinstance(value, str) else ""
    if not _HEADER.fullmatch(name):
        raise InvalidInput(at, value, "the name of a header")
    if name == "authorization":
        raise InvalidInput(at, value, "another header: it carries tokens; use the client instead")
    if name == "cookie":
        raise InvalidInput(at, value, "another header: an HTTP API has cookies apart from them")
    return name


def parameter_name(at: str, value: object) -> str:
    """The name of a query parameter.

    Raises:
        InvalidInput: for anything else.
    """
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise InvalidInput(at, value, "the name of a query parameter, 1 to 100 characters")
    return value


def mapping(at: str, value: object, expected: str) -> Mapping[str, object]:
    """``value`` if it is a mapping of texts.

    Raises:
        InvalidInput: otherwise.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidInput(at, value, expected)
    return value


def no_others(at: str, document: Mapping[str, object], names: set[str]) -> None:
    """Refuse fields that are not known.

    Raises:
        InvalidInput: naming the first one.
    """
    for name in document:
        if name not in names:
            where = f"{at}.{name}" if at else name
            raise unknown_field(where, document[name], names)


def _named(
    at: str, value: object, read_name: Callable[[str, object], str]
) -> dict[str, tuple[str, ...]]:
    document = mapping(at, value, "a mapping of names to values")
    return {
        read_name(f"{at}.{name}", name): _texts(f"{at}.{name}", values)
        for name, values in document.items()
    }


def _texts(at: str, value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not 0 < len(values) <= _MOST_VALUES:
        raise InvalidInput(at, value, f"1 to {_MOST_VALUES} texts")
    for text in values:
        if not isinstance(text, str) or not 0 < len(text) <= 200:
            raise InvalidInput(at, text, "a text of 1 to 200 characters (put numbers in quotes)")
    return tuple(values)


def _networks(at: str, value: object) -> tuple[str, ...]:
    texts = _texts(at, value)
    for text in texts:
        try:
            ip_network(text)
        except ValueError:
            raise InvalidInput(at, text, "an address or a network such as 10.0.0.0/8") from None
    return texts
