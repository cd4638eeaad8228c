"""The provider behind ``Custom::Release``: starts a release and waits for it, up to an hour."""

from datetime import timedelta

from aws_cdk import Duration, custom_resources
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from halftone_cdk.constructs.function.logs import log_group
from halftone_cdk.settings import Settings

LONGEST_WAIT = timedelta(hours=1)
"""CloudFormation gives a custom resource no longer than this."""


class Releaser(Construct):
    """CDK's provider framework around the release functions, with a log group that ends."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        on_event: lambda_.IFunction,
        is_complete: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self._provider = custom_resources.Provider(
            self,
            "Provider",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=Duration.seconds(min(settings.tick.total_seconds(), 30)),
            total_timeout=Duration.seconds(LONGEST_WAIT.total_seconds()),
            log_group=log_group(
                self,
                "Logs",
                f"/aws/lambda/halftone_{settings.name}_release_framework",
                settings.log_retention_days,
            ),
            # Its log would need the right to write to every log group; Step Functions keeps the
            # history of each wait for 90 days by itself.
            disable_waiter_state_machine_logging=True,
        )
        self._name_functions(settings.name)

    def _name_functions(self, stage: str) -> None:
        """Like the engine's: a generated name begins as the names of model functions do, and what
        may change those could change these.
        """
        for child in self._provider.node.find_all():
            if isinstance(child, lambda_.CfnFunction):
                role = str(child.handler).rpartition(".")[2]
                child.function_name = f"halftone_{stage}_release_framework_{role}"

    @property
    def service_token(self) -> str:
        """What a custom resource names as its provider."""
        return self._provider.service_token
