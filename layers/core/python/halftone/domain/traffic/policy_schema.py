"""What may change about serving without a deploy, as people write it: in ``endpoint.yaml`` and in
requests to the API, in the same words.

=================  ===========================================================================
field              is
=================  ===========================================================================
``mode``           ``weighted`` or ``guarded``
``access``         ``public`` or ``private`` (Azure's ``auth_mode``)
``key``            ``{header: NAME}``, ``{query: NAME}``, ``{body: PATH}``, ``client`` or
                   ``address``; ``none``
``salt``           a text that makes assignments independent of another endpoint's
``rules``          a list of ``{match: ..., to: DEPLOYMENT}``; the first that matches decides
``traffic``        ``{DEPLOYMENT: SHARE, ...}``, which sum to 100, or to 0 to stop; what is not
                   named gets nothing
``mirror``         ``{DEPLOYMENT: SHARE}``, or ``{to: DEPLOYMENT, share: SHARE, match: ...}``;
                   ``none``
``capture``        a share, or ``{share: SHARE, redact: [FIELD, ...]}``
``latency_budget``  a duration up to 29s; ``none``
``label``          the output field that feedback is compared with
``cors``           ``{origins: [ORIGIN, ...], headers: [NAME, ...], max_age: DURATION}``;
                   ``none``
``stopped``        why the endpoint answers 503; empty: it does not
=================  ===========================================================================

A deployment is called by its name or its version; the ``champion`` by that word, too. Read here is
only what the words say: what they mean at an endpoint is the concern of ``serving_rules``.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import duration, percentage, spoken
from halftone.domain.texts import check_texts
from halftone.domain.traffic.match_schema import (
    dump_match,
    header_name,
    load_match,
    mapping,
    no_others,
    parameter_name,
)
from halftone.domain.traffic.policy import (
    CHAMPION,
    Access,
    Capture,
    Cors,
    KeySource,
    Mirror,
    Mode,
    Portion,
    Rule,
    StickyKey,
    TrafficPolicy,
)

LARGEST = 100_000
"""Bytes that all fields together may have: they are part of one record of at most 400 KB."""

_DEPLOYMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PATH = re.compile(r"[^.\s]{1,100}(\.[^.\s]{1,100}){0,9}")
_ORIGIN = re.compile(
    r"(?:null|[a-z][a-z0-9+.-]{0,30}://(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)"
)
_NONE = (None, "none")


def load_policy(value: object, *, at: str = "") -> dict[str, Any]:
    """The fields that ``value`` gives, each as ``TrafficPolicy`` holds it, with deployments as they
    are called; ``traffic`` is a tuple of portions that may name the champion.

    Raises:
        InvalidInput: naming the field, its value and what was expected.
    """
    document = mapping(at or "serving", value, f"a mapping of {', '.join(FIELDS)}")
    no_others(at, document, {*FIELDS})
    check_texts(at, document)
    try:
        if len(json.dumps(dict(document), allow_nan=False)) > LARGEST:
            raise InvalidInput(at or "serving", "...", f"at most {LARGEST} bytes of settings")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(at or "serving", str(error), "what JSON can hold") from None
    prefix = f"{at}." if at else ""
    return {name: FIELDS[name](f"{prefix}{name}", field) for name, field in document.items()}


def dump_policy(fields: Mapping[str, Any]) -> dict[str, object]:
    """What ``load_policy`` makes ``fields`` of: mappings, lists, texts and numbers."""
    return {name: _written(name, value) for name, value in fields.items()}


NO_TRAFFIC = "its traffic is set to 0"
"""Why an endpoint is stopped whose shares are all 0."""


def defaults() -> dict[str, Any]:
    """Each field as it is where nothing is declared."""
    usual = TrafficPolicy()
    fields = {name: getattr(usual, name) for name in FIELDS if name != "traffic"}
    return {**fields, "traffic": (Portion(CHAMPION, 100.0),)}


def _mode(at: str, value: object) -> Mode:
    try:
        return Mode(str(value))
    except ValueError:
        raise InvalidInput(at, value, f"one of {', '.join(Mode)}") from None


def _access(at: str, value: object) -> Access:
    try:
        return Access(str(value))
    except ValueError:
        raise InvalidInput(at, value, f"one of {', '.join(Access)}") from None


def _key(at: str, value: object) -> StickyKey | None:
    expected = "{header: NAME}, {query: NAME}, {body: PATH}, client, address or none"
    if value in _NONE:
        return None
    if value in (KeySource.CLIENT, KeySource.ADDRESS):
        return StickyKey(KeySource(str(value)))
    if not isinstance(value, Mapping) or len(value) != 1:
        raise InvalidInput(at, value, expected)
    source, name = next(iter(value.items()))
    if source == KeySource.HEADER:
        return StickyKey(KeySource.HEADER, header_name(f"{at}.header", name))
    if source == KeySource.QUERY:
        return StickyKey(KeySource.QUERY, parameter_name(f"{at}.query", name))
    if source == KeySource.BODY:
        return StickyKey(KeySource.BODY, _path(f"{at}.body", name))
    raise InvalidInput(at, value, expected)


def _salt(at: str, value: object) -> str:
    return _text(at, value, most=100)


def _stopped(at: str, value: object) -> str:
    return _text(at, value, most=200)


def _label(at: str, value: object) -> str:
    return "" if value in (*_NONE, "") else _path(at, value)


def _rules(at: str, value: object) -> tuple[Rule, ...]:
    if not isinstance(value, list | tuple) or len(value) > 50:
        raise InvalidInput(at, value, "a list of at most 50 of {match: ..., to: DEPLOYMENT}")
    return tuple(_rule(f"{at}[{i}]", rule) for i, rule in enumerate(value))


def _rule(at: str, value: object) -> Rule:
    document = mapping(at, value, "{match: ..., to: DEPLOYMENT}")
    no_others(at, document, {"match", "to"})
    return Rule(
        load_match(f"{at}.match", document.get("match")),
        _deployment(f"{at}.to", document.get("to")),
    )


def _traffic(at: str, value: object) -> tuple[Portion, ...]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= 10:
        raise InvalidInput(at, value, "shares of 1 to 10 deployments such as {blue: 90, green: 10}")
    portions: dict[str, Portion] = {}
    for name, share in value.items():
        called = _deployment(f"{at}.{name}", name)
        if called in portions:
            raise InvalidInput(f"{at}.{name}", share, "each deployment once")
        portions[called] = Portion(called, percentage(f"{at}.{name}", share))
    total = round(sum(portion.share for portion in portions.values()), 6)
    if total not in (0.0, 100.0):
        raise InvalidInput(at, f"{total:g} in all", "shares that sum to 100, or to 0 to stop")
    return tuple(portions.values())


def _mirror(at: str, value: object) -> Mirror | None:
    if value in _NONE:
        return None
    document = mapping(at, value, "{DEPLOYMENT: SHARE} or {to: DEPLOYMENT, share: SHARE}")
    if "to" not in document:
        if len(document) != 1:
            raise InvalidInput(at, value, "one deployment: there is one mirror")
        name, share = next(iter(document.items()))
        return Mirror(_deployment(f"{at}.{name}", name), percentage(f"{at}.{name}", share))
    no_others(at, document, {"to", "share", "match"})
    match = document.get("match")
    return Mirror(
        _deployment(f"{at}.to", document["to"]),
        percentage(f"{at}.share", document.get("share")),
        None if match is None else load_match(f"{at}.match", match),
    )


def _capture(at: str, value: object) -> Capture:
    if not isinstance(value, Mapping):
        return Capture(percentage(at, value))
    document = mapping(at, value, "a share, or {share: SHARE, redact: [FIELD]}")
    no_others(at, document, {"share", "redact"})
    redact = document.get("redact", ())
    if not isinstance(redact, list | tuple) or len(redact) > 100:
        raise InvalidInput(f"{at}.redact", redact, "a list of at most 100 fields")
    fields = tuple(_path(f"{at}.redact[{i}]", name) for i, name in enumerate(redact))
    return Capture(percentage(f"{at}.share", document.get("share", 0)), fields)


def _latency_budget(at: str, value: object) -> timedelta | None:
    if value in _NONE:
        return None
    span = duration(at, value)
    if not 0.001 <= span.total_seconds() <= 29:
        raise InvalidInput(at, value, "a duration from 1ms to 29s")
    return span


def _cors(at: str, value: object) -> Cors | None:
    if value in _NONE:
        return None
    document = mapping(at, value, "{origins: [ORIGIN, ...]} or none")
    no_others(at, document, {"origins", "headers", "max_age"})
    origins = _list(f"{at}.origins", document.get("origins"), _origin, least=1)
    if "*" in origins and len(origins) > 1:
        raise InvalidInput(f"{at}.origins", list(origins), '"*" alone, or origins')
    usual = Cors(origins)
    max_age = document.get("max_age")
    span = usual.max_age if max_age is None else duration(f"{at}.max_age", max_age)
    if not 0 <= span.total_seconds() <= 86400 or span.microseconds:
        raise InvalidInput(f"{at}.max_age", max_age, "whole seconds up to 24h")
    headers = _list(f"{at}.headers", document.get("headers", ()), header_name)
    return Cors(origins, headers, span)


def _list(
    at: str, value: object, read: Callable[[str, object], str], *, least: int = 0
) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not least <= len(value) <= 50:
        raise InvalidInput(at, value, f"a list of {least} to 50")
    members = tuple(read(f"{at}[{i}]", one) for i, one in enumerate(value))
    if len({*members}) != len(members):
        raise InvalidInput(at, value, "each once")
    return members


def _origin(at: str, value: object) -> str:
    if value == "*" or (isinstance(value, str) and len(value) <= 300 and _ORIGIN.fullmatch(value)):
        return str(value)
    expected = 'an origin in lower case without a path, such as https://shop.example, or "*"'
    raise InvalidInput(at, value, expected)


FIELDS: Mapping[str, Callable[[str, object], object]] = {
    "mode": _mode,
    "access": _access,
    "key": _key,
    "salt": _salt,
    "rules": _rules,
    "traffic": _traffic,
    "mirror": _mirror,
    "capture": _capture,
    "latency_budget": _latency_budget,
    "label": _label,
    "stopped": _stopped,
    "cors": _cors,
}
"""The fields, and what reads each."""


def _written(name: str, value: Any) -> object:
    if name in ("mode", "access"):
        return value.value
    if name == "rules":
        return [{"match": dump_match(rule.match), "to": rule.version} for rule in value]
    if name == "traffic":
        return {portion.version: _number(portion.share) for portion in value}
    if name == "capture":
        return {"share": _number(value.share), "redact": list(value.redact)}
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, timedelta):
        return spoken(value)
    if isinstance(value, Cors):
        lists = {"origins": list(value.origins), "headers": list(value.headers)}
        return {**lists, "max_age": spoken(value.max_age)}
    if isinstance(value, StickyKey):
        return {value.source.value: value.name} if value.name else value.source.value
    form: dict[str, object] = {"to": value.version, "share": _number(value.share)}
    return {**form, "match": dump_match(value.match)} if value.match else form


def _deployment(at: str, value: object) -> str:
    called = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(called, str) or len(called) > 64 or not _DEPLOYMENT.fullmatch(called):
        raise InvalidInput(at, value, "the name or the version of a deployment")
    return called


def _path(at: str, value: object) -> str:
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise InvalidInput(at, value, "the name of a field, or a path such as user.id")
    return value


def _text(at: str, value: object, *, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise InvalidInput(at, value, f"a text of at most {most} characters")
    return value


def _number(value: float) -> float:
    return int(value) if value == int(value) else value
