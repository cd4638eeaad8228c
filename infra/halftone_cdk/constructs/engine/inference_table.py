"""The inference table: where captured requests, shadows' answers and feedback end up as files."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone.domain.insight.capture import FEEDBACK, REQUESTS, Column
from halftone.domain.names import log_group_name
from halftone_cdk.constructs.access.permissions import Permissions
from halftone_cdk.constructs.engine.storage import Storage
from halftone_cdk.constructs.function.engine_function import EngineFunction
from halftone_cdk.settings import Settings

_FIRST_DAY = "2026-01-01"
"""Before which no file can be: Athena projects the days from here to today."""


class InferenceTable(Construct):
    """A bucket with a life time, the function that writes to it, and the tables over it.

    The files are gzipped JSON Lines below ``<table>/endpoint=/dt=/hour=``. Athena finds them by
    partition projection: no crawler, and no call when a partition is new.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: Storage,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Captures",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="captures-end",
                    expiration=Duration.days(settings.capture_retention_days),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN if settings.prod else RemovalPolicy.DESTROY,
        )
        self.function = self._harvest(settings, storage, dead_letters)
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=f"halftone_{settings.name}",
                description=f"What the endpoints of stage {settings.name} were asked and answered",
            ),
        )
        self._table("requests", REQUESTS)
        self._table("feedback", FEEDBACK)

    def _harvest(
        self, settings: Settings, storage: Storage, dead_letters: sqs.IQueue
    ) -> lambda_.IFunction:
        may = Permissions(self, settings.name)
        function = EngineFunction(
            self,
            "Harvest",
            settings=settings,
            name="harvest",
            folder="harvest",
            handler="handler",
            description="Turns lines of model functions' logs into files and metrics",
            timeout=Duration.seconds(60),
            environment={
                "HALFTONE_TABLE": storage.table.table_name,
                "HALFTONE_CAPTURES": self.bucket.bucket_name,
            },
            permissions=[
                may.write_captures(self.bucket.bucket_arn),
                may.note_keys(storage.table.table_arn),
                may.publish_evidence(),
            ],
            dead_letters=dead_letters,
        ).function
        # Endpoints subscribe from stacks of their own: their logs are let in by their names.
        function.add_permission(
            "Logs",
            principal=iam.ServicePrincipal("logs.amazonaws.com"),
            source_arn=Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"{log_group_name(settings.name, '*')}:*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            source_account=Aws.ACCOUNT_ID,
        )
        return function

    def _table(self, name: str, columns: Sequence[Column]) -> None:
        location = f"s3://{self.bucket.bucket_name}/{name}/"
        partitions = "endpoint=${endpoint}/dt=${dt}/hour=${hour}/"
        table = glue.CfnTable(
            self,
            name.capitalize(),
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                parameters={
                    "EXTERNAL": "TRUE",
                    "classification": "json",
                    "compressionType": "gzip",
                    "projection.enabled": "true",
                    # A query names its endpoint: the catalogue has no list of them.
                    "projection.endpoint.type": "injected",
                    "projection.dt.type": "date",
                    "projection.dt.format": "yyyy-MM-dd",
                    "projection.dt.range": f"{_FIRST_DAY},NOW+1DAYS",
                    "projection.hour.type": "integer",
                    "projection.hour.range": "0,23",
                    "projection.hour.digits": "2",
                    "storage.location.template": f"{location}{partitions}",
                },
                partition_keys=[
                    glue.CfnTable.ColumnProperty(name=key, type=kind, comment=comment)
                    for key, kind, comment in PARTITIONS
                ],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=location,
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    compressed=True,
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe"
                    ),
                    columns=[
                        glue.CfnTable.ColumnProperty(
                            name=column.name, type=column.kind, comment=column.comment
                        )
                        for column in columns
                    ],
                ),
            ),
        )
        table.add_resource_dependency(self.database)


PARTITIONS = (
    ("endpoint", "string", "Name of the endpoint"),
    ("dt", "string", "Day (UTC), such as 2026-01-31"),
    ("hour", "int", "Hour (UTC), 0 to 23"),
)
"""What the folders of the files say."""
