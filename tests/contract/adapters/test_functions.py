"""Aliases and versions in memory and on Lambda keep the same promises.

moto has Lambda's versions and aliases, but no revisions: those are in ``test_lambda_answers``.
"""

from datetime import UTC, datetime

import pytest

from halftone.adapters.aws.lambda_aliases import LambdaAliases
from halftone.adapters.aws.lambda_versions import LambdaVersions
from halftone.domain.audit import AuditHead
from halftone.domain.errors import ConcurrentWrite, InvalidInput, NotFound
from halftone.domain.names import CHALLENGER
from halftone.domain.rollout.routing import UNRELEASED, Anchor, ReadAliases, ReadRouting, Routing
from halftone.ports.functions import Pointer, VersionStatus
from halftone.testing import MemoryLambda
from tests.contract.adapters.functions import deploy, variables

FIRST, SECOND = Pointer("fraud-r1", "a" * 64), Pointer("fraud-r2", "b" * 64)


@pytest.fixture
def deployed(aws):
    return deploy(aws)


@pytest.fixture(params=["in memory", "on Lambda"])
def ports(request):
    """The ports Aliases and Versions of an endpoint that was never released to."""
    if request.param == "in memory":
        memory = MemoryLambda()
        return memory, memory
    client = request.getfixturevalue("deployed")
    return LambdaAliases(client, "dev"), LambdaVersions(client, client, "dev")


def published(versions, *pointers):
    """The versions that are made of ``pointers``."""
    result = []
    for pointer in pointers:
        while versions.point("fraud", pointer) is not VersionStatus.READY:
            pass
        result.append(versions.publish("fraud", pointer))
    return result


def test_a_new_endpoint_is_unreleased(ports):
    assert ports[0].read("fraud").routing == UNRELEASED


@pytest.mark.parametrize("share", [0.1, 5.0, 29.0, 33.33, 57.0, 95.0, 99.9])
def test_a_share_is_read_back_as_it_was_written(ports, share):
    aliases, versions = ports
    one, two = published(versions, FIRST, SECOND)
    aliases.write("fraud", Routing(one, two, share), revision=aliases.read("fraud").revision)
    assert aliases.read("fraud").routing == Routing(one, two, share)


def test_a_version_alone_takes_the_share_of_the_other(ports):
    aliases, versions = ports
    one, two = published(versions, FIRST, SECOND)
    aliases.write("fraud", Routing(one, two, 5.0), revision=None)
    for routing in (Routing(one), Routing(two), Routing(two, one, 0.1), UNRELEASED):
        aliases.write("fraud", routing, revision=None)
        assert aliases.read("fraud").routing == routing


def test_a_write_answers_the_revision_that_is_read_afterwards(ports):
    aliases, versions = ports
    (one,) = published(versions, FIRST)
    written = aliases.write("fraud", Routing(one), revision=None)
    assert aliases.read("fraud").revision == written


def test_the_two_aliases_stand_apart(ports):
    aliases, versions = ports
    one, two = published(versions, FIRST, SECOND)
    aliases.write("fraud", Routing(one), revision=None)
    assert aliases.read("fraud", CHALLENGER).routing == UNRELEASED
    revision = aliases.read("fraud", CHALLENGER).revision
    written = aliases.write("fraud", Routing(two), revision=revision, alias=CHALLENGER)
    assert aliases.read("fraud", CHALLENGER) == ReadRouting(Routing(two), written)
    assert aliases.read("fraud").routing == Routing(one)
    assert aliases.both("fraud") == ReadAliases(
        live=aliases.read("fraud"), challenger=aliases.read("fraud", CHALLENGER)
    )


