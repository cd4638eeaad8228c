"""What DynamoDB does that a store in memory does not: pages, throttling, answers that get lost."""

import json
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber

from halftone.adapters.aws.clients import PATIENT, URGENT
from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.domain.audit import verify
from halftone.domain.errors import ConcurrentWrite, Unavailable
from tests.contract.store.changes import create_table, next_change, no_evidence

REGION = "eu-central-1"
ONCE_MORE = PATIENT.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))


def cancelled(*codes):
    """The arguments of DynamoDB's refusal of a transaction, with one reason for each write."""
    return {
        "service_error_code": "TransactionCanceledException",
        "service_message": f"Transaction cancelled [{', '.join(codes)}]",
        "modeled_fields": {"CancellationReasons": [{"Code": code} for code in codes]},
    }


@pytest.fixture
def stubbed(dynamodb):
    """A store and what AWS answers it; fails if an answer was not asked for."""
    client = boto3.client("dynamodb", region_name=REGION)
    with Stubber(client) as stubber:
        yield DynamoStore(client, "record"), stubber
        stubber.assert_no_pending_responses()


def write_state(store):
    store.commit(next_change(None))


def write_evidence(store):
    store.keep_evidence("fraud", no_evidence(), (), previous=None)


@pytest.mark.parametrize("write", [write_state, write_evidence])
@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("ConditionalCheckFailed", "None"), ConcurrentWrite),
        (("None", "ConditionalCheckFailed"), ConcurrentWrite),
        (("TransactionConflict", "None"), ConcurrentWrite),
        (("ThrottlingError", "None"), Unavailable),
        (("ThrottlingError", "ConditionalCheckFailed"), Unavailable),
        (("None", "ProvisionedThroughputExceeded"), Unavailable),
        (("ItemCollectionSizeLimitExceeded", "None"), Unavailable),
        (("ValidationError", "None"), Unavailable),
    ],
)
def test_a_lost_race_is_told_from_everything_else(stubbed, write, codes, expected):
    store, stubber = stubbed
    stubber.add_client_error("transact_write_items", **cancelled(*codes))
    with pytest.raises(expected) as caught:
        write(store)
    assert isinstance(caught.value.__cause__, ClientError)
    assert "'fraud'" in str(caught.value)


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "InternalServerError", "TransactionInProgressException"]
)
def test_a_service_at_fault_is_unavailable(stubbed, code):
    store, stubber = stubbed
    stubber.add_client_error("transact_write_items", code)
    with pytest.raises(Unavailable, match=code):
        write_state(store)
    stubber.add_client_error("get_item", code)
    with pytest.raises(Unavailable, match=code):
        store.load("fraud")
    stubber.add_client_error("query", code)
    with pytest.raises(Unavailable, match=code):
        list(store.audit("fraud"))


@contextmanager
def losing_answers(client):
    """DynamoDB does what it is told, and every answer to it is lost; yields the requests."""
    sent = []

    def lose(request, **_):
        sent.append(request)
        raise ReadTimeoutError(endpoint_url=request.url)

    # Handlers of one event run in turn: moto's has done the work when this one drops the answer.
    client.meta.events.register_last("before-send", lose)
    yield sent
    client.meta.events.unregister("before-send", lose)


def test_a_write_whose_answer_is_lost_is_found_by_the_next_read(dynamodb):
    client = boto3.client("dynamodb", region_name=REGION, config=URGENT)
    store = DynamoStore(client, create_table(client))
    change = next_change(None)
    with losing_answers(client) as sent, pytest.raises(Unavailable, match="did not answer"):
        store.commit(change)
    assert len(sent) == 1
    assert store.load("fraud") == change.after
    assert list(store.audit("fraud")) == [change.record]
    with pytest.raises(ConcurrentWrite):
        store.commit(change)


def test_a_write_that_is_sent_again_asks_to_be_taken_once(dynamodb):
    client = boto3.client("dynamodb", region_name=REGION, config=ONCE_MORE)
    store = DynamoStore(client, create_table(client))
    tokens = []

    def drop(request, **_):
        tokens.append(json.loads(request.body)["ClientRequestToken"])
        raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", drop)
    with pytest.raises(Unavailable):
        store.commit(next_change(None))
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def pages_read(client):
    """A list that grows with every page of a query that ``client`` gets."""
    pages = []
    client.meta.events.register("after-call.dynamodb.Query", lambda **_: pages.append("page"))
    return pages


def test_an_audit_of_more_than_a_page_is_read_whole(dynamodb):
    client = boto3.client("dynamodb", region_name=REGION)
    store = DynamoStore(client, create_table(client))
    pages = pages_read(client)
    state = None
    for _ in range(12):
        change = next_change(state, reason="r" * 200_000)
        store.commit(change)
        state = change.after
    assert verify("fraud", store.audit("fraud"), state.audit) == 12
    assert len(pages) == 3  # a page ends at 1 MB
    assert [record.seq for record in store.audit("fraud", after=4)] == list(range(5, 13))


def test_records_are_fetched_as_far_as_they_are_taken(dynamodb):
    client = boto3.client("dynamodb", region_name=REGION)
    store = DynamoStore(client, create_table(client))
    pages = pages_read(client)
    state = None
    for _ in range(7):
        change = next_change(state, reason="r" * 200_000)
        store.commit(change)
        state = change.after
    assert next(iter(store.audit("fraud"))).seq == 1
    assert len(pages) == 1
