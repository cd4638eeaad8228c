"""What the store writes with each state is what a model server reads of it."""

from dataclasses import replace

import pytest

from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.domain.endpoint.route_table import RouteConfig, route_config_of
from halftone.domain.endpoint.state import Placed
from halftone.domain.errors import Unavailable
from halftone.domain.traffic.policy import Access, Mode, TrafficPolicy
from halftone.serving.routing.config_cache import Table
from tests.contract.store.changes import create_table, next_change


@pytest.fixture
def name(dynamodb):
    return create_table(dynamodb)


@pytest.fixture
def table(name, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return Table("fraud", name)


def test_a_server_reads_the_dispatch_of_the_newest_state(table, dynamodb, name):
    change = next_change(None)
    serving = TrafficPolicy(mode=Mode.GUARDED, access=Access.PRIVATE)
    placed = (Placed("1", "green", stopped="slow"),)
    change = replace(change, after=replace(change.after, serving=serving, placed=placed))
    DynamoStore(dynamodb, name).commit(change)
    assert table.read() == route_config_of(change.after)
    table.disconnect()
    assert table.read() == route_config_of(change.after)


def test_an_endpoint_that_was_never_written_has_no_champion(table):
    assert table.read() == RouteConfig("fraud", 0)


def test_what_is_no_dispatch_is_unavailable(table, dynamodb, name):
    item = {"pk": {"S": "SERVING#fraud"}, "sk": {"S": "DISPATCH"}, "body": {"S": "{}"}}
    dynamodb.put_item(TableName=name, Item=item)
    with pytest.raises(Unavailable, match="fraud"):
        table.read()


def test_a_table_that_is_not_there_is_unavailable(table):
    with pytest.raises(Unavailable, match="ResourceNotFound"):
        Table("fraud", "nowhere").read()
