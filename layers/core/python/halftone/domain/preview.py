"""What a plan will cost at a given traffic: time, requests, and what it can and can't see. Pure.

Everything is reckoned for a challenger that is as good as the champion, except where a regression
is asked about. Powers and medians are those of ``stats.power``: approximations, good to about a
quarter. docs/rollout.md has the formulas.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from halftone.domain.evidence import BUCKET
from halftone.domain.judge import stake
from halftone.domain.plan import OnInconclusive, Plan, Stage
from halftone.domain.proof_ahead import ProofAhead
from halftone.domain.quantities import LONGEST, spoken
from halftone.domain.traffic import Counted, Traffic, counted
from halftone.stats.capital import Capital
from halftone.stats.power import Rates, detectable, requests_needed

WORSE = 10
"""The regression that ``StepPreview.caught`` is about: so many times the base error rate."""

CHANCE = 0.8
"""The power at which ``StepPreview.visible`` is seen."""

_JUDGED = ("errors", "late", "bad", "over_0", "over_1", "over_2")
"""What the bet on a regression is spread over in a rollout whose champion has had traffic."""


@dataclass(frozen=True)
class StepPreview:
    """One stage at that traffic.

    ``rate`` is the challenger's requests a second, ``counted`` what the stage counts of them:
    requests, or keys where a key draws. ``proof`` is how many more units of that prove the
    challenger harmless (None: not in sight). The stage ``lasts`` until its least time, its least
    requests (or keys) and that proof are there, whichever is last, ``bound_by`` says; None if it
    does not end in a promotion. ``visible`` is the smallest error rate that it shows as a
    regression with 80 % power (None: not even 100 %). A challenger that errs ten times as often as
    the champion is ``caught`` after so many units (the median; None: not in sight), rolled back
    ``back_after`` that stage's begin, and has cost ``hurt`` failed requests that the champion would
    have answered: none where the challenger scores unseen. In guarded mode, without which no key
    draws, that is always none, for the champion does answer them.
    """

    name: str
    stage: Stage
    rate: float
    counted: Counted
    proof: int | None
    lasts: timedelta | None
    bound_by: str
    visible: float | None
    caught: int | None
    back_after: timedelta | None
    hurt: int | None


@dataclass(frozen=True)
class Preview:
    """A plan at that traffic. ``promoted_after`` is None if some step does not end by itself."""

    traffic: Traffic
    steps: tuple[StepPreview, ...]
    promoted_after: timedelta | None
    approvals: int
    warnings: tuple[str, ...]


def preview(
    plan: Plan, traffic: Traffic, *, lag: timedelta, key_lag: timedelta = timedelta(0)
) -> Preview:
    """What ``plan`` does at ``traffic``.

    Metrics are complete ``lag`` after their bucket, those of keys ``key_lag`` later.
    """
    proof = ProofAhead(plan, {"errors": traffic.errors, "late": traffic.late})
    # From a request to what follows from it: its bucket closes, metrics arrive, somebody looks.
    delay = lag + 2 * BUCKET
    steps, warnings = [], []
    for index, stage in enumerate(plan.stages):
        name = "the bake" if plan.is_bake(index) else f"step {index + 1}"
        units = counted(plan, index, traffic)
        step = _step(
            name, stage, plan, traffic, units,
            proof=proof.needed(units.drawn),
            delay=delay + key_lag if units.units == "keys" else delay,
        )  # fmt: skip
        steps.append(step)
        warnings += _late(step, plan)
        if stage.match:
            warnings.append(
                f"{name} is for some requests only: it is reckoned as if all were meant"
            )
        within = (step.lasts or stage.max_time).total_seconds()
        proof.seen(units.drawn, int(units.rate * within))
    spans = [step.lasts for step in steps]
    gates = sum(stage.approval for stage in plan.stages) + plan.approve_all
    if steps and WORSE * traffic.errors < plan.errors.tolerance / 100:
        warnings.append(
            f"{WORSE} times the error rate is {100 * WORSE * traffic.errors:.2g} %, below the "
            f"tolerance of {plan.errors.tolerance:g} %: it may be proven harmless before it is "
            "proven worse"
        )
    if steps and (last := _missed(steps[-1])):
        warnings.append(last)
    if not steps:
        warnings.append("the plan has no steps: all traffic moves at once, and nothing is compared")
    total = None if None in spans else sum((span for span in spans if span), timedelta(0))
    return Preview(traffic, tuple(steps), total, gates, tuple(warnings))


def _step(
    name: str,
    stage: Stage,
    plan: Plan,
    traffic: Traffic,
    units: Counted,
    *,
    proof: int | None,
    delay: timedelta,
) -> StepPreview:
    rate = units.rate
    seen = _after(stage.min_requests, rate, delay)
    proven = _after(proof, rate, delay)
    lasts, bound_by = _lasts(stage, plan.on_inconclusive, seen, proven)
    count = int(rate * (lasts or stage.max_time).total_seconds())
    share, base, alpha = units.drawn, traffic.errors, plan.alpha * stake("errors", _JUDGED)
    capital = Capital.on_regression(plan.errors.regression)
    worse = min(WORSE * base, (1 + base) / 2)
    caught = requests_needed(capital, Rates(worse, base, share), alpha=alpha)
    back_after = _after(caught, rate, delay)
    failed = (
        None if back_after is None else ceil((worse - base) * rate * back_after.total_seconds())
    )
    if stage.mirror or traffic.keys is not None:
        failed = 0  # no client sees what is scored, nor what the champion answers in its place
    return StepPreview(
        name=name,
        stage=stage,
        rate=traffic.rate * stage.taken,
        counted=units,
        proof=proof,
        lasts=lasts,
        bound_by=bound_by,
        visible=detectable(
            count, share=share, base_rate=base, capital=capital, alpha=alpha, chance=CHANCE
        ),
        caught=caught,
        back_after=back_after,
        hurt=failed,
    )


def _lasts(
    stage: Stage, word: OnInconclusive, seen: timedelta | None, proven: timedelta | None
) -> tuple[timedelta | None, str]:
    """How long a stage lasts, and what it waits for in the end."""
    needs = {"min_time": stage.min_time, "min_requests": seen, "proof": proven}
    never = [name for name, span in needs.items() if span is None]
    spans = {name: span for name, span in needs.items() if span is not None}
    bound_by = never[-1] if never else max(spans, key=lambda name: spans[name])
    longest = None if never else spans[bound_by]
    if longest is not None and longest <= stage.max_time:
        return longest, bound_by
    if word is OnInconclusive.ROLLBACK:
        return None, bound_by
    if word is OnInconclusive.PROMOTE and seen is not None:
        # Too few requests are held whatever the plan says; a missing proof is not.
        return max(stage.max_time, seen), "max_time" if seen <= stage.max_time else "min_requests"
    return longest, bound_by


def _after(count: int | None, rate: float, delay: timedelta) -> timedelta | None:
    """When ``count`` requests have been counted; None if that takes more than a year."""
    if count is None:
        return None
    if count == 0:
        return timedelta(0)
    seconds = count / rate
    return None if seconds > LONGEST.total_seconds() else timedelta(seconds=seconds) + delay


def _late(step: StepPreview, plan: Plan) -> list[str]:
    """What is wrong with a step that reaches its greatest age first, with the arithmetic."""
    stage, rate, units = step.stage, step.counted.rate, step.counted.units
    gives = f"{step.name} gives the challenger {step.counted.spoken}"
    waits, word = "it is held until they have come", plan.on_inconclusive
    least = timedelta(seconds=min(stage.min_requests / rate, LONGEST.total_seconds()))
    if least > stage.max_time:
        told = f"{stage.min_requests:,} {units} take {about(least)}"
        if word is OnInconclusive.ROLLBACK:
            waits = "then it is rolled back"
        return [f"{gives}: {told}, max_time is {spoken(stage.max_time)}; {waits}"]
    if step.proof is None:
        told = "the proof that it is harmless is not in sight"
    else:
        proven = timedelta(seconds=min(step.proof / rate, LONGEST.total_seconds()))
        if proven <= stage.max_time:
            return []
        told = f"the proof that it is harmless takes {step.proof:,} {units}, {about(proven)}"
    if word is OnInconclusive.ROLLBACK:
        waits = "then it is rolled back"
    elif word is OnInconclusive.PROMOTE:
        waits = "then it goes on without the proof"
    else:
        waits = "it is held until then, or until a person decides"
    return [f"{gives}: {told}, max_time is {spoken(stage.max_time)}; {waits}"]


def _missed(step: StepPreview) -> str:
    """What the last step lets through; what an earlier one has not proven yet, the next one may."""
    if step.lasts is None or (step.back_after is not None and step.back_after <= step.lasts):
        return ""
    caught = "never caught" if step.back_after is None else f"caught after {about(step.back_after)}"
    return (
        f"{step.name} lasts {about(step.lasts)}: a challenger that errs {WORSE} times as often "
        f"only from then on is {caught}, so it is promoted, unless an alarm sees it"
    )


def about(span: timedelta) -> str:
    """A span as it is spoken, in minutes from an hour on, in hours from two days on."""
    unit = timedelta(hours=1) if span >= timedelta(days=2) else timedelta(minutes=1)
    if span < timedelta(hours=1):
        unit = timedelta(seconds=1)
    return spoken(unit * round(span / unit))