def test_an_alias_keeps_what_it_says_of_the_record(ports):
    aliases, versions = ports
    one, two = published(versions, FIRST, SECOND)
    assert aliases.both("fraud").anchor is None
    moment = datetime(2026, 1, 1, 12, 0, 0, 125, UTC)
    first = Anchor(7, AuditHead(7, "ab" * 32), "fraud-0123456789abcdef", moment)
    second = Anchor(9, AuditHead(9, "cd" * 32))
    aliases.write("fraud", Routing(one), revision=None, anchor=first)
    aliases.write("fraud", Routing(two), revision=None, alias=CHALLENGER, anchor=second)
    aliases.write("fraud", Routing(two), revision=None)
    read = aliases.both("fraud")
    assert (read.live.anchor, read.challenger.anchor, read.anchor) == (first, second, second)


def test_a_version_says_what_it_loads(ports):
    _, versions = ports
    one, two = published(versions, FIRST, SECOND)
    assert [versions.pointer("fraud", version) for version in (one, two)] == [FIRST, SECOND]
    with pytest.raises(NotFound, match="no version '9'"):
        versions.pointer("fraud", "9")


def test_a_pointer_is_pending_then_ready(ports):
    _, versions = ports
    assert versions.point("fraud", FIRST) is VersionStatus.PENDING
    assert versions.point("fraud", FIRST) is VersionStatus.READY
    assert versions.point("fraud", SECOND) is VersionStatus.PENDING


def test_only_the_pointer_that_a_function_carries_is_published(ports):
    _, versions = ports
    with pytest.raises(ConcurrentWrite, match="does not carry"):
        versions.publish("fraud", FIRST)
    published(versions, FIRST)
    for other in (SECOND, Pointer(FIRST.rollout, SECOND.digest), Pointer("r3", FIRST.digest)):
        with pytest.raises(ConcurrentWrite, match="does not carry"):
            versions.publish("fraud", other)


def test_publishing_again_answers_the_same_version(ports):
    _, versions = ports
    one, two = published(versions, FIRST, SECOND)
    assert one != two
    assert versions.publish("fraud", SECOND) == two


def test_a_new_rollout_of_the_same_package_is_a_new_version(ports):
    _, versions = ports
    one, again = published(versions, FIRST, Pointer("fraud-r2", FIRST.digest))
    assert one != again


def test_a_published_version_is_ready(ports):
    _, versions = ports
    (one,) = published(versions, FIRST)
    assert versions.status("fraud", one) == (VersionStatus.READY, "")


def test_a_version_that_was_never_published_has_no_status(ports):
    _, versions = ports
    published(versions, FIRST)
    with pytest.raises(NotFound, match="'7'"):
        versions.status("fraud", "7")


def test_pointing_leaves_the_rest_of_the_environment(deployed):
    versions = LambdaVersions(deployed, deployed, "dev")
    one, two = published(versions, FIRST, SECOND)
    theirs = {"HALFTONE_ENDPOINT": "fraud"}
    assert variables(deployed, one) == {
        **theirs, "HALFTONE_DEPLOYMENT": "fraud-r1", "HALFTONE_PACKAGE": "a" * 64,
    }  # fmt: skip
    assert variables(deployed, two) == {
        **theirs, "HALFTONE_DEPLOYMENT": "fraud-r2", "HALFTONE_PACKAGE": "b" * 64,
    }  # fmt: skip


def test_a_version_is_deleted_once_and_for_all(ports):
    aliases, versions = ports
    one, two = published(versions, FIRST, SECOND)
    aliases.write("fraud", Routing(two), revision=None)
    for _ in range(2):
        versions.delete("fraud", one)
        with pytest.raises(NotFound):
            versions.status("fraud", one)
    assert versions.status("fraud", two) == (VersionStatus.READY, "")


@pytest.mark.parametrize("version", ["", "$LATEST", "live", "1.0"])
def test_nothing_but_a_published_version_is_deleted(ports, version):
    _, versions = ports
    (one,) = published(versions, FIRST)
    with pytest.raises(InvalidInput, match="version"):
        versions.delete("fraud", version)
    assert versions.status("fraud", one) == (VersionStatus.READY, "")
