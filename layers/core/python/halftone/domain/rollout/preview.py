"""What a plan will cost at a given traffic: time, requests, and what it can and can't see. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from halftone.domain.errors import InvalidInput
from halftone.domain.quantities import LONGEST, spoken
from halftone.domain.rollout.analysis import stake
from halftone.domain.rollout.evidence import BUCKET
from halftone.domain.rollout.plan import Margins, OnInconclusive, Plan, Stage
from halftone.stats.capital import Capital
from halftone.stats.power import Rates, detectable, requests_needed
from halftone.stats.tally import Tally
from halftone.stats.tolerance import requests_below

LEAST_RATE, MOST_RATE = 1e-6, 1e6
"""The requests a second that can be reckoned with: the least is one in eleven days."""

_HOUR = 3600


@dataclass(frozen=True)
class Traffic:
    """What to reckon with: an endpoint's requests a second, and the parts that err or are late.

    ``keys`` are the new keys an hour where a key draws, that is those that a stage has not seen
    before (None: requests are drawn one by one). The parts are then of keys: those with at least
    one request that errs or is late. ``source`` says where the numbers come from.

    Raises:
        InvalidInput: if ``rate`` is not from ``LEAST_RATE`` to ``MOST_RATE``, or ``keys`` are
            fewer than that, or more than the requests.
        ValueError: if a part is not between 0 and 1.
    """

    rate: float
    errors: float
    late: float
    source: str
    keys: float | None = None

    def __post_init__(self) -> None:
        if not LEAST_RATE <= self.rate <= MOST_RATE:
            expected = f"requests a second, from {LEAST_RATE:f} to {MOST_RATE:.0f}"
            raise InvalidInput("requests_a_second", self.rate, expected)
        requests = self.rate * _HOUR
        if self.keys is not None and not LEAST_RATE * _HOUR <= self.keys <= requests:
            least = f"from {LEAST_RATE * _HOUR:g} to the {few_or_many(requests)} requests an hour"
            raise InvalidInput("keys_an_hour", self.keys, f"new keys an hour, {least}")
        if not (0 < self.errors < 1 and 0 < self.late < 1):
            raise ValueError(f"errors {self.errors:g}, late {self.late:g}: give parts of 1")


@dataclass(frozen=True)
class Counted:
    """What a stage counts: the challenger's ``units`` (requests or keys), ``rate`` a second.

    ``drawn`` is the challenger's part (0 to 1) of all that are compared.
    """

    units: str
    rate: float
    drawn: float

    @property
    def spoken(self) -> str:
        """The challenger's units and how many of them come, for people."""
        if self.units == "keys":
            return f"{few_or_many(self.rate * _HOUR)} new keys an hour"
        return f"{self.rate:.2g} requests a second"


def counted(plan: Plan, index: int, traffic: Traffic) -> Counted:
    """What the stage of that index counts at that traffic.

    A stage draws afresh only the keys from the share before on: who was on the challenger stays
    there, and says nothing new. What is scored unseen is drawn by request in any case.
    """
    stage = plan.stages[index]
    if traffic.keys is None or stage.mirror:
        return Counted("requests", traffic.rate * stage.taken, stage.drawn)
    before = plan.stages[index - 1].weight if index else 0.0
    fresh = stage.weight - before
    rate = traffic.keys / _HOUR * fresh / 100
    return Counted("keys", rate, fresh / (100 - before))


def few_or_many(count: float) -> str:
    """A count that may be a part of one, as it is spoken: ``0.25``, ``1,350``."""
    return f"{count:.2g}" if count < 100 else f"{count:,.0f}"


