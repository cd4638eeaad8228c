"""What all endpoints of a stage share."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone.domain.names import platform_stack_name
from halftone_cdk.constructs.access.command import CommandPolicies
from halftone_cdk.constructs.access.roles import Roles
from halftone_cdk.constructs.engine.alarm_rule import AlarmRule
from halftone_cdk.constructs.engine.engine import Engine
from halftone_cdk.constructs.engine.inference_table import InferenceTable
from halftone_cdk.constructs.engine.notices import Notices
from halftone_cdk.constructs.engine.releaser import Releaser
from halftone_cdk.constructs.engine.storage import Storage
from halftone_cdk.constructs.http.control_routes import ControlRoutes
from halftone_cdk.constructs.http.http_api import HttpApi
from halftone_cdk.constructs.http.server_routes import ServerRoutes
from halftone_cdk.settings import Settings


class PlatformStack(Stack):
    """Table, artifact bucket, engine, workflow, alarm rule and HTTP API of one stage.

    The stack's name follows from the stage, whatever ``construct_id`` is: the command and the
    control API find the stage by it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=platform_stack_name(settings.name),
            description=f"Halftone, stage {settings.name}: what all endpoints share",
            termination_protection=settings.prod,
        )
        self.settings = settings
        storage = Storage(self, "Storage", settings=settings)
        self.dead_letters = self._dead_letters()
        self.api = HttpApi(self, "HttpApi", settings=settings).api
        engine = Engine(
            self,
            "Engine",
            settings=settings,
            storage=storage,
            api_id=self.api.api_id,
            dead_letters=self.dead_letters,
        )
        AlarmRule(
            self,
            "Alarms",
            stage=settings.name,
            on_alarm=engine.on_alarm,
            dead_letters=self.dead_letters,
        )
        releaser = Releaser(
            self,
            "Releaser",
            settings=settings,
            on_event=engine.on_release,
            is_complete=engine.is_released,
        )
        self._let_schedules_tick(engine)
        captured = InferenceTable(
            self,
            "InferenceTable",
            settings=settings,
            storage=storage,
            dead_letters=self.dead_letters,
        )
        Notices(
            self,
            "Notices",
            settings=settings,
            storage=storage,
            dead_letters=self.dead_letters,
        )
        self.harvest = captured.function
        self.artifacts = storage.artifacts
        self.table = storage.table
        self.rollout = engine.rollout
        self.release_token = releaser.service_token
        ServerRoutes(self, "Server", settings=settings, http_api=self.api)
        control = ControlRoutes(self, "Control", http_api=self.api, function=engine.control)
        Roles(self, "Roles", stage=settings.name, http_api=self.api)
        CommandPolicies(
            self,
            "People",
            stage=settings.name,
            table=storage.table,
            artifacts=storage.artifacts,
            dead_letters=self.dead_letters,
        )
        CfnOutput(self, "ControlUrl", value=control.url, description="The control API (SigV4)")
        CfnOutput(self, "Url", value=self.api.api_endpoint, description="Where endpoints answer")
        CfnOutput(self, "Table", value=storage.table.table_name)
        CfnOutput(self, "ArtifactBucket", value=storage.artifacts.bucket_name)
        CfnOutput(self, "CaptureBucket", value=captured.bucket.bucket_name)
        CfnOutput(self, "Workflow", value=engine.workflow.state_machine_arn)
        CfnOutput(self, "RolloutFunction", value=engine.rollout.function_name)
        CfnOutput(self, "Runtime", value=settings.runtime.value)
        CfnOutput(self, "Architecture", value=settings.architecture.value)
        CfnOutput(self, "DeadLetterQueue", value=self.dead_letters.queue_url)

    def _dead_letters(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _let_schedules_tick(self, engine: Engine) -> None:
        """Endpoints bring schedules in stacks of their own: they are let in by their names."""
        rules = self.format_arn(
            service="events", resource="rule", resource_name=f"halftone-{self.settings.name}-*"
        )
        engine.rollout.add_permission(
            "Schedules",
            principal=iam.ServicePrincipal("events.amazonaws.com"),
            source_arn=rules,
        )
        self.dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                resources=[self.dead_letters.queue_arn],
                conditions={"ArnLike": {"aws:SourceArn": rules}},
            )
        )
