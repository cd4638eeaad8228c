"""``endpoint.yaml``: what an endpoint is, as its owner declares it.

Parsing takes the mapping that a YAML reader made of the file, so that this module needs no YAML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from halftone.domain.endpoint.capacity import (
    MOST_TAGS,
    Capacity,
    Throttle,
    dump_capacity,
    parse_concurrency,
    parse_throttle,
)
from halftone.domain.errors import InvalidInput, unknown_field
from halftone.domain.names import checked_name
from halftone.domain.quantities import duration, percentage, spoken, whole
from halftone.domain.rollout.plan import PRESETS, Plan, check_mode
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.texts import check_texts
from halftone.domain.traffic.policy import TrafficPolicy
from halftone.domain.traffic.policy_schema import FIELDS, dump_policy, load_policy


class DeployWaits(StrEnum):
    """How long ``cdk deploy`` waits for the release that it starts."""

    PREPARED = "prepared"
    PROMOTED = "promoted"


@dataclass(frozen=True)
class Guardrail:
    """One condition that ends a rollout at once.

    More than ``rate`` percent *and* at least ``count`` events within a period, in ``breaches`` of
    the last ``periods`` periods.
    """

    rate: float
    count: int
    breaches: int = 1
    periods: int = 1


@dataclass(frozen=True)
class EndpointSpec:
    """An endpoint's declaration. ``memory`` in MB; ``model`` is a path relative to the file.

    ``group`` owns the endpoint ("": nobody does). Changed later it gives the endpoint away, unless
    that belongs to another group by then: see ``service.releases.deploy``.

    ``concurrency`` and ``throttle`` are those of ``Capacity``; with description and tags they can
    be changed without a deploy, too.

    ``serving`` holds the fields that are given of what can change without a deploy, as
    ``dump_policy`` writes them; in the file they stand beside the others.
    """

    name: str
    model: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    memory: int = 1024
    timeout: timedelta = timedelta(seconds=10)
    late_after: timedelta = timedelta(milliseconds=250)
    max_body: int = 1_000_000
    log_retention_days: int = 30
    group: str = ""
    deploy_waits: DeployWaits = DeployWaits.PREPARED
    errors: Guardrail = Guardrail(rate=5.0, count=3)
    late: Guardrail = Guardrail(rate=25.0, count=5, breaches=2, periods=3)
    crashes: Guardrail = Guardrail(rate=5.0, count=2)
    plan: Plan = PRESETS["gradual"]
    concurrency: int | None = None
    throttle: Throttle | None = None
    serving: Mapping[str, object] = field(default_factory=dict)


def dump_upkeep(spec: EndpointSpec) -> dict[str, object]:
    """What the declaration says of the endpoint's upkeep, as ``patched_capacity`` reads it."""
    capacity = Capacity(spec.description, spec.tags, spec.concurrency, spec.throttle)
    usual = dump_capacity(Capacity())
    return {name: value for name, value in dump_capacity(capacity).items() if value != usual[name]}


_TAG = re.compile(r"[\w .:/=+@-]+")
_OF_TAGS = "letters, digits, spaces and _ . : / = + - @"
"""What IAM takes in a tag: the endpoint's role bears the tags, too."""

_MOST_PERIODS = {"errors": 8640, "late": 8640, "crashes": 1440}
"""CloudWatch looks back a day at most: at periods of ten seconds, and of a minute."""

EDITORS = "$schema"
"""The field by which an editor finds the JSON schema of a file. It says nothing to Halftone."""

_RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)


def load_spec(value: object) -> EndpointSpec:  # noqa: PLR0912 - one branch a field
    """The declaration in ``value``, as a YAML reader made it.

    Raises:
        InvalidInput: naming the field, its value and what was expected.
    """
    if not isinstance(value, Mapping):
        raise InvalidInput("endpoint.yaml", value, "a mapping with at least name and model")
    value = {name: field for name, field in value.items() if name != EDITORS}
    check_texts("", value)
    names = {*EndpointSpec.__dataclass_fields__} - {"errors", "late", "crashes", "serving"}
    names |= {"guardrails", *FIELDS}
    for name in value:
        if name not in names:
            raise unknown_field(str(name), value[name], names)
    spec = EndpointSpec(
        name=checked_name("name", value.get("name")), model=_path("model", value.get("model"))
    )
    if "description" in value:
        spec = replace(spec, description=_text("description", value["description"]))
    if "tags" in value:
        spec = replace(spec, tags=_tags(value["tags"]))
    if "memory" in value:
        spec = replace(spec, memory=whole("memory", value["memory"], least=128, most=10240))
    if "timeout" in value:
        spec = replace(spec, timeout=_timeout(value["timeout"]))
    if "late_after" in value:
        spec = replace(spec, late_after=_late_after(value["late_after"]))
    if "max_body" in value:
        # API Gateway and Lambda take 6 MB at most, headers and encoding included.
        most = 6_000_000
        spec = replace(spec, max_body=whole("max_body", value["max_body"], least=1, most=most))
    if "log_retention_days" in value:
        spec = replace(spec, log_retention_days=_retention(value["log_retention_days"]))
    if "group" in value:
        spec = replace(spec, group=checked_name("group", value["group"]))
    if "deploy_waits" in value:
        spec = replace(spec, deploy_waits=_waits(value["deploy_waits"]))
    if "guardrails" in value:
        spec = _with_guardrails(spec, value["guardrails"])
    if "concurrency" in value:
        spec = replace(spec, concurrency=parse_concurrency(value["concurrency"]))
    if "throttle" in value:
        spec = replace(spec, throttle=parse_throttle(value["throttle"]))
    if "plan" in value:
        spec = replace(spec, plan=load_plan(value["plan"]))
    if spec.late_after > spec.timeout:
        raise InvalidInput("late_after", value.get("late_after"), "at most timeout")
    serving = load_policy({name: field for name, field in value.items() if name in FIELDS})
    check_mode(spec.plan, serving.get("mode", TrafficPolicy().mode))
    return replace(spec, serving=_within(spec.timeout, serving))