@dataclass
class ProofAhead:
    """How near that proof has come, with what earlier stages gave to it, in units of theirs.

    ``rates`` are the parts of requests that err or are late, of both versions. Two ways lead to the
    proof, as in ``Standing``: a rate below the tolerance, which counts the challenger's units
    alone, and an odds ratio below the margin, whose growth depends on the share. Their average must
    reach 1/alpha, so that one alone must reach twice that.
    """

    plan: Plan
    rates: Mapping[str, float]
    counted: int = 0
    progress: dict[str, float] = field(default_factory=dict)

    def needed(self, drawn: float) -> int | None:
        """The challenger's units until every metric is proven harmless, at a stage of that share.

        ``drawn`` is the challenger's part (0 to 1) of all units that are compared.
        """
        counts = [self._of(metric, drawn) for metric in self.rates]
        needed = [count for count in counts if count is not None]
        return max(needed) if len(needed) == len(counts) else None

    def seen(self, drawn: float, count: int) -> None:
        """Take note of so many of the challenger's units at that share."""
        self.counted += count
        for metric in self.rates:
            alone = self._by_margin(metric, drawn)
            if alone:
                self.progress[metric] = self.progress.get(metric, 0.0) + count / alone

    def _of(self, metric: str, drawn: float) -> int | None:
        ways = []
        if self._margins(metric).tolerance:
            below = requests_below(
                Tally(),
                tolerance=self._margins(metric).tolerance / 100,
                alpha=self._alone(metric),
                rate=self.rates[metric],
            )
            if below is not None:
                ways.append(below - self.counted)
        by_margin = self._by_margin(metric, drawn)
        if by_margin is not None:
            ways.append(ceil(by_margin * (1 - self.progress.get(metric, 0.0))))
        return max(0, min(ways)) if ways else None

    def _by_margin(self, metric: str, drawn: float) -> int | None:
        rate = self.rates[metric]
        rates = Rates(rate, rate, drawn)
        capital = Capital.on_safety(self._margins(metric).safety)
        return requests_needed(capital, rates, alpha=self._alone(metric))

    def _alone(self, metric: str) -> float:
        return self.plan.alpha / 2 if self._margins(metric).tolerance else self.plan.alpha

    def _margins(self, metric: str) -> Margins:
        return self.plan.errors if metric == "errors" else self.plan.late


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
    enough = _after(stage.min_requests, rate, delay)
    proven = _after(proof, rate, delay)
    lasts, bound_by = _lasts(stage, plan.on_inconclusive, enough, proven)
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
    stage: Stage,
    on_inconclusive: OnInconclusive,
    enough: timedelta | None,
    proven: timedelta | None,
) -> tuple[timedelta | None, str]:
    """How long a stage lasts, and what it waits for in the end."""
    needs = {"min_time": stage.min_time, "min_requests": enough, "proof": proven}
    never = [name for name, span in needs.items() if span is None]
    spans = {name: span for name, span in needs.items() if span is not None}
    bound_by = never[-1] if never else max(spans, key=lambda name: spans[name])
    longest = None if never else spans[bound_by]
    if longest is not None and longest <= stage.max_time:
        return longest, bound_by
    if on_inconclusive is OnInconclusive.ROLLBACK:
        return None, bound_by
    if on_inconclusive is OnInconclusive.PROMOTE and enough is not None:
        # Too few requests are held whatever the plan says; a missing proof is not.
        return max(
            stage.max_time, enough
        ), "max_time" if enough <= stage.max_time else "min_requests"
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
    waits, on_inconclusive = "it is held until they have come", plan.on_inconclusive
    least = timedelta(seconds=min(stage.min_requests / rate, LONGEST.total_seconds()))
    if least > stage.max_time:
        message = f"{stage.min_requests:,} {units} take {about(least)}"
        if on_inconclusive is OnInconclusive.ROLLBACK:
            waits = "then it is rolled back"
        return [f"{gives}: {message}, max_time is {spoken(stage.max_time)}; {waits}"]
    if step.proof is None:
        message = "the proof that it is harmless is not in sight"
    else:
        proven = timedelta(seconds=min(step.proof / rate, LONGEST.total_seconds()))
        if proven <= stage.max_time:
            return []
        message = f"the proof that it is harmless takes {step.proof:,} {units}, {about(proven)}"
    if on_inconclusive is OnInconclusive.ROLLBACK:
        waits = "then it is rolled back"
    elif on_inconclusive is OnInconclusive.PROMOTE:
        waits = "then it goes on without the proof"
    else:
        waits = "it is held until then, or until a person decides"
    return [f"{gives}: {message}, max_time is {spoken(stage.max_time)}; {waits}"]


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
