"""The alarms that end an endpoint's rollout.

The template gives them thresholds; the engine arms them by putting the challenger's version where
the template has ``none``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from halftone.domain.names import (
    ALIAS,
    NAMESPACE,
    function_name,
    guardrail_name,
    metric_alarm_name,
)
from halftone.domain.spec import EndpointSpec
from halftone.domain.spec import Guardrail as Condition

UNARMED = "none"
"""The version that a new alarm watches: there is no such version, so there is no data."""

_OWN_PERIOD = 10  # seconds: the model function's metrics have high resolution
_PLATFORM_PERIOD = 60  # seconds: what AWS/Lambda offers


@dataclass(frozen=True)
class _Watched:
    """A metric that is 1 for a request with the event, and 0 for one without."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    period: int


class Guardrail(Construct):
    """Three conditions, each of a rate *and* a count, and the composite alarm over them.

    With few requests a rate alone is a coin toss, and with many a count alone is always reached.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: str, spec: EndpointSpec
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage, self._endpoint = stage, spec.name
        function = function_name(stage, spec.name)
        own = {"Endpoint": spec.name, "Version": UNARMED}
        platform = {
            "FunctionName": function,
            "Resource": f"{function}:{ALIAS}",
            "ExecutedVersion": UNARMED,
        }
        rules = [
            self._rule("errors", spec.errors, _Watched(NAMESPACE, "Errors", own, _OWN_PERIOD)),
            self._rule("late", spec.late, _Watched(NAMESPACE, "Late", own, _OWN_PERIOD)),
            # Crashes and time-outs: a function that died emitted nothing of its own.
            self._rule(
                "crashes",
                spec.crashes,
                _Watched("AWS/Lambda", "Errors", platform, _PLATFORM_PERIOD),
            ),
        ]
        composite = cloudwatch.CfnCompositeAlarm(
            self,
            "Composite",
            alarm_name=guardrail_name(stage, spec.name),
            alarm_description=f"Ends the rollout of {spec.name}",
            alarm_rule=" OR ".join(rules),
        )
        for alarm in self._alarms:
            composite.add_resource_dependency(alarm)

    @property
    def _alarms(self) -> list[cloudwatch.CfnAlarm]:
        return [child for child in self.node.children if isinstance(child, cloudwatch.CfnAlarm)]

    def _rule(self, kind: str, condition: Condition, watched: _Watched) -> str:
        rate = self._alarm(f"{kind}-rate", condition, watched)
        rate.statistic, rate.comparison_operator = "Average", "GreaterThanThreshold"
        rate.threshold = condition.rate / 100
        count = self._alarm(f"{kind}-count", condition, watched)
        count.statistic, count.comparison_operator = "Sum", "GreaterThanOrEqualToThreshold"
        count.threshold = condition.count
        return f'(ALARM("{rate.alarm_name}") AND ALARM("{count.alarm_name}"))'

    def _alarm(self, kind: str, condition: Condition, watched: _Watched) -> cloudwatch.CfnAlarm:
        return cloudwatch.CfnAlarm(
            self,
            kind,
            alarm_name=metric_alarm_name(self._stage, self._endpoint, kind),
            namespace=watched.namespace,
            metric_name=watched.metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                for name, value in watched.dimensions.items()
            ],
            period=watched.period,
            evaluation_periods=condition.periods,
            datapoints_to_alarm=condition.breaches,
            # Silence is no breach here, and no evidence for a promotion elsewhere.
            treat_missing_data="notBreaching",
            comparison_operator="GreaterThanThreshold",
        )