def _within(timeout: timedelta, deadlines: Mapping[str, Any]) -> dict[str, object]:
    budget = deadlines.get("latency_budget")
    if budget is not None and budget > timeout:
        raise InvalidInput("latency_budget", spoken(budget), f"at most timeout, {spoken(timeout)}")
    return dump_policy(deadlines)


def _path(at: str, value: object) -> str:
    parts = value.split("/") if isinstance(value, str) else []
    if not parts or "" in parts or ".." in parts:
        raise InvalidInput(at, value, "a path below the folder of endpoint.yaml")
    return "/".join(parts)


def _text(at: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise InvalidInput(at, value, "a text of at most 200 characters")
    return value


def _tags(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidInput("tags", value, "a mapping of names to texts")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise InvalidInput(f"tags.{name}", text, "a text (put numbers in quotes)")
        if not _TAG.fullmatch(name) or len(name) > 64 or name.lower().startswith("aws:"):
            raise InvalidInput("tags", name, f"names of 1 to 64 {_OF_TAGS}, not beginning aws:")
        if text and (not _TAG.fullmatch(text) or len(text) > 200):
            raise InvalidInput(f"tags.{name}", text, f"at most 200 {_OF_TAGS}")
    alike = {name.lower() for name in value}
    if len(alike) < len(value):
        raise InvalidInput("tags", sorted(value), "names that differ in more than their case")
    if len(value) > MOST_TAGS:
        raise InvalidInput("tags", f"{len(value)} tags", f"at most {MOST_TAGS}")
    return dict(value)


def _timeout(value: object) -> timedelta:
    span = duration("timeout", value)
    seconds = span.total_seconds()
    # An HTTP API gives up after 30 seconds, and Lambda counts in whole ones.
    if not 1 <= seconds <= 29 or seconds % 1:
        raise InvalidInput("timeout", value, "whole seconds from 1s to 29s")
    return span


def _late_after(value: object) -> timedelta:
    span = duration("late_after", value)
    if span < timedelta(milliseconds=1):
        raise InvalidInput("late_after", value, "at least 1ms")
    return span


def _retention(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _RETENTIONS:
        raise InvalidInput("log_retention_days", value, f"one of {list(_RETENTIONS)}")
    return value


def _waits(value: object) -> DeployWaits:
    try:
        return DeployWaits(str(value))
    except ValueError:
        raise InvalidInput("deploy_waits", value, f"one of {', '.join(DeployWaits)}") from None


def _with_guardrails(spec: EndpointSpec, value: object) -> EndpointSpec:
    if not isinstance(value, Mapping):
        raise InvalidInput("guardrails", value, "a mapping of errors, late and crashes")
    rails = {"errors": spec.errors, "late": spec.late, "crashes": spec.crashes}
    for name, rail in value.items():
        at = f"guardrails.{name}"
        if name not in rails:
            raise InvalidInput(at, rail, "one of errors, late, crashes")
        if not isinstance(rail, Mapping):
            raise InvalidInput(at, rail, "a mapping such as {rate: 5 %, count: 3}")
        changed = rails[name]
        for key, number in rail.items():
            if key == "rate":
                # No rate is above 100 %: a guardrail that waits for more would never fire.
                rate = percentage(f"{at}.rate", number, least=0.1, most=99.9)
                changed = replace(changed, rate=rate)
            elif key == "periods":
                most = _MOST_PERIODS[name]
                changed = replace(changed, periods=whole(f"{at}.{key}", number, least=1, most=most))
            elif key in ("count", "breaches"):
                changed = replace(changed, **{key: whole(f"{at}.{key}", number, least=1)})
            else:
                raise InvalidInput(f"{at}.{key}", number, "one of rate, count, breaches, periods")
        if changed.breaches > changed.periods:
            raise InvalidInput(f"{at}.breaches", changed.breaches, "at most periods")
        rails[name] = changed
    return replace(spec, errors=rails["errors"], late=rails["late"], crashes=rails["crashes"])
