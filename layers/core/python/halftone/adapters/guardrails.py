"""An endpoint's alarms on CloudWatch: read together, armed together.

The template owns thresholds, periods and rules. Arming takes each metric alarm as it stands there,
replaces the one dimension that names a version, resets the state and reads it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from halftone.adapters.aws import translated
from halftone.domain.errors import NotFound, Unavailable
from halftone.domain.names import GUARDRAIL_ALARMS, guardrail_name, metric_alarm_name
from halftone.service.ports import AlarmState, Guard

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
        """See the port. One call: DescribeAlarms."""
        found = self._describe(endpoint)
        composite = found["CompositeAlarms"][0]
        red = [a for a in found["MetricAlarms"] if a["StateValue"] == AlarmState.ALARM]
        # By their kinds: the names repeat stage and endpoint, which the reader knows.
        reasons = [f"{a['AlarmName'].rsplit('--')[-1]}: {a.get('StateReason', '')}" for a in red]
        watched = {_version(alarm) for alarm in found["MetricAlarms"]}
        return Guard(
            state=AlarmState(composite["StateValue"]),
            reason="; ".join(reasons) or composite.get("StateReason", ""),
            armed_for=watched.pop() if len(watched) == 1 else None,
        )

    def arm(self, endpoint: str, version: str, why: str) -> None:
        """See the port. Two calls an alarm, and two to read before and after."""
        for alarm in self._describe(endpoint)["MetricAlarms"]:
            name = alarm["AlarmName"]
            with translated(f"arming {name!r} for version {version}"):
                self._cloudwatch.put_metric_alarm(**_watching(alarm, version))
                # Updating an alarm keeps its state, and it acts on changes of state only: one that
                # stayed red from the last challenger would never fire for this one.
                self._cloudwatch.set_alarm_state(
                    AlarmName=name,
                    StateValue=AlarmState.OK.value,
                    StateReason=f"armed for version {version}: {why}",
                )
        armed = self.read(endpoint).armed_for
        if armed != version:
            raise Unavailable(
                f"the alarms of {endpoint!r} watch version {armed or 'none in common'} "
                f"after being armed for {version}"
            )

    def _describe(self, endpoint: str) -> DescribeAlarmsOutputTypeDef:
        metric = [metric_alarm_name(self._stage, endpoint, kind) for kind in GUARDRAIL_ALARMS]
        composite = guardrail_name(self._stage, endpoint)
        with translated(f"reading the alarms of {endpoint!r}"):
            found = self._cloudwatch.describe_alarms(
                AlarmNames=[*metric, composite], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        here = {a["AlarmName"] for a in found["MetricAlarms"]}
        here |= {a["AlarmName"] for a in found["CompositeAlarms"]}
        missing = sorted({*metric, composite} - here)
        if missing:
            raise NotFound("alarm", missing[0], f"deploy the stack of {endpoint!r} again")
        return found


def _version(alarm: MetricAlarmTypeDef) -> str | None:
    for dimension in alarm.get("Dimensions", []):
        if dimension["Name"] in VERSION_DIMENSIONS:
            return dimension["Value"]
    return None


def _watching(alarm: MetricAlarmTypeDef, version: str) -> Mapping[str, Any]:
    definition: dict[str, Any] = {
        name: value for name, value in alarm.items() if name in _DEFINITION
    }
    definition["Dimensions"] = [
        {**d, "Value": version} if d["Name"] in VERSION_DIMENSIONS else d
        for d in alarm.get("Dimensions", [])
    ]
    return definition
