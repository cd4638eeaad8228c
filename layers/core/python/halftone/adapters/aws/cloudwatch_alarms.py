"""An endpoint's alarms on CloudWatch: read together, armed together.

The template owns thresholds, periods and rules. Arming takes each metric alarm as it stands there,
replaces the dimensions that name a version and the alias it is called by, resets the state and
reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import NotFound, Unavailable
from halftone.domain.names import (
    ALIAS,
    GUARDRAIL_ALARMS,
    GUARDRAIL_CONDITIONS,
    function_name,
    guardrail_name,
    metric_alarm_name,
)
from halftone.ports.guardrails import AlarmState, Guard

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DescribeAlarmsOutputTypeDef, MetricAlarmTypeDef

VERSION_DIMENSIONS = ("Version", "ExecutedVersion")
"""The dimensions that name a version: in our own metrics, and in Lambda's."""

# What DescribeAlarms says and PutMetricAlarm takes; all the rest is state, or made by CloudWatch.
_DEFINITION = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
)


class CloudWatchGuardrails:
    """Port ``Guardrails`` on CloudWatch: one composite alarm over pairs of metric alarms."""

    def __init__(self, client: CloudWatchClient, stage: str) -> None:
        self._cloudwatch = client
        self._stage = stage

    def read(self, endpoint: str) -> Guard:
        """See the port. One call: DescribeAlarms.

        The state is worked out from the metric alarms: the composite follows them late, and may
        still be red for a version that they were armed for before.
        """
        description = self._describe(endpoint)
        composite = description["CompositeAlarms"][0]
        red = [a for a in description["MetricAlarms"] if a["StateValue"] == AlarmState.ALARM]
        # By their kinds: the names repeat stage and endpoint, which the reader knows.
        reasons = [f"{_kind(alarm)}: {_short(alarm)}" for alarm in red]
        details = [f"{_kind(alarm)}: {alarm.get('StateReason', '')}" for alarm in red]
        alarms = description["MetricAlarms"]
        watched = {_dimension(alarm, *VERSION_DIMENSIONS) for alarm in alarms}
        # Only the platform's metrics tell by which alias a version was called.
        resources = {r for alarm in alarms if (r := _dimension(alarm, "Resource")) is not None}
        agreed = len(watched) == len(resources) == 1
        return Guard(
            state=_state(red, AlarmState(composite["StateValue"])),
            reason="; ".join(reasons) or composite.get("StateReason", "")[:_LONGEST],
            detail="; ".join(details) or composite.get("StateReason", ""),
            armed_for=watched.pop() if agreed else None,
            alias=resources.pop().rpartition(":")[2] if agreed else "",
        )

    def arm(self, endpoint: str, version: str, why: str, *, alias: str = ALIAS) -> None:
        """See the port. Two calls an alarm, and two to read before and after."""
        resource = f"{function_name(self._stage, endpoint)}:{alias}"
        dimensions = dict.fromkeys(VERSION_DIMENSIONS, version) | {"Resource": resource}
        for alarm in self._describe(endpoint)["MetricAlarms"]:
            name = alarm["AlarmName"]
            with translated(f"arming {name!r} for version {version}"):
                self._cloudwatch.put_metric_alarm(**_watching(alarm, dimensions))
                # Updating an alarm keeps its state, and it acts on changes of state only: one that
                # stayed red from the last challenger would never fire for this one.
                self._cloudwatch.set_alarm_state(
                    AlarmName=name,
                    StateValue=AlarmState.OK.value,
                    StateReason=f"armed for version {version}: {why}",
                )
        guard = self.read(endpoint)
        if (guard.armed_for, guard.alias) != (version, alias):
            raise Unavailable(
                f"the alarms of {endpoint!r} watch version {guard.armed_for or 'none in common'} "
                f"through {guard.alias!r} after being armed for {version} through {alias!r}"
            )

    def _describe(self, endpoint: str) -> DescribeAlarmsOutputTypeDef:
        metric = [metric_alarm_name(self._stage, endpoint, kind) for kind in GUARDRAIL_ALARMS]
        composite = guardrail_name(self._stage, endpoint)
        with translated(f"reading the alarms of {endpoint!r}"):
            description = self._cloudwatch.describe_alarms(
                AlarmNames=[*metric, composite], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        here = {a["AlarmName"] for a in description["MetricAlarms"]}
        here |= {a["AlarmName"] for a in description["CompositeAlarms"]}
        missing = sorted({*metric, composite} - here)
        if missing:
            raise NotFound("alarm", missing[0], f"deploy the stack of {endpoint!r} again")
        return description


def _state(red: Sequence[MetricAlarmTypeDef], composite: AlarmState) -> AlarmState:
    """The guardrail's state where the metric alarms ``red`` are in alarm: as its rule says."""
    kinds = {_kind(alarm) for alarm in red}
    if any(condition <= kinds for condition in GUARDRAIL_CONDITIONS):
        return AlarmState.ALARM
    return AlarmState.OK if composite is AlarmState.ALARM else composite


def _kind(alarm: MetricAlarmTypeDef) -> str:
    return alarm["AlarmName"].rsplit("--")[-1]


_LONGEST = 120
_COMPARED = {
    "GreaterThanThreshold": "over",
    "GreaterThanOrEqualToThreshold": "at or over",
    "LessThanThreshold": "under",
    "LessThanOrEqualToThreshold": "at or under",
}


def _short(alarm: MetricAlarmTypeDef) -> str:
    """Why an alarm is red: its last value and the threshold, such as ``0.4 over 0.05``.

    Where CloudWatch gives no data, the beginning of its own sentence.
    """
    compared = _COMPARED.get(alarm.get("ComparisonOperator", ""))
    try:
        points = json.loads(alarm.get("StateReasonData") or "{}")["recentDatapoints"]
        value = float(points[-1])
    except (ValueError, KeyError, TypeError, IndexError):
        return alarm.get("StateReason", "")[:_LONGEST]
    if compared is None or "Threshold" not in alarm:
        return alarm.get("StateReason", "")[:_LONGEST]
    return f"{value:g} {compared} {alarm['Threshold']:g}"


def _dimension(alarm: MetricAlarmTypeDef, *names: str) -> str | None:
    for dimension in alarm.get("Dimensions", []):
        if dimension["Name"] in names:
            return dimension["Value"]
    return None


def _watching(alarm: MetricAlarmTypeDef, dimensions: Mapping[str, str]) -> Mapping[str, Any]:
    definition: dict[str, Any] = {
        name: value for name, value in alarm.items() if name in _DEFINITION
    }
    definition["Dimensions"] = [
        {**d, "Value": dimensions.get(d["Name"], d["Value"])} for d in alarm.get("Dimensions", [])
    ]
    return definition
