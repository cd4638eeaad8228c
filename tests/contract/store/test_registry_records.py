"""The registry in memory and on DynamoDB keep the same promises, whatever they are asked."""

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from halftone.adapters.aws.clients import PATIENT
from halftone.adapters.aws.dynamodb.registry import DynamoRegistry
from halftone.domain.audit import append, verify
from halftone.domain.errors import ConcurrentWrite, Unavailable
from halftone.domain.model.manifest import PackageRef
from halftone.domain.model.registry import Details, Model, ModelVersion, chain_of
from halftone.ports.registry import ModelChange
from halftone.testing import MemoryRegistry
from tests.contract.store.changes import create_table
from tests.support.rollouts import START

DETAILS = Details(
    "ü \U0001f600",
    tags={"validation_status": "PASSED", "a.b/c": ""},
    parameters={"depth": 7, "rate": 0.1, "bag": True, "loss": "log"},
    metrics={"auc": 0.9134500000000001, "n": 5.0},
    metadata={"rows": [1, 2.5, None, {"deep": "yes"}]},
)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def registry(request):
    if request.param == "in memory":
        return MemoryRegistry()
    dynamodb = request.getfixturevalue("dynamodb")
    return DynamoRegistry(dynamodb, create_table(dynamodb))


def version(number, name="churn", **changes):
    model_version = ModelVersion(
        number, PackageRef(name, f"{number:064x}"), "onnx", START, "ann", DETAILS
    )
    return replace(model_version, **changes)


def change(before, after=None, *, new=None, name="churn", **model):
    """What a use case that has read ``before`` would write: ``new`` is the version it touches."""
    read = before or Model(name)
    record = append(
        read.audit, endpoint=chain_of(name), at=START, actor="ann", action="registered",
        before={}, after={"of": [0.1, "ü"]}, reason="", numbers={},
    )  # fmt: skip
    newest = max(read.newest, new.number if new else 0)
    written = replace(read, revision=read.revision + 1, newest=newest, audit=record.head, **model)
    return ModelChange(before, written, record, new)


def grown(registry, count, name="churn"):
    """A model with so many versions, as it was written last."""
    model = None
    for number in range(1, count + 1):
        written = change(model, new=version(number, name), name=name)
        registry.commit_model(written)
        model = written.after
    return model


def test_what_was_never_registered_is_not_there(registry):
    assert registry.model("churn") is None
    assert registry.version("churn", 1) is None
    assert registry.number_of("churn", "0" * 64) is None
    assert list(registry.models(most=5)) == []
    assert list(registry.versions("churn", most=5)) == []
    assert list(registry.model_audit("churn")) == []


def test_a_version_is_read_back_as_it_was_written(registry):
    model = grown(registry, 1)
    assert registry.model("churn") == model
    assert registry.version("churn", 1) == version(1)
    assert registry.number_of("churn", version(1).package.digest) == 1
    assert registry.number_of("spam", version(1).package.digest) is None


def test_a_changed_version_keeps_its_number_and_its_place(registry):
    model = grown(registry, 2)
    changed = version(1, details=Details("other"))
    registry.commit_model(change(model, new=changed))
    assert registry.version("churn", 1) == changed
    assert [v.number for v in registry.versions("churn", most=9)] == [2, 1]
    assert registry.model("churn").newest == 2


def test_aliases_and_releases_are_read_back(registry):
    model = grown(registry, 1)
    pointed = change(model, aliases={"champion": 1}, released={"fraud": "fraud-r1"})
    registry.commit_model(pointed)
    assert registry.model("churn") == pointed.after


@pytest.mark.parametrize("twice", ["the same number", "another number"])
def test_of_two_that_register_at_once_one_is_stale(registry, twice):
    model = grown(registry, 1)
    registry.commit_model(change(model, new=version(2)))
    late = version(2, package=PackageRef("churn", "f" * 64)) if twice == "the same number" else None
    with pytest.raises(ConcurrentWrite, match="'churn'"):
        registry.commit_model(change(model, new=late or version(3)))
    assert registry.version("churn", 2) == version(2)
    assert registry.version("churn", 3) is None
    assert registry.number_of("churn", "f" * 64) is None
    assert len(list(registry.model_audit("churn"))) == 2


