"""Who was first to judge a request: the same on a table and in memory, for all sandboxes."""

import time

import pytest

from halftone.domain.errors import Unavailable
from halftone.domain.rollout.signing import VALID
from halftone.serving.routing.ledger import MemoryLedger, TableLedger
from tests.contract.store.changes import create_table


@pytest.fixture
def name(dynamodb):
    return create_table(dynamodb)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture(params=["in memory", "on DynamoDB"])
def ledgers(request):
    """Those of two sandboxes; in memory there is one."""
    if request.param == "in memory":
        return [MemoryLedger()] * 2
    name = request.getfixturevalue("name")
    return [TableLedger("fraud", name), TableLedger("fraud", name)]


def test_the_first_request_that_says_it_is_the_only_one(ledgers):
    one, other = ledgers
    assert one.first("r-1", "a")
    assert not other.first("r-1", "b")
    assert not one.first("r-1", "b")
    assert other.first("r-2", "b")


def test_a_call_that_is_made_again_is_answered_as_before(ledgers):
    one, other = ledgers
    assert one.first("r-1", "a")
    assert other.first("r-1", "a")


def test_what_was_scored_unseen_is_kept_for_the_truth(ledgers):
    one, other = ledgers
    assert other.shadow("r-1") is None
    one.note_shadow("r-1", "00ff00ff")
    assert other.shadow("r-1") == "00ff00ff"
    assert one.first("r-1", "a"), "that nobody has judged it yet is another matter"


def test_items_are_the_endpoints_own_and_expire_with_its_ids(dynamodb, name):
    ledger = TableLedger("fraud", name)
    ledger.first("r-1", "a")
    ledger.note_shadow("r-1", "00ff00ff")
    items = dynamodb.scan(TableName=name)["Items"]
    assert {item["pk"]["S"] for item in items} == {"FEEDBACK#fraud#r-1"}
    assert {item["sk"]["S"] for item in items} == {"FIRST", "SHADOW"}
    for item in items:
        assert int(item["expires"]["N"]) - time.time() > VALID.total_seconds()
    assert TableLedger("fraud-eu", name).first("r-1", "b")


def test_a_table_that_is_not_there_is_unavailable():
    for call in (lambda one: one.first("r-1", "a"), lambda one: one.shadow("r-1")):
        with pytest.raises(Unavailable, match="ResourceNotFound"):
            call(TableLedger("fraud", "nowhere"))
