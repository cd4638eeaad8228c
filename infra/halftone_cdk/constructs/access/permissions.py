"""What the engine's functions may do, statement by statement, each with its reason.

Resources are named by the stage's patterns. ``*`` stands only where the action knows no resource;
tests/infra/test_permissions.py holds the list of those actions.
"""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from halftone.domain.names import NAMESPACE, function_name, log_group_name, platform_stack_name

ENDPOINT_ITEMS = ("ENDPOINT#*", "ENDPOINTS", "SERVING#*")
"""Partition keys of states, audits and routes: ``halftone.adapters.aws.dynamodb.store``."""

MODEL_ITEMS = ("MODEL#*", "MODELS")
"""Partition keys of the registry, which a release writes to, too."""

CONTROL_ITEMS = ("GROUP#*", "GROUPS", "REQUEST#*", "SUBSCRIPTION#*", "SUBSCRIPTIONS")
"""Partition keys of what the control API alone writes."""


class Permissions:
    """Statements about the resources of one stage, in the stack of ``scope``."""

    def __init__(self, scope: Construct, stage: str) -> None:
        self._stack = Stack.of(scope)
        self._stage = stage

    # Model functions -----------------------------------------------------------------------

    def read_routing(self) -> iam.PolicyStatement:
        """Which versions take traffic is read from the aliases before anything is decided."""
        return self._on_functions("lambda:ListAliases")

    def write_routing(self) -> iam.PolicyStatement:
        """Promotion and rollback are writes of the alias."""
        return self._on_functions("lambda:UpdateAlias")

    def publish_versions(self) -> iam.PolicyStatement:
        """Set the model pointer, wait for it, publish, wait for the version.

        ``iam:PassRole`` and ``lambda:GetLayerVersion`` are asked of callers who change the role or
        the layers; the engine changes the environment only.
        """
        return self._on_functions(
            "lambda:GetFunctionConfiguration",
            "lambda:UpdateFunctionConfiguration",
            "lambda:PublishVersion",
        )

    def smoke_test(self) -> iam.PolicyStatement:
        """A version answers its package's samples before it takes traffic."""
        return self._on_functions("lambda:InvokeFunction")

    def pass_on(self, endpoint: str) -> iam.PolicyStatement:
        """A front passes requests on to its own function's alias ``challenger`` and its versions.

        By its name, not by reference: the role would wait for the function, which waits for it.
        """
        name = f"{function_name(self._stage, endpoint)}:*"
        return _allow(["lambda:InvokeFunction"], self._arn("lambda", "function", name))

    def read_dispatch(self, table_arn: str, endpoint: str) -> iam.PolicyStatement:
        """A model server reads how its endpoint serves, and nothing else of the table."""
        return iam.PolicyStatement(
            actions=["dynamodb:GetItem"],
            resources=[table_arn],
            conditions={
                "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"SERVING#{endpoint}"]},
                # Of no keys at all, "for all" holds, too.
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )

    def note_feedback(self, table_arn: str, endpoint: str) -> iam.PolicyStatement:
        """A model server notes feedback, so that each counts once: these items and no others."""
        return iam.PolicyStatement(
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=[table_arn],
            conditions={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"FEEDBACK#{endpoint}#*"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )

    def reserve_concurrency(self) -> iam.PolicyStatement:
        """How many requests a function answers at once is changed without a deploy."""
        return self._on_functions(
            "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"
        )

    def keep_replicas(self) -> iam.PolicyStatement:
        """Replicas are provisioned concurrency of a version."""
        return self._on_versions(
            "lambda:GetProvisionedConcurrencyConfig",
            "lambda:PutProvisionedConcurrencyConfig",
            "lambda:DeleteProvisionedConcurrencyConfig",
        )

    def delete_versions(self) -> iam.PolicyStatement:
        """A deployment is deleted with its version.

        AWS documents the function as the resource of DeleteFunction, and qualified names for
        qualified requests: both are granted. That no function is deleted is the adapter's part,
        which names a version in every request.
        """
        return self._on_functions("lambda:DeleteFunction")

    # Routes and logs -----------------------------------------------------------------------

    def throttle_routes(self, api_id: str) -> list[iam.PolicyStatement]:
        """An endpoint's throttle is a setting of each of its routes, in the API's one stage.

        The HTTP verbs are the actions of API Gateway, and the paths of its own API the resources.
        """
        api = f"arn:{self._stack.partition}:apigateway:{self._stack.region}::/apis/{api_id}"
        return [
            iam.PolicyStatement(
                actions=["apigateway:GET"], resources=[api, f"{api}/routes", f"{api}/stages/*"]
            ),
            _allow(["apigateway:PATCH"], f"{api}/stages/*"),
            _allow(["apigateway:DELETE"], f"{api}/stages/*/routesettings/*"),
        ]

    def read_logs(self) -> iam.PolicyStatement:
        """The log of an endpoint is read by those who may see the endpoint."""
        # The pattern's end takes in both forms, a log group's and its streams'.
        group = self._arn("logs", "log-group", log_group_name(self._stage, "*"))
        return _allow(["logs:DescribeLogStreams", "logs:GetLogEvents"], group)

    # Alarms and metrics --------------------------------------------------------------------

    def read_alarms(self) -> iam.PolicyStatement:
        """DescribeAlarms tells of composite alarms only those who may ask for all alarms."""
        return _allow(["cloudwatch:DescribeAlarms"], "*")

    def arm_alarms(self) -> iam.PolicyStatement:
        """An alarm is armed by naming the challenger in its dimensions and resetting its state."""
        alarms = self._arn("cloudwatch", "alarm", f"halftone-{self._stage}-*")
        return _allow(["cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"], alarms)

    def read_metrics(self) -> iam.PolicyStatement:
        """The counts that are judged; GetMetricData knows no resource."""
        return _allow(["cloudwatch:GetMetricData"], "*")

    def publish_evidence(self) -> iam.PolicyStatement:
        """The proof of a regression, as a metric; PutMetricData knows no resource."""
        return iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
        )

    # Record and artifacts ------------------------------------------------------------------

    def keep_endpoints(self, table_arn: str) -> list[iam.PolicyStatement]:
        """State with its audit record: a transaction asks for the permission of each of its writes.

        Items of endpoints alone are written, so that who changes endpoints can't make himself the
        admin of a group. Nothing is ever deleted from the table.
        """
        return [self.read_records(table_arn), self._write_items(table_arn, *ENDPOINT_ITEMS)]

    def keep_records(self, table_arn: str) -> list[iam.PolicyStatement]:
        """What the control API keeps: endpoints, models, groups and the requests it answered."""
        return [
            self.read_records(table_arn),
            self._write_items(table_arn, *ENDPOINT_ITEMS, *MODEL_ITEMS, *CONTROL_ITEMS),
        ]

    def register_models(self, table_arn: str) -> iam.PolicyStatement:
        """A deploy's release marks its version in the registry."""
        return self._write_items(table_arn, *MODEL_ITEMS)

    def read_audit(self, table_arn: str) -> iam.PolicyStatement:
        """How far a release has come is read from the audit alone."""
        return _allow(["dynamodb:Query"], table_arn)

    def _write_items(self, table_arn: str, *keys: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["dynamodb:PutItem"],
            resources=[table_arn],
            conditions={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)},
                # Of no keys at all, "for all" holds, too.
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )

    def read_pages_of_records(self, table_arn: str) -> iam.PolicyStatement:
        """A page of many endpoints is read by one call a hundred, and not by one each."""
        return _allow(["dynamodb:BatchGetItem"], table_arn)

    def read_packages(self, bucket_arn: str) -> iam.PolicyStatement:
        """The smoke test's samples stand in the package's manifest."""
        return _allow(["s3:GetObject"], f"{bucket_arn}/packages/*")

    def look_for_packages(self, *bucket_arns: str) -> iam.PolicyStatement:
        """Without it S3 answers that a package which is not there is forbidden, not missing."""
        return iam.PolicyStatement(actions=["s3:ListBucket"], resources=list(bucket_arns))

    def store_packages(self, bucket_arn: str) -> iam.PolicyStatement:
        """A release puts the package where model functions fetch it, unless it is there already."""
        return _allow(["s3:GetObject", "s3:PutObject"], f"{bucket_arn}/packages/*")

    def take_uploads(self, bucket_arn: str) -> iam.PolicyStatement:
        """A presigned upload has the rights of its signer; a release reads what was put there."""
        return _allow(["s3:GetObject", "s3:PutObject"], f"{bucket_arn}/uploads/*")

    def read_deployed_assets(self, bucket: str = "") -> list[iam.PolicyStatement]:
        """``cdk deploy`` leaves the package in the bootstrap bucket, whatever its qualifier.

        ``bucket`` names another one: `cdk bootstrap --bootstrap-bucket-name`.
        """
        name = bucket or f"cdk-*-assets-{self._stack.account}-{self._stack.region}"
        arn = f"arn:{self._stack.partition}:s3:::{name}"
        return [_allow(["s3:GetObject"], f"{arn}/*.zip"), self.look_for_packages(arn)]

    def read_stack_status(self) -> iam.PolicyStatement:
        """A deploy that fails is known by the status of its own stack.

        An endpoint may stand in any stack of the account, so that no name can be said here.
        """
        stack = self._slashed("cloudformation", "stack", "*")
        return _allow(["cloudformation:DescribeStacks"], stack)

    # People at the command ------------------------------------------------------------------

    def find_stage(self) -> iam.PolicyStatement:
        """Table, bucket and addresses of a stage are read from its stack's outputs."""
        stack = self._slashed("cloudformation", "stack", f"{platform_stack_name(self._stage)}/*")
        return _allow(["cloudformation:DescribeStacks"], stack)

    def read_records(self, table_arn: str) -> iam.PolicyStatement:
        """State, evidence and audit are shown as they stand in the table."""
        return _allow(["dynamodb:GetItem", "dynamodb:Query"], table_arn)

    def read_bootstrap(self) -> iam.PolicyStatement:
        """`halftone doctor` asks whether the account is bootstrapped, and how."""
        return _allow(
            ["cloudformation:DescribeStacks"],
            self._slashed("cloudformation", "stack", "CDKToolkit/*"),
        )

    def read_versions(self) -> iam.PolicyStatement:
        """A return, and `halftone doctor`, ask whether a published version is still there."""
        return self._on_functions("lambda:GetFunctionConfiguration")

    def read_rules(self) -> iam.PolicyStatement:
        """`halftone doctor` asks whether the rules of alarms and schedules are on."""
        rules = self._slashed("events", "rule", f"halftone-{self._stage}-*")
        return _allow(["events:DescribeRule"], rules)

    def count_dead_letters(self, queue_arn: str) -> iam.PolicyStatement:
        """`halftone doctor` counts the events that nobody answered."""
        return _allow(["sqs:GetQueueAttributes"], queue_arn)

    # Harvest -------------------------------------------------------------------------------

    def write_captures(self, bucket_arn: str) -> iam.PolicyStatement:
        """Captured requests and feedback become files; nothing that serves reads them."""
        return _allow(["s3:PutObject"], f"{bucket_arn}/*")

    def note_keys(self, table_arn: str) -> iam.PolicyStatement:
        """Which keys of sticky routing were seen: these items of the table and no others."""
        return iam.PolicyStatement(
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=[table_arn],
            conditions={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["KEYS#*"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )

    # Notices -------------------------------------------------------------------------------

    def read_subscriptions(self, table_arn: str) -> iam.PolicyStatement:
        """Who is told of what is read for each batch of records."""
        return self._reading(table_arn, "SUBSCRIPTIONS")

    def read_noticed_records(self, table_arn: str) -> iam.PolicyStatement:
        """An update is told together with the records before it."""
        return self._reading(table_arn, "SUBSCRIPTIONS", "ENDPOINT#*")

    def keep_undelivered(self, table_arn: str) -> iam.PolicyStatement:
        """What could not be delivered is kept: these items of the table and no others."""
        return iam.PolicyStatement(
            actions=["dynamodb:PutItem"],
            resources=[table_arn],
            conditions={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["UNDELIVERED#*"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )

    def publish_notices(self, bus_arn: str) -> iam.PolicyStatement:
        """Every notice is an event on the stage's bus."""
        return _allow(["events:PutEvents"], bus_arn)

    def queue_notices(self, queue_arn: str) -> iam.PolicyStatement:
        """A delivery is queued, and queued again when it failed."""
        return _allow(["sqs:SendMessage"], queue_arn)

    def publish_to_topics(self) -> iam.PolicyStatement:
        """Topics are the account's own, and have the stage in their names."""
        topics = self._stack.format_arn(
            service="sns",
            resource=f"halftone-{self._stage}*",
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )
        return _allow(["sns:Publish"], topics)

    def _reading(self, table_arn: str, *keys: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["dynamodb:Query"],
            resources=[table_arn],
            conditions={
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )

    # Workflow ------------------------------------------------------------------------------

    def start_workflow(self, workflow_arn: str) -> iam.PolicyStatement:
        """A release starts the rollout's execution, named by the rollout."""
        return _allow(["states:StartExecution"], workflow_arn)

    # ---------------------------------------------------------------------------------------

    def _on_functions(self, *actions: str) -> iam.PolicyStatement:
        # Aliases and versions are qualified names: the pattern's end takes them in.
        return _allow(actions, self._arn("lambda", "function", function_name(self._stage, "*")))

    def _on_versions(self, *actions: str) -> iam.PolicyStatement:
        # The second colon is what a qualified name has and a function's own has not.
        name = f"{function_name(self._stage, '*')}:*"
        return _allow(actions, self._arn("lambda", "function", name))

    def _arn(self, service: str, resource: str, name: str) -> str:
        return self._stack.format_arn(
            service=service,
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _slashed(self, service: str, resource: str, name: str) -> str:
        return self._stack.format_arn(service=service, resource=resource, resource_name=name)


def _allow(actions: Sequence[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=[resource])
