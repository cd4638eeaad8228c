"""The rollout workflow: it looks, waits and looks again. What to do is decided elsewhere."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from halftone_cdk.constructs.function.logs import log_group
from halftone_cdk.settings import Settings

_WHICH = {"endpoint.$": "$.endpoint", "rollout.$": "$.rollout"}


class RolloutWorkflow(Construct):
    """Tick, then wait for as long as the tick says, until it says done; any failure rolls back.

    Input: ``{"endpoint": ..., "rollout": ...}``; the execution is named by the rollout. An
    execution ends at 25,000 events, which is about 2,700 ticks: from then on the endpoint's
    schedule ticks.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        tick: lambda_.IFunction,
        roll_back: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"halftone-{settings.name}-rollout"
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_chainable(self._loop(tick, roll_back)),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # Under this prefix log delivery needs no entry in the account's resource policy.
                destination=log_group(
                    self, "Logs", f"/aws/vendedlogs/states/{name}", settings.log_retention_days
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _loop(self, tick: lambda_.IFunction, roll_back: lambda_.IFunction) -> sfn.IChainable:
        failed = self._roll_back(roll_back)
        look = tasks.LambdaInvoke(
            self,
            "Tick",
            lambda_function=tick,
            payload=sfn.TaskInput.from_object(_WHICH),
            result_selector={"done.$": "$.Payload.done", "wait.$": "$.Payload.wait"},
            result_path="$.tick",
            retry_on_service_exceptions=False,
        )
        # A tick repeats safely; what still fails after two minutes will not mend by itself.
        look.add_retry(
            errors=["States.ALL"],
            interval=Duration.seconds(2),
            backoff_rate=2,
            max_attempts=6,
            max_delay=Duration.seconds(60),
        )
        look.add_catch(failed, errors=["States.ALL"], result_path="$.error")
        wait = sfn.Wait(self, "Wait", time=sfn.WaitTime.seconds_path("$.tick.wait"))
        return look.next(
            sfn.Choice(self, "Over?")
            .when(sfn.Condition.boolean_equals("$.tick.done", True), sfn.Succeed(self, "Done"))
            .otherwise(wait.next(look))
        )

    def _roll_back(self, roll_back: lambda_.IFunction) -> sfn.Chain:
        task = tasks.LambdaInvoke(
            self,
            "RollBack",
            lambda_function=roll_back,
            payload=sfn.TaskInput.from_object({**_WHICH, "error.$": "$.error"}),
            result_path=sfn.JsonPath.DISCARD,
            retry_on_service_exceptions=False,
        )
        # About a quarter of an hour of trying. Beyond that only the schedule is left, every minute.
        task.add_retry(
            errors=["States.ALL"],
            interval=Duration.seconds(1),
            backoff_rate=2,
            max_attempts=20,
            max_delay=Duration.seconds(60),
        )
        end = sfn.Fail(self, "RolledBack", error="TickFailed", cause="the rollout was rolled back")
        return task.next(end)
