"""The registry in memory and the one on DynamoDB answer alike, whatever they are asked.

Both are given the same operations, in any order; answers, errors and what is left in the end must
be the same. The same holds for groups and for the claims of requests.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)

from halftone.adapters.aws.dynamodb.control import DynamoGroups, DynamoIdempotencyStore
from halftone.adapters.aws.dynamodb.registry import DynamoRegistry
from halftone.domain.access import Group, Role
from halftone.domain.audit import append, verify
from halftone.domain.model.manifest import PackageRef
from halftone.domain.model.registry import Details, Model, ModelAlias, ModelVersion, chain_of
from halftone.ports.control import IdempotencyRecord
from halftone.ports.registry import ModelChange
from halftone.testing import MemoryGroups, MemoryIdempotencyStore, MemoryRegistry
from tests.contract.store.changes import create_table
from tests.contract.store.test_agreement import FACTS, MOMENTS, outcome

NAMES = st.sampled_from(["churn", "churn-eu", "spam"])
NUMBERS = st.integers(1, 14)
TEXTS = st.text(max_size=4)
DETAILS = st.builds(
    Details,
    TEXTS,
    tags=st.dictionaries(st.text(min_size=1, max_size=3), TEXTS, max_size=2),
    parameters=st.dictionaries(st.text(min_size=1, max_size=3), st.booleans() | TEXTS, max_size=2),
    metrics=st.dictionaries(
        st.text(min_size=1, max_size=3),
        st.floats(allow_nan=False, allow_infinity=False),
        max_size=2,
    ),
    metadata=FACTS,
)
ALIASES = st.dictionaries(st.sampled_from([str(a) for a in ModelAlias]), NUMBERS, max_size=2)
RELEASED = st.dictionaries(st.sampled_from(["fraud", "x"]), TEXTS, max_size=2)
BOUNDED = settings(max_examples=40, stateful_step_count=20)


class Agreement(RuleBasedStateMachine):
    """One part of each kind, in step: ``memory`` and ``dynamo``."""

    memory: Any
    dynamo: Any

    def same(self, ask: Callable[[Any], Any]) -> tuple[str, Any]:
        """The outcome that both agree on, to the last byte of its JSON."""
        expected, result = outcome(lambda: ask(self.memory)), outcome(lambda: ask(self.dynamo))
        assert result == expected
        encode = msgspec.json.encode
        assert encode(result, order="sorted") == encode(expected, order="sorted")
        return expected

    def told(self, ask: Callable[[Any], Any], expected: str) -> None:
        assert self.same(ask)[0] == expected


class BothRegistries(Agreement):
    """Models, versions, aliases and their audit."""

    changes = Bundle("changes")

    def __init__(self, dynamodb: Any) -> None:
        super().__init__()
        self.memory = MemoryRegistry()
        self.dynamo = DynamoRegistry(dynamodb, create_table(dynamodb))

    def change(
        self, read: Model | None, name: str, version: ModelVersion | None, **model: Any
    ) -> ModelChange:
        """What a use case that has read a model would write, or None of a new one."""
        before = read or Model(name)
        facts: Mapping[str, object] = {"of": [0.1, "ü"]}
        record = append(
            before.audit, endpoint=chain_of(name), at=datetime(2026, 1, 1, tzinfo=UTC),
            actor="ann", action="a", before={}, after=facts, reason="", numbers={},
        )  # fmt: skip
        newest = max(before.newest, version.number if version else 0)
        after = replace(
            before, revision=before.revision + 1, newest=newest, audit=record.head, **model
        )
        return ModelChange(read, after, record, version)

    def commit(self, change: ModelChange, expected: str) -> ModelChange:
        self.told(lambda registry: registry.commit_model(change), expected)
        return change

    def made(self, name: str, number: int, digest: int, details: Details, at: datetime) -> Any:
        package = PackageRef(name, f"{digest:064x}")
        return ModelVersion(number, package, "onnx", at, "ann", details)

    @rule(target=changes, name=NAMES, digest=NUMBERS, details=DETAILS, at=MOMENTS)
    def register(self, name, digest, details, at):
        """A package that has a number gets no second one."""
        read = self.memory.model(name)
        existing = self.memory.number_of(name, f"{digest:064x}") is not None
        version = self.made(name, (read.newest if read else 0) + 1, digest, details, at)
        change = self.change(read, name, version)
        self.commit(change, "stale" if existing else "answered")
        return multiple() if existing else change

    @rule(target=changes, name=NAMES, number=NUMBERS, details=DETAILS)
    def describe(self, name, number, details):
        read, version = self.memory.model(name), self.memory.version(name, number)
        if read is None or version is None:
            return multiple()
        change = self.change(read, name, replace(version, details=details))
        return self.commit(change, "answered")

    @rule(target=changes, name=NAMES, aliases=ALIASES, owner=st.none() | TEXTS, released=RELEASED)
    def point_and_give_away(self, name, aliases, owner, released):
        read = self.memory.model(name)
        if read is None:
            return multiple()
        change = self.change(read, name, None, aliases=aliases, owner=owner, released=released)
        return self.commit(change, "answered")

    @rule(change=changes)
    def write_the_same_again(self, change):
        self.commit(change, "stale")

    @rule(change=changes, owner=st.none() | TEXTS)
    def write_from_what_may_be_old(self, change, owner):
        name = change.after.name
        newest = self.memory.model(name)
        again = self.change(change.after, name, None, owner=owner)
        self.commit(again, "answered" if newest == change.after else "stale")

    @rule(name=NAMES, digest=st.integers(100, 104), details=DETAILS, at=MOMENTS)
    def register_as_if_first(self, name, digest, details, at):
        existing = self.memory.model(name) is not None
        change = self.change(None, name, self.made(name, 1, digest, details, at))
        self.commit(change, "stale" if existing else "answered")

    @rule(change=changes)
    def write_from_a_state_to_come(self, change):
        ahead = replace(change.after, revision=change.after.revision + 1000)
        self.commit(self.change(ahead, ahead.name, None), "stale")

    @rule(name=NAMES, number=NUMBERS)
    def look(self, name, number):
        self.same(lambda registry: registry.model(name))
        self.same(lambda registry: registry.version(name, number))
        self.same(lambda registry: registry.number_of(name, f"{number:064x}"))

    @rule(after=st.just("") | NAMES, most=st.integers(1, 4))
    def list_models(self, after, most):
        self.same(lambda registry: tuple(registry.models(after=after, most=most)))

    @rule(name=NAMES, before=st.none() | NUMBERS, most=st.integers(1, 4))
    def list_versions(self, name, before, most):
        self.same(lambda registry: tuple(registry.versions(name, before=before, most=most)))

    @rule(name=NAMES, after=st.integers(0, 9))
    def audit(self, name, after):
        self.same(lambda registry: list(registry.model_audit(name, after=after)))

    def teardown(self):
        _, models = self.same(lambda registry: tuple(registry.models(most=9)))
        for model in models:
            _, versions = self.same(
                lambda registry, name=model.name: tuple(registry.versions(name, most=99))
            )
            assert {v.number for v in versions} == set(range(1, model.newest + 1))
            assert len({v.package.digest for v in versions}) == len(versions)
            records = self.dynamo.model_audit(model.name)
            assert verify(model.chain, records, model.audit) == model.revision


class BothGroups(Agreement):
    """Groups and their audit."""

    writes = Bundle("writes")

    def __init__(self, dynamodb: Any) -> None:
        super().__init__()
        self.memory = MemoryGroups()
        self.dynamo = DynamoGroups(dynamodb, create_table(dynamodb))

    def write(self, read: Group | None, name: str, expected: str, **changes: Any) -> Any:
        before = read or Group(name)
        record = append(
            before.audit, endpoint=f"group/{name}", at=datetime(2026, 1, 1, tzinfo=UTC),
            actor="ann", action="a", before={}, after={"ü": [1]}, reason="", numbers={},
        )  # fmt: skip
        after = replace(before, revision=before.revision + 1, audit=record.head, **changes)
        self.told(lambda groups: groups.commit_group(read, after, record), expected)
        return read, after, record

    @rule(
        target=writes,
        name=NAMES,
        description=TEXTS,
        members=st.dictionaries(
            st.sampled_from(["a", "b"]), st.frozensets(st.sampled_from(Role), min_size=1)
        ),
    )
    def change(self, name, description, members):
        read = self.memory.load_group(name)
        return self.write(read, name, "answered", description=description, members=members)

    @rule(write=writes)
    def write_the_same_again(self, write):
        self.told(lambda groups: groups.commit_group(*write), "stale")

    @rule(target=writes, write=writes, description=TEXTS)
    def write_from_what_may_be_old(self, write, description):
        _, read, _ = write
        fresh = self.memory.load_group(read.name) == read
        expected = "answered" if fresh else "stale"
        written = self.write(read, read.name, expected, description=description)
        return written if fresh else multiple()

    @rule(name=NAMES, after=st.integers(0, 5))
    def look(self, name, after):
        self.same(lambda groups: groups.load_group(name))
        self.same(lambda groups: tuple(groups.groups()))
        self.same(lambda groups: list(groups.group_audit(name, after=after)))

    def teardown(self):
        _, names = self.same(lambda groups: tuple(groups.groups()))
        for name in names:
            _, group = self.same(lambda groups, name=name: groups.load_group(name))
            records = self.dynamo.group_audit(name)
            assert verify(f"group/{name}", records, group.audit) == group.revision


class BothClaims(Agreement):
    """Requests that are claimed, overtaken and settled, as time goes by."""

    tries = Bundle("tries")

    def __init__(self, dynamodb: Any) -> None:
        super().__init__()
        self.memory = MemoryIdempotencyStore(set())
        self.dynamo = DynamoIdempotencyStore(dynamodb, create_table(dynamodb))
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.holders = 0

    @rule(
        target=tries,
        request=st.sampled_from(["r1", "r2"]),
        fingerprint=st.sampled_from(["f", "f", "g"]),
        later=st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=45)]),
    )
    def claim(self, request, fingerprint, later):
        self.now += later
        self.holders += 1
        record = IdempotencyRecord(
            request, fingerprint, f"h{self.holders}", self.now + timedelta(seconds=45)
        )
        _, claimed = self.same(lambda claims: claims.claim(record, self.now))
        return record if claimed.mine else multiple()

    @rule(mine=consumes(tries), answer=st.none() | TEXTS)
    def settle(self, mine, answer):
        """Once: a try that has its answer is over."""
        self.same(lambda claims: claims.settle(replace(mine, answer=answer)))

    @rule(request=st.sampled_from(["r1", "r2"]))
    def ask(self, request):
        self.same(lambda claims: claims.has_changed(request))


def test_both_registries_agree(dynamodb):
    run_state_machine_as_test(lambda: BothRegistries(dynamodb), settings=BOUNDED)


def test_both_keep_groups_alike(dynamodb):
    run_state_machine_as_test(lambda: BothGroups(dynamodb), settings=BOUNDED)


def test_both_keep_claims_alike(dynamodb):
    run_state_machine_as_test(lambda: BothClaims(dynamodb), settings=BOUNDED)
