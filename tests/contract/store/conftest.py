"""A table like the platform stack's, on moto; and both parts that keep the record."""

import boto3
import pytest
from moto import mock_aws

from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.testing import MemoryStore
from tests.contract.store.changes import create_table


@pytest.fixture(scope="module")
def dynamodb():
    with mock_aws():
        yield boto3.client("dynamodb", region_name="eu-central-1")


@pytest.fixture
def dynamo_store(dynamodb):
    return DynamoStore(dynamodb, create_table(dynamodb))


@pytest.fixture(params=["in memory", "on DynamoDB"])
def store(request):
    if request.param == "in memory":
        return MemoryStore()
    return request.getfixturevalue("dynamo_store")
