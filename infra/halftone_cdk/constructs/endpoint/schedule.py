"""The endpoint's reconciler: a tick every minute, whether or not a workflow runs."""

import json

from aws_cdk import aws_events as events
from constructs import Construct

from halftone.domain.names import tick_rule_name
from halftone_cdk.constructs.endpoint.platform import Platform


class Schedule(Construct):
    """Brings record and alias into agreement where no workflow is left to do it.

    The platform lets in every rule of this name; its function and its queue need not know each.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, platform: Platform, endpoint: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.rule = events.CfnRule(
            self,
            "Rule",
            name=tick_rule_name(platform.settings.name, endpoint),
            description=f"Reconciles the endpoint {endpoint}",
            schedule_expression="rate(1 minute)",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Rollout",
                    arn=platform.rollout.function_arn,
                    input=json.dumps({"endpoint": endpoint, "rollout": None}),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=platform.dead_letters.queue_arn
                    ),
                    # The next minute brings another tick: an old one is worth nothing.
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=60, maximum_retry_attempts=2
                    ),
                )
            ],
        )
