"""An endpoint's description, tags and capacity: concurrency, throttle and replicas.

They may change at any time without a deploy, so they are part of the endpoint's state: each change
is one conditional write with one audit record. The calls to AWS follow that record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import whole
from halftone.domain.texts import check_texts

MOST_TAGS = 50


@dataclass(frozen=True)
class Throttle:
    """At most ``rate`` requests a second on average to one route, and ``burst`` at once."""

    rate: float
    burst: int


@dataclass(frozen=True)
class Capacity:
    """What may be changed about an endpoint besides what it serves.

    ``concurrency`` is how many requests the function answers at once, taken out of the account's
    pool and never exceeded (None: what the account has left). ``throttle`` None: the stage's.
    ``replicas`` are, by version, how many sandboxes stand ready.
    """

    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    throttle: Throttle | None = None
    replicas: Mapping[str, int] = field(default_factory=dict)


def patched_capacity(upkeep: Capacity, value: object) -> Capacity:
    """``upkeep`` with the changes in ``value``: a field that is not named stays, null resets it.

    Tags are merged: one that is null is taken away.

    Raises:
        InvalidInput: naming the field and its value.
    """
    if not isinstance(value, Mapping):
        raise InvalidInput("settings", value, f"an object with any of {', '.join(_FIELDS)}")
    check_texts("", value)
    after = upkeep
    for name, setting in value.items():
        if name == "description":
            after = replace(after, description=_text("description", setting or ""))
        elif name == "tags":
            after = replace(after, tags=_tags(upkeep.tags, setting))
        elif name == "concurrency":
            after = replace(after, concurrency=parse_concurrency(setting))
        elif name == "throttle":
            after = replace(after, throttle=parse_throttle(setting))
        else:
            raise InvalidInput(str(name), setting, f"no such setting; known: {', '.join(_FIELDS)}")
    return after


def scaled(upkeep: Capacity, version: str, replicas: int) -> Capacity:
    """``upkeep`` with so many replicas of a version."""
    counts = {other: count for other, count in upkeep.replicas.items() if other != version}
    if replicas:
        counts[version] = replicas
    return replace(upkeep, replicas=counts)


def dump_capacity(upkeep: Capacity) -> dict[str, object]:
    """The settings in the form that ``patched_capacity`` reads, every field named."""
    throttle = upkeep.throttle
    return {
        "description": upkeep.description,
        "tags": dict(upkeep.tags),
        "concurrency": upkeep.concurrency,
        "throttle": {"rate": throttle.rate, "burst": throttle.burst} if throttle else None,
    }


def parse_concurrency(value: object) -> int | None:
    """How many requests at once; None: no limit of its own.

    Raises:
        InvalidInput: naming the value. 0 would stop the endpoint: that is what stopping is for.
    """
    return None if value is None else whole("concurrency", value, least=1, most=10_000)


def parse_throttle(value: object) -> Throttle | None:
    """The throttle in ``{rate: 100, burst: 50}``; None: the stage's.

    Raises:
        InvalidInput: naming the field and its value.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInput("throttle", value, "a mapping such as {rate: 100, burst: 50}")
    for name in value:
        if name not in ("rate", "burst"):
            raise InvalidInput(f"throttle.{name}", value[name], "one of rate, burst")
    rate = value.get("rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 100_000:
        raise InvalidInput("throttle.rate", rate, "requests a second, above 0, at most 100000")
    burst = whole("throttle.burst", value.get("burst"), least=1, most=50_000)
    return Throttle(float(rate), burst)


def _tags(before: Mapping[str, str], value: object) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput("tags", value, "an object of names and texts")
    after = dict(before)
    for name, text in value.items():
        if not isinstance(name, str) or not 0 < len(name) <= 64 or not name.isprintable():
            raise InvalidInput("tags", name, "names of 1 to 64 printable characters")
        if text is None:
            after.pop(name, None)
        else:
            after[name] = _text(f"tags.{name}", text)
    if len(after) > MOST_TAGS:
        raise InvalidInput("tags", f"{len(after)} tags", f"at most {MOST_TAGS}")
    return after


def _text(at: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise InvalidInput(at, value, "a text of at most 200 characters")
    return value


_FIELDS = ("description", "tags", "concurrency", "throttle")
