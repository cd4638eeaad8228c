"""AWS by moto, and an AWS whose every answer the test gives."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

REGION = "eu-central-1"


@pytest.fixture
def aws() -> Any:
    """Clients of an empty account, by service."""
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


@pytest.fixture
def stubbed() -> Any:
    """A client and its stubber, by service; every answer that was put in must be asked for."""
    stubbers: list[Stubber] = []

    def client(service: str) -> tuple[Any, Stubber]:
        result = boto3.client(
            service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )
        stubber = Stubber(result)
        stubber.activate()
        stubbers.append(stubber)
        return result, stubber

    yield client
    for stubber in stubbers:
        stubber.assert_no_pending_responses()


@pytest.fixture
def failing(stubbed: Callable[[str], tuple[Any, Stubber]]) -> Any:
    """A client on which everything that is sent raises ``error``, by service."""

    def client(service: str, error: Exception) -> Any:
        result = boto3.client(
            service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )

        def refuse(**_: Any) -> None:
            raise error

        result.meta.events.register("before-call", refuse)
        return result

    return client
