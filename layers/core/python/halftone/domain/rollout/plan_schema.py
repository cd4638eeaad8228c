"""A plan as ``endpoint.yaml`` writes it: read, checked, and written again.

The written form says every number, also those that came from a preset: a template that carries it
says what will happen, and changes when a preset does. What is not about stages bears the same name
in a ``Plan`` and in YAML, so that a rule added to the language is carried along.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import timedelta

from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import LONGEST, duration, percentage, spoken, whole
from halftone.domain.rollout.plan import BAKE, PRESETS, Margins, OnInconclusive, Plan, Stage
from halftone.domain.texts import check_texts
from halftone.domain.traffic.match_schema import dump_match, load_match, no_others

LEAST_ALPHA = 1e-6
"""Below it no number of requests is evidence, and shares of it are no numbers any more."""

LEAST_TOLERANCE = 1e-6
"""Percent; 0 tolerates nothing."""

_ABOUT_STAGES = ("stages", "bakes", "approve_all")
_OWN_MARGIN = "changed"


def load_plan(value: object, *, at: str = "plan") -> Plan:
    """A plan from its form in ``endpoint.yaml``: a preset's name, or a mapping.

    Raises:
        InvalidInput: naming the field and its value.
    """
    if isinstance(value, str):
        return _preset(at, value)
    check_texts(at, value)
    document = _mapping(at, value)
    names = {"preset", "steps", "bake", "alpha", "on_inconclusive", "margins", "latency_floor"}
    no_others(at, document, names)
    base = _preset(f"{at}.preset", document.get("preset", "gradual"))
    steps = base.stages[:-1] if base.bakes else base.stages
    bake = base.stages[-1] if base.bakes else None
    if "steps" in document:
        steps = _parse_steps(f"{at}.steps", document["steps"])
    if "bake" in document:
        bake = _parse_bake(f"{at}.bake", document["bake"])
    # A last step of 100 % says what every plan ends with: all it can add is a gate before that.
    gate = any(step.weight == 100.0 and step.approval for step in steps)
    below = tuple(step for step in steps if step.weight < 100.0)
    stages = (*below, bake) if bake else below
    plan = replace(base, stages=stages, bakes=bake is not None, approve_all=gate)
    _rising(at, plan)
    if "alpha" in document:
        plan = replace(plan, alpha=_alpha(f"{at}.alpha", document["alpha"]))
    if "on_inconclusive" in document:
        plan = replace(
            plan, on_inconclusive=_word(f"{at}.on_inconclusive", document["on_inconclusive"])
        )
    if "latency_floor" in document:
        floor = duration(f"{at}.latency_floor", document["latency_floor"])
        plan = replace(plan, latency_floor=floor)
    if "margins" in document:
        plan = _with_margins(f"{at}.margins", document["margins"], plan)
    return plan


def dump_plan(plan: Plan) -> dict[str, object]:
    """What ``load_plan`` makes ``plan`` of: mappings, lists, texts and numbers."""
    steps = plan.stages[:-1] if plan.bakes else plan.stages
    rules: dict[str, object] = {}
    margins: dict[str, object] = {}
    for rule in fields(plan):
        value = getattr(plan, rule.name)
        if isinstance(value, Margins):
            margins[rule.name] = {name: _number(n) for name, n in asdict(value).items()}
        elif rule.name == _OWN_MARGIN:
            margins[rule.name] = {"tolerance": _number(value)}
        elif rule.name not in _ABOUT_STAGES:
            rules[rule.name] = _written(value)
    last: dict[str, object] = {"weight": 100, "approval": _approval(plan.approve_all)}
    return {
        "steps": [*map(_stage_form, steps), last],
        "bake": _stage_form(plan.stages[-1]) if plan.bakes else "none",
        "margins": margins,
        **rules,
    }


def _preset(at: str, name: object) -> Plan:
    if not isinstance(name, str) or name not in PRESETS:
        raise InvalidInput(at, name, f"one of {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def _parse_steps(at: str, value: object) -> tuple[Stage, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidInput(at, value, "a list of steps such as {weight: 5, min_time: 30m}")
    stages = [
        _parse_stage(f"{at}[{i}]", step, Stage(weight=100.0), most=100.0)
        for i, step in enumerate(value)
    ]
    for i, stage in enumerate(stages):
        if stage.weight == 100.0 and i < len(stages) - 1:
            raise InvalidInput(f"{at}[{i}].weight", 100, "less than 100 before the last step")
        if stage.weight == 100.0 and stage.match:
            raise InvalidInput(
                f"{at}[{i}].match", value[i]["match"], "none at 100 %: all take part"
            )
        if stage.mirror and any(before.weight for before in stages[:i]):
            why = "before the steps that have a weight: a challenger that answers is seen by then"
            raise InvalidInput(f"{at}[{i}].mirror", stage.mirror, why)
    return tuple(stages)


def _parse_bake(at: str, value: object) -> Stage | None:
    if value in (None, "none", False):
        return None
    if isinstance(value, str):
        least = duration(at, value)
        return replace(BAKE, min_time=least, max_time=_greatest_age(least))
    return _parse_stage(at, value, BAKE, most=99.9)


def _parse_stage(at: str, value: object, base: Stage, *, most: float) -> Stage:
    document = {
        name: part
        for name, part in _mapping(at, value).items()
        if name not in _NARROWING or part != "none"
    }
    no_others(at, document, _OF_STAGES)
    stage = _with_share(at, document, base, most=most)
    if "min_time" in document:
        least = duration(f"{at}.min_time", document["min_time"])
        stage = replace(stage, min_time=least, max_time=max(stage.max_time, _greatest_age(least)))
    if "max_time" in document:
        stage = replace(stage, max_time=duration(f"{at}.max_time", document["max_time"]))
    if stage.max_time < stage.min_time:
        raise InvalidInput(f"{at}.max_time", document.get("max_time"), "at least min_time")
    if "min_requests" in document:
        # One request at the least: a step that may see nothing would be promoted on silence.
        count = whole(f"{at}.min_requests", document["min_requests"], least=1)
        stage = replace(stage, min_requests=count)
    if "approval" in document:
        if document["approval"] not in ("before", "none"):
            raise InvalidInput(f"{at}.approval", document["approval"], "before or none")
        stage = replace(stage, approval=document["approval"] == "before")
    return stage


_OF_STAGES = {"weight", "mirror", "match", "min_time", "max_time", "min_requests", "approval"}
_NARROWING = ("mirror", "match")


def _with_share(at: str, document: Mapping[str, object], base: Stage, *, most: float) -> Stage:
    """``base`` with the share that the challenger answers or scores, and of whose requests."""
    for name in _NARROWING:
        if name in document and base.weight < 100.0:
            raise InvalidInput(
                f"{at}.{name}", document[name], "a step: the bake is of all requests"
            )
    if "mirror" in document and "weight" in document:
        why = "either a weight or a mirror share: a version answers, or it is scored unseen"
        raise InvalidInput(f"{at}.mirror", document["mirror"], why)
    match = load_match(f"{at}.match", document["match"]) if "match" in document else None
    if "mirror" in document:
        return replace(base, weight=0.0, mirror=_share(at, document, "mirror", 100.0), match=match)
    if "weight" in document:
        return replace(base, weight=_share(at, document, "weight", most), match=match)
    if base.weight == 100.0:
        expected = "a percentage from 0.1 to 100, or a mirror share in its place"
        raise InvalidInput(f"{at}.weight", None, expected)
    return base


def _share(at: str, document: Mapping[str, object], name: str, most: float) -> float:
    share = percentage(f"{at}.{name}", document[name], least=0.1, most=most)
    if share != round(share, 2):
        # Finer weights would not survive the way to Lambda's fractions and back unchanged.
        raise InvalidInput(f"{at}.{name}", document[name], "at most two decimals")
    return share


def _greatest_age(least: timedelta) -> timedelta:
    """What ``max_time`` is where only ``min_time`` is given."""
    return min(4 * least, LONGEST)


def _rising(at: str, plan: Plan) -> None:
    for i in range(1, len(plan.stages)):
        before, weight = plan.stages[i - 1].weight, plan.stages[i].weight
        if weight <= before and not plan.stages[i].mirror:
            where = "bake" if plan.is_bake(i) else f"steps[{i}]"
            more = f"more than the {before:g} % before it"
            raise InvalidInput(f"{at}.{where}.weight", weight, more)


def _alpha(at: str, value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not LEAST_ALPHA <= value <= 0.5:  # type: ignore[operator]
        raise InvalidInput(at, value, "a probability from 0.000001 to 0.5")
    return float(value)  # type: ignore[arg-type]


def _word(at: str, value: object) -> OnInconclusive:
    try:
        return OnInconclusive(str(value))
    except ValueError:
        raise InvalidInput(at, value, f"one of {', '.join(OnInconclusive)}") from None


def _with_margins(at: str, value: object, plan: Plan) -> Plan:
    document = _mapping(at, value)
    every = {"errors": plan.errors, "late": plan.late}
    every |= {"latency": plan.latency, "quality": plan.quality}
    no_others(at, document, {*every, "changed"})
    for metric, margins in document.items():
        here = f"{at}.{metric}"
        fields = _mapping(here, margins)
        if metric == "changed":
            plan = replace(plan, changed=_changed(here, fields))
            continue
        no_others(here, fields, {"regression", "safety", "tolerance"})
        changed = every[metric]
        if "tolerance" in fields:
            percent = _tolerance(f"{here}.tolerance", fields["tolerance"])
            changed = replace(changed, tolerance=percent)
        for name in ("regression", "safety"):
            if name in fields:
                changed = replace(changed, **{name: _ratio(f"{here}.{name}", fields[name])})
        if changed.safety <= changed.regression:
            raise InvalidInput(f"{here}.safety", changed.safety, "more than regression")
        every[metric] = changed
    return replace(
        plan,
        errors=every["errors"],
        late=every["late"],
        latency=every["latency"],
        quality=every["quality"],
    )


def _changed(at: str, fields: Mapping[str, object]) -> float:
    """The rate of changed labels that is tolerated; 0 asks nothing of them."""
    no_others(at, fields, {"tolerance"})
    return _tolerance(f"{at}.tolerance", fields.get("tolerance", 0))


def _tolerance(at: str, value: object) -> float:
    percent = percentage(at, value, least=0.0, most=50.0)
    if 0 < percent < LEAST_TOLERANCE:
        raise InvalidInput(at, value, f"0, or a percentage from {LEAST_TOLERANCE:g} to 50")
    return percent


def _ratio(at: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 1 <= value <= 100:
        raise InvalidInput(at, value, "an odds ratio from 1 to 100")
    return float(value)


def _mapping(at: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidInput(at, value, "a mapping")
    return value


def _stage_form(stage: Stage) -> dict[str, object]:
    share = {"mirror": stage.mirror} if stage.mirror else {"weight": stage.weight}
    return {
        **{name: _number(value) for name, value in share.items()},
        **({"match": dump_match(stage.match)} if stage.match else {}),
        "min_time": _written(stage.min_time),
        "max_time": _written(stage.max_time),
        "min_requests": stage.min_requests,
        "approval": _approval(stage.approval),
    }


def _approval(needed: bool) -> str:
    return "before" if needed else "none"


def _written(value: object) -> object:
    if isinstance(value, OnInconclusive):
        return value.value
    return spoken(value) if isinstance(value, timedelta) else value


def _number(value: float) -> float:
    return int(value) if value == int(value) else value