def test_a_package_gets_no_second_number(registry):
    model = grown(registry, 1)
    again = version(2, package=version(1).package)
    with pytest.raises(ConcurrentWrite):
        registry.commit_model(change(model, new=again))
    assert registry.number_of("churn", version(1).package.digest) == 1
    assert registry.model("churn") == model


def test_a_new_model_is_made_once(registry):
    grown(registry, 1)
    with pytest.raises(ConcurrentWrite):
        registry.commit_model(change(None, new=version(1)))


def test_versions_come_newest_first_a_page_at_a_time(registry):
    grown(registry, 12)
    assert [v.number for v in registry.versions("churn", most=5)] == [12, 11, 10, 9, 8]
    assert [v.number for v in registry.versions("churn", before=8, most=5)] == [7, 6, 5, 4, 3]
    assert [v.number for v in registry.versions("churn", before=3, most=5)] == [2, 1]
    assert list(registry.versions("churn", before=1, most=5)) == []


def test_models_come_by_name_a_page_at_a_time(registry):
    for name in ("spam", "churn-eu", "churn", "a"):
        grown(registry, 1, name)
    assert [m.name for m in registry.models(most=2)] == ["a", "churn"]
    assert [m.name for m in registry.models(after="churn", most=2)] == ["churn-eu", "spam"]
    assert list(registry.models(after="spam", most=2)) == []


def test_the_chain_of_a_model_verifies_when_it_was_read_back(registry):
    model = grown(registry, 3)
    grown(registry, 2, "churn-eu")
    assert verify("model:churn", registry.model_audit("churn"), model.audit) == 3
    assert [r.seq for r in registry.model_audit("churn", after=1)] == [2, 3]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("ConditionalCheckFailed", "None"), ConcurrentWrite),
        (("None", "TransactionConflict"), ConcurrentWrite),
        (("ThrottlingError", "None"), Unavailable),
        (("ThrottlingError", "ConditionalCheckFailed"), Unavailable),
    ],
)
def test_a_lost_race_is_told_from_throttling(codes, expected):
    client = boto3.client("dynamodb", region_name="eu-central-1")
    with Stubber(client) as stubber:
        stubber.add_client_error(
            "transact_write_items",
            service_error_code="TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
        )
        with pytest.raises(expected, match="'churn'"):
            DynamoRegistry(client, "t").commit_model(change(None, new=version(1)))


def test_a_throttled_or_unanswered_read_is_unavailable():
    client = boto3.client("dynamodb", region_name="eu-central-1", config=PATIENT)
    with Stubber(client) as stubber:
        stubber.add_client_error("get_item", "ProvisionedThroughputExceededException")
        with pytest.raises(Unavailable, match="ProvisionedThroughput"):
            DynamoRegistry(client, "t").model("churn")
        stubber.add_client_error("query", "InternalServerError")
        with pytest.raises(Unavailable, match="InternalServerError"):
            DynamoRegistry(client, "t").versions("churn", most=5)


def test_a_registration_whose_answer_is_lost_is_found_again(dynamodb):
    client = boto3.client("dynamodb", region_name="eu-central-1", config=PATIENT)
    registry = DynamoRegistry(client, create_table(client))

    def lose(request, **_):
        raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register_last("before-send", lose)
    with pytest.raises(Unavailable, match="did not answer"):
        registry.commit_model(change(None, new=version(1)))
    client.meta.events.unregister("before-send", lose)
    assert registry.number_of("churn", version(1).package.digest) == 1


@pytest.mark.parametrize("after", ["~~", "\u00fc"])
def test_nothing_comes_after_what_sorts_behind_every_name(dynamodb, after):
    """DynamoDB refuses a range that ends before it begins; moto answers it."""
    client = boto3.client("dynamodb", region_name="eu-central-1")
    with Stubber(client):  # fails if it is asked anything
        assert DynamoRegistry(client, "record").models(after=after, most=5) == ()
