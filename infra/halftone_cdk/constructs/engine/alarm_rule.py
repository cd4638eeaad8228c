"""From a guardrail in alarm to the rollback function."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone.domain.names import alarm_rule_name, guardrail_prefix


class AlarmRule(Construct):
    """Hands every guardrail of a stage that goes into alarm to ``on_alarm``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: str,
        on_alarm: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        target = targets.LambdaFunction(
            on_alarm,
            dead_letter_queue=dead_letters,
            # A rollback an hour late would meet another world; by then the reconciler has acted.
            max_event_age=Duration.hours(1),
            retry_attempts=185,
        )
        events.Rule(
            self,
            "Rule",
            rule_name=alarm_rule_name(stage),
            description=f"Guardrails of the stage {stage} that went into alarm",
            event_pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                detail={
                    "alarmName": [{"prefix": guardrail_prefix(stage)}],
                    "state": {"value": ["ALARM"]},
                },
            ),
            targets=[target],
        )
