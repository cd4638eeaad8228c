"""What an endpoint needs of the platform of its stage."""

from typing import Protocol

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from halftone_cdk.settings import Settings


class Platform(Protocol):
    """``PlatformStack`` is one; another app may bring its own."""

    @property
    def settings(self) -> Settings: ...

    @property
    def artifacts(self) -> s3.IBucket: ...

    @property
    def table(self) -> dynamodb.ITable: ...

    @property
    def api(self) -> apigateway.IHttpApi: ...

    @property
    def rollout(self) -> lambda_.IFunction: ...

    @property
    def harvest(self) -> lambda_.IFunction: ...

    @property
    def dead_letters(self) -> sqs.IQueue: ...

    @property
    def release_token(self) -> str: ...
