"""The record in memory and the record on DynamoDB answer alike, whatever they are asked.

Both are given the same operations; answers, errors and what is left in the end must be the same.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)

from halftone.adapters.aws.dynamodb.store import DynamoStore
from halftone.domain.audit import verify
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite
from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.phase import Phase
from halftone.ports.state import Change
from halftone.testing import MemoryStore
from tests.contract.store.changes import (
    ROLLOUT,
    create_table,
    deployment,
    grown,
    next_change,
    no_evidence,
)

ENDPOINTS = st.sampled_from(["fraud", "fraud-eu", "spam"])
ROLLOUTS = st.sampled_from(["fraud-r1", "fraud-r1-again"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis asks for naive bounds
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
FACTS = st.dictionaries(
    st.text(max_size=3),
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=4), st.lists(NUMBERS)),
    max_size=3,
)
ENTRIES = st.fixed_dictionaries(
    {
        "actor": st.text(max_size=4),
        "action": st.text(max_size=4),
        "reason": st.text(max_size=4),
        "before": FACTS,
        "after": FACTS,
        "numbers": FACTS,
    }
)
UNDER_WAY = st.none() | st.builds(
    replace,
    st.just(ROLLOUT),
    phase=st.sampled_from(Phase),
    champion=st.none() | st.just("1"),
    share=st.floats(0, 100),
    stage_since=MOMENTS,  # what is written of a stage is written from the moment it began
    latency_limits=st.lists(st.floats(0, 1e6), max_size=3).map(tuple),
    message=st.text(max_size=4),
)
DEPLOYMENTS = st.none() | st.builds(
    deployment, st.integers(1, 12).map(str), created_at=MOMENTS, settings=st.text(max_size=3)
)
COUNTS = st.builds(
    lambda n, errors, late: Arm(n, min(errors, n), n, min(late, n), over=(n // 2, n // 3)),
    *[st.integers(0, 40)] * 3,
)


def outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """What ``call`` answers, or that it was refused as stale; anything else is raised."""
    try:
        return "answered", call()
    except ConcurrentWrite:
        return "stale", None


class BothStores(RuleBasedStateMachine):
    """One store of each kind, in step."""

    changes = Bundle("changes")

    def __init__(self, dynamodb: Any) -> None:
        super().__init__()
        self.memory = MemoryStore()
        self.dynamo = DynamoStore(dynamodb, create_table(dynamodb))

    def same(self, ask: Callable[[Any], Any]) -> tuple[str, Any]:
        """The outcome that both agree on, to the last byte of its JSON."""
        expected, result = outcome(lambda: ask(self.memory)), outcome(lambda: ask(self.dynamo))
        assert result == expected
        encode = msgspec.json.encode
        assert encode(result, order="sorted") == encode(expected, order="sorted")
        return expected

    def commit(self, change: Change, expected: str) -> Any:
        message, _ = self.same(lambda store: store.commit(change))
        assert message == expected
        return change

    @rule(
        target=changes,
        endpoint=ENDPOINTS,
        at=MOMENTS,
        under_way=UNDER_WAY,
        made=DEPLOYMENTS,
        entry=ENTRIES,
    )
    def write_what_follows(self, endpoint, at, under_way, made, entry):
        before = self.memory.load(endpoint)
        change = next_change(
            before, endpoint=endpoint, at=at, under_way=under_way, deployment=made, **entry
        )
        return self.commit(change, "answered")

    @rule(change=changes)
    def write_the_same_again(self, change):
        self.commit(change, "stale")

    @rule(change=changes, made=DEPLOYMENTS)
    def write_from_what_may_be_old(self, change, made):
        again = next_change(change.after, endpoint=change.after.endpoint, deployment=made)
        newest = self.memory.load(change.after.endpoint)
        self.commit(again, "answered" if newest == change.after else "stale")

    @rule(target=changes, endpoint=ENDPOINTS)
    def write_as_if_new(self, endpoint):
        existing = self.memory.load(endpoint) is not None
        change = next_change(None, endpoint=endpoint)
        self.commit(change, "stale" if existing else "answered")
        return multiple() if existing else change

    @rule(change=changes)
    def write_from_a_state_to_come(self, change):
        ahead = replace(change.after, revision=change.after.revision + 1000)
        self.commit(next_change(ahead, endpoint=ahead.endpoint), "stale")

    @rule(endpoint=ENDPOINTS)
    def load(self, endpoint):
        self.same(lambda store: store.load(endpoint))

    @rule(endpoint=ENDPOINTS, after=st.integers(0, 15))
    def audit(self, endpoint, after):
        self.same(lambda store: list(store.audit(endpoint, after=after)))

    @rule(endpoint=ENDPOINTS)
    def deployments(self, endpoint):
        self.same(lambda store: store.deployments(endpoint))

    @rule(
        endpoint=ENDPOINTS,
        name=ROLLOUTS,
        counts=st.lists(st.tuples(COUNTS, COUNTS), max_size=3),
        off=st.sampled_from([None, None, -1, 0, 1, "nothing"]),
    )
    def keep_evidence(self, endpoint, name, counts, off):
        """``off`` is how far the caller's idea of what is kept is off, in microseconds."""
        _, existing = self.same(lambda store: store.load_evidence(endpoint, name))
        grew, buckets = grown(existing or no_evidence(name), *counts)
        previous = existing.until if existing else None
        right = off in (None, 0)
        if off == "nothing":
            right, previous = previous is None, None
        elif off:
            previous = (previous or grew.until) + timedelta(microseconds=off)
        message, _ = self.same(
            lambda store: store.keep_evidence(endpoint, grew, buckets, previous=previous)
        )
        assert message == ("answered" if right else "stale")

    def teardown(self):
        _, endpoints = self.same(lambda store: store.endpoints())
        for endpoint in endpoints:
            _, state = self.same(lambda store, name=endpoint: store.load(name))
            assert isinstance(state, EndpointState)
            self.same(lambda store, name=endpoint: list(store.audit(name)))
            self.same(lambda store, name=endpoint: store.deployments(name))
            records = self.dynamo.audit(endpoint)
            assert verify(endpoint, records, state.audit) == state.revision


def test_both_stores_agree(dynamodb):
    run_state_machine_as_test(
        lambda: BothStores(dynamodb), settings=settings(max_examples=40, stateful_step_count=20)
    )
