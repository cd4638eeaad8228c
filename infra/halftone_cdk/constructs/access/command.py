"""What the command ``halftone`` reads and writes by itself, past the control API.

A role (``roles``) lets its people reach the API; these two policies go beside it.
"""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone_cdk.constructs.access.permissions import Permissions


class CommandPolicies(Construct):
    """The managed policies ``halftone-<stage>-command``, and ``-direct`` for broken glass."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: str,
        table: dynamodb.ITable,
        artifacts: s3.IBucket,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        may = Permissions(self, stage)
        iam.ManagedPolicy(
            self,
            "Command",
            managed_policy_name=f"halftone-{stage}-command",
            description=f"What `halftone` reads by itself in the Halftone stage {stage}",
            statements=[
                may.find_stage(),
                may.read_bootstrap(),
                may.read_records(table.table_arn),
                may.read_packages(artifacts.bucket_arn),
                may.look_for_packages(artifacts.bucket_arn),
                may.read_routing(),
                may.read_versions(),
                may.read_alarms(),
                may.read_metrics(),
                may.read_rules(),
                may.count_dead_letters(dead_letters.queue_arn),
            ],
        )
        iam.ManagedPolicy(
            self,
            "Direct",
            managed_policy_name=f"halftone-{stage}-direct",
            description=f"`halftone rollback --direct` in the Halftone stage {stage}",
            statements=[
                may.find_stage(),
                *may.keep_endpoints(table.table_arn),
                may.read_routing(),
                may.write_routing(),
                # `halftone invoke --direct`.
                may.smoke_test(),
                may.read_versions(),
                may.read_alarms(),
                may.arm_alarms(),
            ],
        )
