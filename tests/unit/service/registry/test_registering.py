"""Registering packages, describing versions, moving aliases: on record, and none of it twice."""

from typing import Any

import pytest

from halftone.domain.audit import Author, verify
from halftone.domain.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from halftone.domain.model.registry import ModelAlias, parse_reference
from halftone.service.registry.aliases import set_alias
from halftone.service.registry.models import version_of
from halftone.service.registry.registry import describe, register
from halftone.testing import InMemoryStage
from tests.support.engine import digest_of, manifest_of

CHAMPION, CHALLENGER = ModelAlias.CHAMPION, ModelAlias.CHALLENGER
ANN: dict[str, Any] = {"author": Author("ann")}


class Registry:
    """A registry in a world in which packages of the model ``churn`` are kept."""

    def __init__(self):
        self.world = InMemoryStage()
        self.ports = self.world.ports()

    def keep(self, package):
        """The digest of a package of that name for the model ``churn``, kept."""
        self.world.packages.kept[digest_of(package)] = manifest_of("churn")
        return digest_of(package)

    def register(self, package, **more):
        return register(self.ports, self.keep(package), **{**ANN, **more})

    def describe(self, reference, changes, **more):
        return describe(self.ports, parse_reference("model", reference), changes, **{**ANN, **more})

    def point(self, alias, number, **more):
        return set_alias(self.ports, "churn", alias, number, **{**ANN, **more})

    def meant(self, reference):
        return version_of(self.ports, parse_reference("model", reference)).name

    @property
    def actions(self):
        records = list(self.world.registry.model_audit("churn"))
        verify("model:churn", records, self.world.registry.model("churn").audit)
        return [record.action for record in records]


@pytest.fixture
def registry():
    return Registry()


def test_numbers_are_given_in_turn_and_once_and_for_all(registry):
    assert [registry.register(p).name for p in ("a", "b", "c")] == ["churn:1", "churn:2", "churn:3"]
    assert registry.register("b").number == 2
    assert registry.actions == ["registered"] * 3


def test_a_new_version_waits_for_its_validation(registry):
    fields = {"parameters": {"depth": 7}, "metrics": {"auc": 0.91}, "metadata": {"run": [1, None]}}
    version = registry.register("a", details={**fields, "tags": {"team": "risk"}})
    assert version.details.parameters == {"depth": 7}
    assert version.details.validation == "PENDING"
    assert version.registered_by == "ann"
    assert registry.meant("churn:1") == "churn:1"


def test_registered_again_with_other_details_changes_nothing(registry):
    registry.register("a", details={"metrics": {"auc": 0.91}})
    registry.register("a", details={"metrics": {"auc": 0.91}})
    with pytest.raises(Conflict, match=r"registered as churn:1 with other details"):
        registry.register("a", details={"metrics": {"auc": 0.99}})
    assert registry.actions == ["registered"]


def test_a_package_that_is_not_kept_is_not_registered(registry):
    with pytest.raises(NotFound, match=digest_of("a")):
        register(registry.ports, digest_of("a"), **ANN)


def test_a_package_of_another_model_is_named(registry):
    with pytest.raises(InvalidInput, match="a package of 'spam', not of 'churn'"):
        registry.register("a", model="spam")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tags": {"validation_status": "passed"}}, "tags.validation_status"),
        ({"tags": {"size": 3}}, "tags.size"),
        ({"tags": {"": "x"}}, "tags."),
        ({"tags": ["x"]}, "tags"),
        ({"metrics": {"auc": "0.9"}}, "metrics.auc"),
        ({"metrics": {"auc": float("nan")}}, "metrics.auc"),
        ({"metrics": {"auc": 10**400}}, "metrics.auc"),
        ({"metrics": {"auc": True}}, "metrics.auc"),
        ({"parameters": {"layers": [1]}}, "parameters.layers"),
        ({"parameters": {"rate": float("inf")}}, "parameters.rate"),
        ({"metadata": {"x": float("nan")}}, "metadata"),
        ({"metadata": {"x": "y" * 30_000}}, "metadata"),
        ({"description": 7}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"number": 9}, "number"),
        ([], "details"),
        (None, "details"),
    ],
)
def test_what_cant_be_said_is_refused_by_its_path(registry, changes, field):
    before = registry.register("a")
    with pytest.raises(InvalidInput) as caught:
        registry.describe("churn:1", changes)
    assert caught.value.field == field
    assert registry.meant("churn:1") == before.name
    assert registry.actions == ["registered"]


