"""What Halftone remembers: a table of states with their audit, and a bucket of packages."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from halftone_cdk.settings import Settings


class Storage(Construct):
    """Table and bucket of one stage; where the stage is prod they outlive their stack."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        removal = RemovalPolicy.RETAIN if settings.prod else RemovalPolicy.DESTROY
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # Only what counts keys of sticky routing has it: states and audit stay for good.
            time_to_live_attribute="expires",
            # Notices are made of the records in it: whoever writes one waits for none of that.
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            deletion_protection=settings.prod,
            removal_policy=removal,
        )
        # Not emptied when the stack goes: that would take a function with the right to delete
        # packages, and a package that is gone takes every version that loads it along.
        self.artifacts = s3.Bucket(
            self,
            "Artifacts",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            # Keys are digests, so a newer version of an object has the same content: versioning
            # is there to undo a deletion.
            versioned=settings.prod,
            # A release copies what it was offered; what nobody released is of no use to anybody. In
            # a versioned bucket what expires is still there, and paid for, as an old version.
            lifecycle_rules=[
                s3.LifecycleRule(
                    prefix="uploads/",
                    expiration=Duration.days(1),
                    noncurrent_version_expiration=Duration.days(1) if settings.prod else None,
                )
            ],
            removal_policy=removal,
        )
