"""Claims and groups in memory and on DynamoDB keep the same promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.stub import Stubber

from halftone.adapters.aws.dynamodb.control import DynamoGroups, DynamoIdempotencyStore
from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.domain.access import Group, Role
from halftone.domain.audit import AuditHead, append, verify
from halftone.domain.errors import ConcurrentWrite, Unavailable
from halftone.ports.control import Claimed, IdempotencyRecord
from halftone.ports.state import Change
from halftone.service.unit_of_work import made_now
from halftone.testing import InMemoryStage
from tests.contract.store.changes import create_table
from tests.support.rollouts import START

LEASE = timedelta(seconds=45)
WHO = "arn:aws:iam::111111111111:role/ann"


@pytest.fixture(params=["in memory", "on DynamoDB"])
def ports(request):
    """Store, claims and groups on one table."""
    world = InMemoryStage().ports()
    if request.param == "in memory":
        return world
    dynamodb = request.getfixturevalue("dynamodb")
    table = create_table(dynamodb)
    return replace(
        world,
        store=DynamoStore(dynamodb, table),
        claims=DynamoIdempotencyStore(dynamodb, table),
        groups=DynamoGroups(dynamodb, table),
    )


@pytest.fixture
def claims(ports):
    return ports.claims


def claim(holder="h1", *, at=START, fingerprint="f", answer=None):
    return IdempotencyRecord("r1", fingerprint, holder, at + LEASE, answer)


# Claims ------------------------------------------------------------------------------------


def test_the_first_takes_it_and_the_second_sees_who_has_it(claims):
    assert claims.claim(claim(), START) == Claimed(mine=True, before=None)
    assert claims.claim(claim("h2"), START) == Claimed(mine=False, before=claim())


def test_requests_do_not_meet(claims):
    claims.claim(claim(), START)
    assert claims.claim(replace(claim(), id="r2"), START).mine


@pytest.mark.parametrize("early", [timedelta(microseconds=1), LEASE])
def test_it_is_kept_until_its_time_is_up(claims, early):
    claims.claim(claim(), START)
    assert not claims.claim(claim("h2"), START + LEASE - early).mine


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
def test_after_that_the_next_takes_it_and_is_told(claims, late):
    claims.claim(claim(), START)
    taken = claim("h2", at=START + LEASE + late)
    assert claims.claim(taken, START + LEASE + late) == Claimed(mine=True, before=claim())


def test_not_with_another_fingerprint(claims):
    claims.claim(claim(), START)
    other = claim("h2", fingerprint="g")
    assert claims.claim(other, START + 2 * LEASE) == Claimed(mine=False, before=claim())


def test_an_answer_is_for_good(claims):
    claims.claim(claim(), START)
    answered = claim(answer='{"ü": "\U0001f600"}')
    claims.settle(answered)
    later = START + timedelta(days=4000)
    assert claims.claim(claim("h2", at=later), later) == Claimed(mine=False, before=answered)


def test_without_an_answer_the_next_has_it_at_once(claims):
    claims.claim(claim(), START)
    claims.settle(claim())
    taken = claims.claim(claim("h2"), START)
    assert taken.mine
    assert taken.before is not None
    assert taken.before.holder == "h1"


@pytest.mark.parametrize("answer", [None, "late"])
def test_who_was_overtaken_settles_nothing(claims, answer):
    claims.claim(claim(), START)
    claims.claim(claim("h2", at=START + LEASE), START + LEASE)
    with pytest.raises(ConcurrentWrite):
        claims.settle(claim(answer=answer))
    claims.settle(claim("h2", at=START + LEASE, answer="mine"))
    assert claims.claim(claim("h3"), START + 9 * LEASE).before.answer == "mine"


def test_of_many_at_once_one_has_it(claims):
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(claims.claim, claim(f"h{n}"), START) for n in range(16)]
    assert sum(result.result().mine for result in tries) == 1


def test_what_was_seen_first_stays(claims):
    assert claims.first_seen("r1", "3 a") == "3 a"
    assert claims.first_seen("r1", "4 ") == "3 a"
    assert claims.first_seen("r2", " ü") == " ü"
    assert claims.claim(claim(), START).mine


def test_a_change_and_its_mark_are_one_write(ports):
    """A change that fails leaves none: its request would be taken for carried out."""
    fresh = made_now(ports, "fraud", actor=WHO)
    record = append(
        AuditHead(), endpoint="fraud", at=START, actor=WHO, action="made",
        before={}, after={}, reason="", numbers={},
    )  # fmt: skip
    written = replace(fresh, revision=1, audit=record.head)
    assert not ports.claims.has_changed("r1")
    ports.store.commit(Change(None, written, record, None, "r1"))
    assert ports.claims.has_changed("r1")
    with pytest.raises(ConcurrentWrite):
        ports.store.commit(Change(None, written, record, None, "r2"))
    assert not ports.claims.has_changed("r2")


def test_a_state_keeps_whose_it_is(ports):
    fresh = made_now(ports, "fraud", actor=WHO, owner="clinic")
    record = append(
        AuditHead(), endpoint="fraud", at=START, actor=WHO, action="made",
        before={}, after={}, reason="", numbers={},
    )  # fmt: skip
    ports.store.commit(Change(None, replace(fresh, revision=1, audit=record.head), record))
    assert ports.store.load("fraud").about == fresh.about


def test_a_table_that_is_out_is_unavailable(dynamodb):
    claims = DynamoIdempotencyStore(dynamodb, "halftone")
    calls = [
        ("put_item", lambda: claims.claim(claim(), START)),
        ("put_item", lambda: claims.settle(claim())),
        ("get_item", lambda: claims.has_changed("r1")),
        ("put_item", lambda: claims.first_seen("r1", "3 ")),
    ]
    for method, call in calls:
        with Stubber(dynamodb) as stub:
            stub.add_client_error(method, "ProvisionedThroughputExceededException")
            with pytest.raises(Unavailable):
                call()


def test_a_condition_that_tells_nothing_is_followed_by_a_read(dynamodb):
    """An older DynamoDB client or a proxy leaves the item out of the error."""
    claims = DynamoIdempotencyStore(dynamodb, create_table(dynamodb))
    claims.claim(claim(), START)
    with Stubber(dynamodb) as stub:
        stub.add_client_error("put_item", "ConditionalCheckFailedException")
        stub.add_response("get_item", {"Item": _stored(claim())})
        assert claims.claim(claim("h2"), START).before == claim()
    claims.first_seen("r1", "3 ")
    with Stubber(dynamodb) as stub:
        stub.add_client_error("put_item", "ConditionalCheckFailedException")
        stub.add_response("get_item", {"Item": {"seen": {"S": "3 "}}})
        assert claims.first_seen("r1", "4 ") == "3 "


def _stored(given):
    return {
        "pk": {"S": f"REQUEST#{given.id}"},
        "sk": {"S": "CLAIM"},
        "fingerprint": {"S": given.fingerprint},
        "holder": {"S": given.holder},
        "until": {"S": given.until.isoformat()},
    }


# Groups ------------------------------------------------------------------------------------


def written(before, name="clinic", **changes):
    read = before or Group(name)
    record = append(
        read.audit, endpoint=f"group/{name}", at=START, actor=WHO, action="group-made",
        before={}, after={"ü": [1]}, reason="", numbers={},
    )  # fmt: skip
    return replace(read, revision=read.revision + 1, audit=record.head, **changes), record


def test_a_group_is_read_as_it_was_written(ports):
    members = {WHO: frozenset({Role.RELEASER, Role.ADMIN})}
    group, record = written(None, members=members, description="ü \U0001f600")
    assert ports.groups.load_group("clinic") is None
    ports.groups.commit_group(None, group, record)
    assert ports.groups.load_group("clinic") == group
    assert list(ports.groups.group_audit("clinic")) == [record]


def test_of_two_writes_over_the_same_one_wins(ports):
    first, record = written(None)
    ports.groups.commit_group(None, first, record)
    with pytest.raises(ConcurrentWrite):
        ports.groups.commit_group(None, first, record)
    second, after = written(first, description="b")
    ports.groups.commit_group(first, second, after)
    with pytest.raises(ConcurrentWrite):
        ports.groups.commit_group(first, second, after)
    assert ports.groups.load_group("clinic") == second
    records = list(ports.groups.group_audit("clinic"))
    assert verify("group/clinic", records, second.audit) == 2
    assert list(ports.groups.group_audit("clinic", after=1)) == [after]


def test_a_group_that_was_made_for_a_request_leaves_its_mark(ports):
    group, record = written(None)
    ports.groups.commit_group(None, group, record, request="r1")
    assert ports.claims.has_changed("r1")
    with pytest.raises(ConcurrentWrite):
        ports.groups.commit_group(None, group, record, request="r2")
    assert not ports.claims.has_changed("r2")


def test_groups_are_listed_by_name(ports):
    assert list(ports.groups.groups()) == []
    for name in ("clinic", "bank", "all"):
        ports.groups.commit_group(None, *written(None, name))
    assert list(ports.groups.groups()) == ["all", "bank", "clinic"]
