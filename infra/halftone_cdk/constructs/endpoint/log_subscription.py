"""The lines of a model function's log that the harvest is to see."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

PATTERN = '{ $.halftone = "*" }'
"""JSON objects with our mark; metric lines and what a model prints have none."""


class LogSubscription(Construct):
    """Hands the marked lines of ``group`` to ``subscriber``, which lets in this stage's groups."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: logs.ILogGroup,
        subscriber: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self.filter = logs.CfnSubscriptionFilter(
            self,
            "Filter",
            log_group_name=group.log_group_name,
            destination_arn=subscriber.function_arn,
            filter_pattern=PATTERN,
        )