def test_a_patch_changes_what_it_names_and_null_takes_away(registry):
    registry.register("a", details={"tags": {"a": "1", "b": "2"}, "metrics": {"auc": 0.9}})
    after = registry.describe("churn:1", {"tags": {"a": None, "c": "3"}, "metrics": None})
    assert after.details.tags == {"b": "2", "c": "3"}
    assert after.details.metrics == {}
    assert registry.actions == ["registered", "described"]


def test_the_audit_of_a_description_says_what_was_and_what_is(registry):
    registry.register("a", details={"tags": {"a": "1"}})
    registry.describe("churn:1", {"tags": {"a": "2"}}, author=Author("ann", "recounted"))
    *_, record = registry.world.registry.model_audit("churn")
    assert record.before == {"version": 1, "tags": {"a": "1"}}
    assert record.after == {"version": 1, "tags": {"a": "2"}}
    assert (record.actor, record.reason) == ("ann", "recounted")


def test_saying_the_same_again_is_no_change(registry):
    registry.register("a", details={"tags": {"a": "1"}})
    registry.describe("churn:1", {"tags": {"a": "1"}})
    registry.point(CHAMPION, 1)
    registry.point(CHAMPION, 1)
    assert registry.actions == ["registered", "alias"]


def test_an_alias_is_a_name_for_a_number_until_it_moves(registry):
    registry.register("a")
    registry.register("b")
    registry.point(CHAMPION, 1)
    registry.point(CHALLENGER, 2)
    assert (registry.meant("churn@champion"), registry.meant("churn@challenger")) == (
        "churn:1", "churn:2",
    )  # fmt: skip
    registry.point(CHAMPION, 2)
    assert registry.meant("churn@champion") == "churn:2"
    registry.point(CHALLENGER, None)
    with pytest.raises(NotFound, match="'churn@challenger'; aliases that are set: champion"):
        registry.meant("churn@challenger")


def test_an_alias_can_t_point_at_what_is_not_there(registry):
    registry.register("a")
    with pytest.raises(NotFound, match="'churn:2'; the newest is 1"):
        registry.point(CHAMPION, 2)
    with pytest.raises(NotFound, match="no model 'spam'"):
        set_alias(registry.ports, "spam", CHAMPION, 1, **ANN)


def test_a_version_that_failed_its_validation_gets_no_alias(registry):
    registry.register("a", details={"tags": {"validation_status": "FAILED"}})
    with pytest.raises(Conflict, match="churn:1 has validation_status FAILED"):
        registry.point(CHALLENGER, 1)
    registry.describe("churn:1", {"tags": {"validation_status": "PASSED"}})
    registry.point(CHAMPION, 1)
    with pytest.raises(Conflict, match="champion of 'churn'"):
        registry.describe("churn:1", {"tags": {"validation_status": "FAILED"}})


def test_two_people_who_saw_the_same_revision_have_one_winner(registry):
    registry.register("a")
    registry.register("b")
    revision = registry.world.registry.model("churn").revision
    registry.point(CHAMPION, 1, author=ANN["author"].at(revision))
    with pytest.raises(PreconditionFailed, match=rf"at revision {revision + 1}, not {revision}"):
        registry.point(CHAMPION, 2, author=ANN["author"].at(revision))
    with pytest.raises(PreconditionFailed):
        registry.describe("churn:1", {"description": "late"}, author=ANN["author"].at(revision))
    assert registry.meant("churn@champion") == "churn:1"


@pytest.mark.parametrize(
    "text", ["churn", "churn:", "churn:0", "churn:x", "churn@best", "Churn:1", "a:1:2", "@champion",
             "churn:1@champion", "churn:99999999999", 7, None]
)  # fmt: skip
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(InvalidInput):
        parse_reference("model", text)


@pytest.mark.parametrize("text", ["churn:7", "churn-eu@champion", "churn@challenger"])
def test_a_reference_reads_as_it_was_written(text):
    assert str(parse_reference("model", text)) == text
