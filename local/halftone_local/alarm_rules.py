"""When a CloudWatch metric alarm is in which state: a pure function of its datapoints and the time.

Sources, both in the CloudWatch user guide:
"Alarm evaluation", https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"Configuring how CloudWatch alarms treat missing data",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

SPARE_PERIODS = 2
"""How far beyond the evaluation periods an alarm looks for data before it calls a period missing.

AWS leaves the length of this evaluation range open; its examples show 5 for 3 evaluation periods.
"""

_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Rule:
    """The part of an alarm that decides: M (``to_alarm``) out of N (``periods``) breach."""

    statistic: str
    period: int
    periods: int
    to_alarm: int
    threshold: float
    comparison: str
    missing: str = "missing"

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARISONS:
            raise ValueError(
                f"ComparisonOperator {self.comparison!r} is not one of {', '.join(_COMPARISONS)}: "
                "the local AWS has no anomaly detection"
            )

    def breached_by(self, value: float) -> bool:
        return _COMPARISONS[self.comparison][0](value, self.threshold)

    @property
    def verb(self) -> str:
        return _COMPARISONS[self.comparison][1]


@dataclass(frozen=True)
class Datapoint:
    """One period's value of the alarm's statistic; ``start`` in seconds since 1970."""

    start: float
    value: float
    samples: float


@dataclass(frozen=True)
class Finding:
    """The state that the data asks for, with the reason in words and as AWS' JSON."""

    state: str
    reason: str
    reason_data: str


def period_starts(rule: Rule, now: float) -> list[int]:
    """The starts of the periods to look at, oldest first; all of them are over.

    Alarms below a minute are evaluated every 10 seconds, the others every minute, over periods that
    end at that moment: with a period of 5 minutes the window moves on by one minute at a time.
    """
    step = 10 if rule.period < 60 else 60
    end = int(now // step) * step
    count = rule.periods + SPARE_PERIODS
    return [end - back * rule.period for back in range(count, 0, -1)]


def evaluate(rule: Rule, datapoints: Mapping[int, Datapoint], now: float) -> Finding | None:
    """The state at ``now``, or None when the alarm keeps the one it has.

    ``found`` maps the start of a period to its datapoint; a period without one is missing.
    """
    starts = period_starts(rule, now)
    real = [datapoints[start] for start in starts if start in datapoints][-rule.periods :]
    lacking = rule.periods - len(real)
    breaching = [point for point in real if rule.breached_by(point.value)]
    filled_bad = lacking if rule.missing == "breaching" else 0

    if not real and rule.missing == "missing":
        return _unknown(rule, now)
    if not real and rule.missing == "ignore":
        return None
    if len(breaching) + filled_bad >= rule.to_alarm:
        return _crossed(rule, ALARM, real, lacking, now)
    if lacking and rule.missing in {"missing", "ignore"} and len(breaching) == len(real):
        # All that is known is bad, yet it is too little: a single bad datapoint raises the alarm
        # only once it is old enough that better ones had time to arrive.
        age = 1 + sum(start > real[0].start for start in starts)
        if rule.missing == "missing" and age >= rule.to_alarm:
            return _crossed(rule, ALARM, real, lacking, now)
        return None
    return _crossed(rule, OK, real, lacking, now)


def _unknown(rule: Rule, now: float) -> Finding:
    count = f"{rule.periods} datapoint{_were(rule.periods)}"
    return Finding(
        INSUFFICIENT_DATA, f"Insufficient Data: {count} unknown.", _reason_data(rule, [], now)
    )


def _crossed(
    rule: Rule,
    state: str,
    real: Sequence[Datapoint],
    lacking: int,
    now: float,
) -> Finding:
    decisive = [point for point in real if rule.breached_by(point.value) == (state == ALARM)]
    parts = []
    if decisive:
        shown = ", ".join(f"{p.value} ({_day_first(p.start)})" for p in reversed(decisive))
        was = "was" if len(decisive) == 1 else "were"
        verb = rule.verb if state == ALARM else f"not {rule.verb}"
        parts.append(
            f"{len(decisive)} out of the last {rule.periods} datapoints [{shown}] {was} {verb} "
            f"the threshold ({rule.threshold})"
        )
    else:
        plural = "" if rule.periods == 1 else "s"
        parts.append(f"no datapoints were received for {rule.periods} period{plural}")
    if lacking and rule.missing in {"breaching", "notBreaching"}:
        treated = "Breaching" if rule.missing == "breaching" else "NonBreaching"
        parts.append(f"{lacking} missing datapoint{_were(lacking)} treated as [{treated}]")
    least = rule.to_alarm if state == ALARM else rule.periods - rule.to_alarm + 1
    change = "OK -> ALARM" if state == ALARM else "ALARM -> OK"
    plural = "" if least == 1 else "s"
    reason = f"Threshold Crossed: {' and '.join(parts)}"
    reason += f" (minimum {least} datapoint{plural} for {change} transition)."
    return Finding(state, reason, _reason_data(rule, real, now))


def _reason_data(rule: Rule, real: Sequence[Datapoint], now: float) -> str:
    data: dict[str, object] = {"version": "1.0", "queryDate": timestamp(now)}
    if real:
        data["startDate"] = timestamp(real[0].start)
    data |= {
        "statistic": rule.statistic,
        "period": rule.period,
        "recentDatapoints": [point.value for point in real],
        "threshold": rule.threshold,
    }
    if real:
        data["evaluatedDatapoints"] = [
            {"timestamp": timestamp(p.start), "sampleCount": p.samples, "value": p.value}
            for p in reversed(real)
        ]
    return json.dumps(data, separators=(",", ":"))


def timestamp(seconds: float) -> str:
    """A time as CloudWatch writes it in reasons and events: milliseconds and a zone of digits."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _day_first(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d/%m/%y %H:%M:%S}"


def _were(count: int) -> str:
    return " was" if count == 1 else "s were"
