"""The alarms that end an endpoint's rollout.

The template gives them thresholds; the engine arms them by putting the challenger's version where
the template has ``none``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.endpoint.spec import Guardrail as Condition
from halftone.domain.names import (
    ALIAS,
    NAMESPACE,
    PROOF,
    function_name,
    guardrail_name,
    metric_alarm_name,
)

UNARMED = "none"
"""The version that a new alarm watches: there is no such version, so there is no data."""

_OWN_PERIOD = 10  # seconds: the model function's metrics have high resolution
_PLATFORM_PERIOD = 60  # seconds: what AWS/Lambda offers


@dataclass(frozen=True)
class _Watched:
    """What an alarm looks at. ``period`` in seconds."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    period: int


class Guardrail(Construct):
    """Conditions of a rate *and* a count, the proof of a regression, and the composite over them.

    With few requests a rate alone is a coin toss, and with many a count alone is always reached.
    The proof comes from the engine's comparison; its alarm acts where no tick comes to do so.
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
            self._proof(_Watched(NAMESPACE, PROOF, own, _OWN_PERIOD)),
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
        # The metric is 1 for a request with the event and 0 for one without: its average is a rate.
        many = {"breaches": condition.breaches, "periods": condition.periods}
        rate = self._alarm(f"{kind}-rate", watched, **many)
        rate.statistic, rate.comparison_operator = "Average", "GreaterThanThreshold"
        rate.threshold = condition.rate / 100
        count = self._alarm(f"{kind}-count", watched, **many)
        count.statistic, count.threshold = "Sum", condition.count
        return f'(ALARM("{rate.alarm_name}") AND ALARM("{count.alarm_name}"))'

    def _proof(self, watched: _Watched) -> str:
        alarm = self._alarm("proof", watched)
        # In units of what proves it; the engine publishes it at every look.
        alarm.statistic, alarm.threshold = "Maximum", 1
        return f'ALARM("{alarm.alarm_name}")'

    def _alarm(
        self, kind: str, watched: _Watched, *, breaches: int = 1, periods: int = 1
    ) -> cloudwatch.CfnAlarm:
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
            evaluation_periods=periods,
            datapoints_to_alarm=breaches,
            # Silence is no breach here, and no evidence for a promotion elsewhere.
            treat_missing_data="notBreaching",
            comparison_operator="GreaterThanOrEqualToThreshold",
        )
