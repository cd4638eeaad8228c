"""The engine's functions, with what each may do and who may call it."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone_cdk.constructs.access.permissions import Permissions
from halftone_cdk.constructs.engine.storage import Storage
from halftone_cdk.constructs.engine.workflow import RolloutWorkflow
from halftone_cdk.constructs.function.engine_function import EngineFunction
from halftone_cdk.settings import Settings


class Engine(Construct):
    """Rollout, rollback and release functions around the workflow of one stage."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: Storage,
        api_id: str,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._may = Permissions(self, settings.name)
        self._table_arn = storage.table.table_arn
        self._bucket_arn = storage.artifacts.bucket_arn
        self._api_id = api_id
        self._environment = {
            "HALFTONE_TABLE": storage.table.table_name,
            "HALFTONE_ARTIFACTS": storage.artifacts.bucket_name,
        }
        self.rollout = self._rollout(dead_letters)
        self.on_alarm = self._rollback(
            "RollbackOnAlarm",
            "on_alarm",
            "Ends a rollout whose guardrail is in alarm",
            dead_letters,
        )
        self.on_workflow_failure = self._rollback(
            "RollbackOnFailure", "on_workflow_failure", "Ends a rollout whose workflow failed", None
        )
        self.workflow = RolloutWorkflow(
            self,
            "Workflow",
            settings=settings,
            tick=self.rollout,
            roll_back=self.on_workflow_failure,
        ).machine
        self.control = self._control()
        self.on_release = self._release(
            "Release", "on_event", "Starts the release of a deploy", self._release_permissions()
        )
        self.is_released = self._release(
            "Released",
            "is_complete",
            "Waits for a deploy's release",
            [self._may.read_audit(self._table_arn)],
        )

    def _rollout(self, dead_letters: sqs.IQueue) -> lambda_.IFunction:
        return EngineFunction(
            self,
            "Rollout",
            settings=self._settings,
            name="rollout",
            folder="rollout",
            handler="handler",
            description="Advances a rollout by what can be done now",
            timeout=Duration.seconds(60),
            environment=self._environment,
            permissions=[
                self._may.read_routing(),
                self._may.write_routing(),
                self._may.publish_versions(),
                self._may.smoke_test(),
                self._may.read_alarms(),
                self._may.arm_alarms(),
                self._may.read_metrics(),
                self._may.publish_evidence(),
                *self._may.keep_endpoints(self._table_arn),
                self._may.read_packages(self._bucket_arn),
                self._may.look_for_packages(self._bucket_arn),
            ],
            dead_letters=dead_letters,
        ).function

    def _rollback(
        self, construct_id: str, handler: str, description: str, dead_letters: sqs.IQueue | None
    ) -> lambda_.IFunction:
        return EngineFunction(
            self,
            construct_id,
            settings=self._settings,
            name=f"rollback_{handler}",
            folder="rollback",
            handler=handler,
            description=description,
            timeout=Duration.seconds(30),
            environment=self._environment,
            permissions=[
                *self._rollback_permissions(),
                *self._may.keep_endpoints(self._table_arn),
            ],
            dead_letters=dead_letters,
        ).function

    def _rollback_permissions(self) -> list[iam.PolicyStatement]:
        return [
            self._may.read_routing(),
            self._may.write_routing(),
            # Whether a version that is to serve again is still there.
            self._may.read_versions(),
        ]

    def _release(
        self,
        construct_id: str,
        handler: str,
        description: str,
        permissions: list[iam.PolicyStatement],
    ) -> lambda_.IFunction:
        return EngineFunction(
            self,
            construct_id,
            settings=self._settings,
            name=f"release_{handler}",
            folder="release",
            handler=handler,
            description=description,
            timeout=Duration.seconds(60),
            # Only who starts the workflow is told of it: the workflow calls the other functions,
            # and CloudFormation could not create two that name each other.
            environment={
                **self._environment,
                "HALFTONE_WORKFLOW": self.workflow.state_machine_arn,
                "HALFTONE_API": self._api_id,
            },
            permissions=permissions,
        ).function

    def _release_permissions(self) -> list[iam.PolicyStatement]:
        return [
            # A release that supersedes, and the deletion of an endpoint, roll back first.
            *self._rollback_permissions(),
            *self._may.keep_endpoints(self._table_arn),
            self._may.register_models(self._table_arn),
            # What endpoint.yaml gives to a deployment that never was champion, and the champion
            # that serves again after a failed deploy, are watched.
            self._may.read_alarms(),
            self._may.arm_alarms(),
            # Whether a deploy goes on, or CloudFormation returns to the one before.
            self._may.read_stack_status(),
            *self._may.read_deployed_assets(self._settings.bootstrap_bucket),
            # What endpoint.yaml says of concurrency and throttle.
            self._may.reserve_concurrency(),
            *self._may.throttle_routes(self._api_id),
            self._may.store_packages(self._bucket_arn),
            self._may.look_for_packages(self._bucket_arn),
            self._may.start_workflow(self.workflow.state_machine_arn),
        ]

    def _control(self) -> lambda_.IFunction:
        return EngineFunction(
            self,
            "Control",
            settings=self._settings,
            name="control",
            folder="control",
            handler="handler",
            description="The control API",
            # An HTTP API gives up after 30 seconds; importing is what takes the processor's time.
            timeout=Duration.seconds(29),
            memory=1024,
            vendor="control",
            # Most of a cold start is importing.
            snaps=True,
            environment={
                **self._environment,
                "HALFTONE_WORKFLOW": self.workflow.state_machine_arn,
                "HALFTONE_API": self._api_id,
                "HALFTONE_SELF_APPROVAL": str(self._settings.self_approval).lower(),
                "HALFTONE_WEBHOOK_HOSTS": " ".join(self._settings.webhook_hosts),
                # pydantic looks for plugins in all packages that there are, when it is imported.
                "PYDANTIC_DISABLE_PLUGINS": "true",
            },
            permissions=[
                *self._rollback_permissions(),
                *self._may.keep_records(self._table_arn),
                # A return to an earlier version arms the alarms for it.
                self._may.read_alarms(),
                self._may.arm_alarms(),
                self._may.read_pages_of_records(self._table_arn),
                # The traffic that a plan is previewed at.
                self._may.read_metrics(),
                self._may.take_uploads(self._bucket_arn),
                self._may.look_for_packages(self._bucket_arn),
                self._may.reserve_concurrency(),
                self._may.keep_replicas(),
                self._may.delete_versions(),
                *self._may.throttle_routes(self._api_id),
                self._may.read_logs(),
                self._may.store_packages(self._bucket_arn),
                self._may.start_workflow(self.workflow.state_machine_arn),
            ],
        ).callable
