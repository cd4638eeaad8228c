"""Alarms on one metric, over aligned periods, M out of N, with missing data, in the background.

AWS: an alarm watches exactly one metric (namespace, name and all dimensions), is evaluated every 10
seconds for periods below a minute and else every minute, and changes state by the rules of
"Alarm evaluation", https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
(see ``alarm_rules``). Updating an alarm leaves its state alone ("PutMetricAlarm",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html), and a
state set by SetAlarmState lasts until the next evaluation that finds another one ("SetAlarmState",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html).

ministack evaluates at each write, over all dimensions of a metric at once. Here a thread evaluates
all alarms once a second; it and the operations that write alarms take turns.
"""

import logging
import threading
import time
from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from halftone_local import metric_store
from halftone_local.alarm_rules import Datapoint, Finding, Rule, evaluate, period_starts
from halftone_local.metric_statistics import statistic
from halftone_local.seams import need, wrap

INTERVAL_SECONDS = 1.0
Alarm = MutableMapping[str, Any]

_turn = threading.RLock()
_log = logging.getLogger(__name__)
_WRITERS = (
    "_put_metric_alarm",
    "_put_composite_alarm",
    "_set_alarm_state",
    "_delete_alarms",
    "cloudformation_put_metric_alarm",
    "cloudformation_delete_metric_alarm",
)
_STATE = ("StateReasonData", "StateTransitionedTimestamp")


def apply() -> None:
    wrap(cloudwatch, "_evaluate_alarm", lambda _original: lambda _alarm: None)
    wrap(cloudwatch, "_evaluate_all_alarms", lambda _original: lambda: None)
    for name in _WRITERS:
        wrap(cloudwatch, name, _in_turn)
    wrap(cloudwatch, "_put_metric_alarm", _keeping_state)
    wrap(cloudwatch, "cloudformation_put_metric_alarm", _keeping_state)
    wrap(cloudwatch, "_set_alarm_state", _without_old_reason)
    threading.Thread(target=_evaluate_for_ever, daemon=True, name="alarms").start()


def _in_turn(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def write(*args: Any, **kwargs: Any) -> Any:
        with _turn:
            return original(*args, **kwargs)

    return write


def _keeping_state(original: Callable[..., Any]) -> Callable[..., Any]:
    """ministack carries the state over but drops what belongs to it."""

    @wraps(original)
    def put(*args: Any, **kwargs: Any) -> Any:
        with _turn:
            alarms = need(cloudwatch, "_alarms")
            before = dict(alarms.items())
            answer = original(*args, **kwargs)
            for name, alarm in alarms.items():
                old = before.get(name, alarm)
                alarm.update({key: old[key] for key in _STATE if key in old and key not in alarm})
            return answer

    return put


def _without_old_reason(original: Callable[..., Any]) -> Callable[..., Any]:
    """The reason data of the state before does not explain the state that is set by hand."""

    @wraps(original)
    def set_state(params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        with _turn:
            alarm = need(cloudwatch, "_alarms").get(data.get("AlarmName"))
            if alarm is not None:
                alarm.pop("StateReasonData", None)
            return original(params, data, is_cbor, is_json)

    return set_state


def _evaluate_for_ever() -> None:
    while True:
        time.sleep(INTERVAL_SECONDS)
        for account, region, name in need(cloudwatch, "_alarms").to_dict():
            try:
                with _turn, request_scope(account, region):
                    _evaluate(name, time.time())
            except Exception:  # noqa: BLE001 - one broken alarm must not stop the others
                _log.exception("alarm %s can't be evaluated", name)


def _evaluate(name: str, now: float) -> None:
    alarm = need(cloudwatch, "_alarms").get(name)
    if alarm is None:
        return
    rule = rule_of(alarm)
    finding = evaluate(rule, _datapoints(alarm, rule, now), now)
    if finding is not None and finding.state != alarm["StateValue"]:
        _change(alarm, finding, now)


def rule_of(alarm: Alarm) -> Rule:
    """The deciding part of an alarm as ministack keeps it."""
    return Rule(
        statistic=alarm.get("ExtendedStatistic") or alarm["Statistic"],
        period=alarm["Period"],
        periods=alarm["EvaluationPeriods"],
        to_alarm=alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
        threshold=alarm["Threshold"],
        comparison=alarm["ComparisonOperator"],
        missing=alarm.get("TreatMissingData") or "missing",
    )


def _datapoints(alarm: Alarm, rule: Rule, now: float) -> dict[int, Datapoint]:
    starts = period_starts(rule, now)
    samples = metric_store.read(
        alarm["Namespace"],
        alarm["MetricName"],
        alarm.get("Dimensions") or [],
        start=starts[0],
        end=starts[-1] + rule.period,
        unit=alarm.get("Unit"),
    )
    datapoints = {}
    for start in starts:
        within = [s for s in samples if start <= s.time < start + rule.period]
        value = statistic(rule.statistic, within)
        if value is not None:
            datapoints[start] = Datapoint(start, value, sum(s.count for s in within))
    return datapoints


def _change(alarm: Alarm, finding: Finding, now: float) -> None:
    before = alarm["StateValue"]
    alarm["StateValue"] = finding.state
    alarm["StateReason"] = finding.reason
    alarm["StateReasonData"] = finding.reason_data
    alarm["StateUpdatedTimestamp"] = now
    alarm["StateTransitionedTimestamp"] = now
    record = need(cloudwatch, "_record_history")
    record(alarm["AlarmName"], before, finding.state, finding.reason)
    need(cloudwatch, "_dispatch_alarm_actions")(alarm, before, finding.state, finding.reason)
    need(cloudwatch, "_evaluate_parent_alarms")(alarm)
