"""A package's environment is kept with it, once, or the package is not taken."""

from dataclasses import replace

import pytest

from halftone.domain.audit import Author
from halftone.domain.errors import InvalidPackage, NotFound
from halftone.domain.model.environment import Environment
from halftone.domain.model.target import Target
from halftone.service.registry.environments import keep_environment
from halftone.service.registry.registry import register
from halftone.testing import InMemoryStage
from tests.support.engine import digest_of, manifest_of

DIGEST = digest_of("an environment")
MANIFEST = replace(
    manifest_of("churn"), environment=Environment(DIGEST, Target(), 7, ("pandas==3.1.1",))
)


@pytest.fixture
def world():
    return InMemoryStage()


def test_one_that_was_uploaded_is_kept_and_on_record(world):
    ports = world.ports()
    package = digest_of("a package")
    world.packages.offered[ports.uploads.place(package)] = (package, MANIFEST)
    world.packages.environments_offered[ports.uploads.place(DIGEST)] = DIGEST
    version = register(ports, package, author=Author("ann"))
    assert world.packages.environments == {DIGEST}
    (record,) = world.registry.model_audit(version.package.name)
    assert record.after["environment"] == DIGEST


def test_one_that_is_kept_is_not_asked_for_again(world):
    world.packages.environments.add(DIGEST)
    keep_environment(world.ports(), MANIFEST)
    assert world.packages.environments == {DIGEST}


def test_one_beside_the_package_is_taken_from_there(world):
    world.packages.environments_offered["assets", "e.zip"] = DIGEST
    keep_environment(world.ports(), MANIFEST, "assets", "e.zip")
    assert world.packages.environments == {DIGEST}


def test_one_that_is_nowhere_is_named_with_the_remedy(world):
    with pytest.raises(NotFound, match="`halftone release` and `cdk deploy` upload it"):
        keep_environment(world.ports(), MANIFEST)


def test_another_one_is_refused(world):
    world.packages.environments_offered["assets", "e.zip"] = digest_of("another")
    with pytest.raises(InvalidPackage, match="digest"):
        keep_environment(world.ports(), MANIFEST, "assets", "e.zip")
    assert not world.packages.environments
