"""Releases and the registry: every package that goes out has a number, and can be named by it."""

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.model.registry import ModelReference
from halftone.domain.rollout.phase import Phase
from halftone.service.registry.registry import describe
from tests.support.engine import NAME, Endpoint, digest_of


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    endpoint.serve("m1")
    return endpoint


def challenger(endpoint, model):
    return endpoint.world.registry.model(model).aliases.get("challenger")


def test_a_release_registers_its_package_as_the_challenger(endpoint):
    endpoint.release("m2")
    assert endpoint.world.registry.number_of("m2", digest_of("m2")) == 1
    assert challenger(endpoint, "m2") == 1
    actions = [r.action for r in endpoint.world.registry.model_audit("m2")]
    assert actions == ["registered", "alias"]


def test_a_repeated_release_does_not_move_the_alias_back(endpoint):
    endpoint.release("m2", "once")
    registry = endpoint.world.registry
    before = registry.model("m2")
    registry.kept["m2"] = moved = type(before)(
        **{**vars(before), "aliases": {}, "revision": before.revision + 1}
    )
    endpoint.release("m2", "once")
    assert registry.model("m2") == moved


def test_a_package_that_is_kept_is_released_without_its_place(endpoint):
    endpoint.release("m2", bucket="", object_key="", digest=digest_of("m1"))
    assert endpoint.rollout.package.digest == digest_of("m1")
    with pytest.raises(NotFound, match=digest_of("m9")):
        endpoint.release("m2", "k9", bucket="", object_key="", digest=digest_of("m9"))


def test_what_failed_its_validation_is_not_released(endpoint):
    endpoint.release("m2", "one")
    endpoint.tick_until(Phase.OBSERVING)
    registry, ports = endpoint.world.registry, endpoint.ports
    endpoint.release("m3", "two")
    version = registry.version("m2", 1)
    failed = {"tags": {"validation_status": "FAILED"}}
    describe(ports, ModelReference("m2", number=version.number), failed, author=Author("ann"))
    before = endpoint.state
    with pytest.raises(Conflict, match="m2:1 has validation_status FAILED"):
        endpoint.release("m2", "three")
    assert endpoint.state == before


def test_a_champion_tagged_failed_still_takes_its_own_deploy(endpoint):
    failed = {"tags": {"validation_status": "FAILED"}}
    describe(endpoint.ports, ModelReference("m1", number=1), failed, author=Author("ann"))
    assert endpoint.release("m1", "again") is None
    assert endpoint.world.store.load(NAME).champion.package.digest == digest_of("m1")
