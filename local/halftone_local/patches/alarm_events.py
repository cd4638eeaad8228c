"""A change of an alarm's state becomes an event, and invokes the functions among its actions.

AWS: CloudWatch sends each change of state of metric and composite alarms to the account's default
event bus, whether actions are enabled or not. "Alarm events and EventBridge",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
A function, version or alias among the actions is invoked asynchronously. "Invoke a Lambda function
from an alarm",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
SNS topics are notified by ministack itself.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, lambda_svc

from halftone_local.access.invocations import may_invoke
from halftone_local.alarm_rules import timestamp
from halftone_local.seams import need, wrap

Alarm = Mapping[str, Any]
Json = dict[str, Any]
_ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}

_last_state: dict[str, Json] = {}
"""The state that the last event of an alarm told of, by ARN: the next event's previous state."""


def apply() -> None:
    need(eventbridge, "_put_events")
    need(lambda_svc, "invoke_async_with_retry")
    wrap(cloudwatch, "_dispatch_alarm_actions", _telling)


def _telling(original: Callable[..., None]) -> Callable[..., None]:
    def dispatch(alarm: Alarm, old_state: str, new_state: str, reason: str) -> None:
        now = time.time()
        previous = _previous(alarm, old_state)
        state = _state(alarm, now)
        _last_state[alarm["AlarmArn"]] = state
        configuration = _configuration(alarm)
        _put_event(alarm, state, previous, configuration)
        if alarm.get("ActionsEnabled", True):
            data = {
                "alarmName": alarm["AlarmName"],
                "state": state,
                "previousState": previous,
                "configuration": configuration,
            }
            for action in alarm.get(_ACTIONS[new_state]) or []:
                if action.startswith("arn:aws:lambda:"):
                    _invoke(action, alarm, data, now)
        original(alarm, old_state, new_state, reason)

    return dispatch


def _previous(alarm: Alarm, old_state: str) -> Json:
    last = _last_state.get(alarm["AlarmArn"], {})
    if last.get("value") == old_state:
        return last
    return {"value": old_state, "reason": "Unchecked: Initial alarm creation"}


def _state(alarm: Alarm, now: float) -> Json:
    state = {
        "value": alarm["StateValue"],
        "reason": alarm["StateReason"],
        "timestamp": timestamp(now),
    }
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    return state


def _configuration(alarm: Alarm) -> Json:
    configuration: Json = {"description": alarm.get("AlarmDescription", "")}
    if "AlarmRule" in alarm:
        return configuration | {"alarmRule": alarm["AlarmRule"]}
    metric_stat: Json = {
        "metric": {
            "namespace": alarm["Namespace"],
            "name": alarm["MetricName"],
            "dimensions": {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or []},
        },
        "period": alarm["Period"],
        "stat": alarm.get("ExtendedStatistic") or alarm["Statistic"],
    }
    if alarm.get("Unit"):
        metric_stat["unit"] = alarm["Unit"]
    # AWS names the metric by an id that is the alarm's own and stays.
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, alarm["AlarmArn"]))
    metric = {"id": identity, "metricStat": metric_stat, "returnData": True}
    return configuration | {"metrics": [metric]}


def _put_event(alarm: Alarm, state: Json, previous: Json, configuration: Json) -> None:
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": state,
        "previousState": previous,
        "configuration": configuration,
    }
    entry = {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [alarm["AlarmArn"]],
        "Detail": json.dumps(detail),
    }
    need(eventbridge, "_put_events")({"Entries": [entry]}, allow_aws_source=True)


def _invoke(function: str, alarm: Alarm, data: Json, now: float) -> None:
    record, config, _name = need(lambda_svc, "_get_func_record_for_ref")(function)
    if record is None or config is None:
        return  # AWS too drops the invocation of a function that does not exist
    if not may_invoke(function, "lambda.alarms.cloudwatch.amazonaws.com", alarm["AlarmArn"]):
        return
    payload = {
        "source": "aws.cloudwatch",
        "alarmArn": alarm["AlarmArn"],
        "accountId": get_account_id(),
        "time": timestamp(now),
        "region": get_region(),
        "alarmData": data,
    }
    execution = need(lambda_svc, "_execution_record_for_config")(record, config)
    need(lambda_svc, "invoke_async_with_retry")(execution, payload)
