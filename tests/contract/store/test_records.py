"""What both stores promise of one write, and of reading back."""

from dataclasses import replace

import msgspec
import pytest

from halftone.domain.audit import verify
from halftone.domain.endpoint.state import Bar, EndpointState
from halftone.domain.errors import BrokenChain, ConcurrentWrite
from halftone.domain.rollout.evidence import Arm
from halftone.domain.rollout.looks import Look
from halftone.domain.rollout.routing import Anchor
from halftone.domain.rollout.verdict import VerdictKind
from halftone.domain.traffic.policy import CHAMPION, Match, Probation, Rule, TrafficPolicy
from halftone.ports.state import Change
from tests.contract.store.changes import (
    ROLLOUT,
    deployment,
    grown,
    next_change,
    no_evidence,
)
from tests.support.rollouts import START


def test_nothing_is_there_before_it_is_written(store):
    assert store.load("fraud") is None
    assert store.load_evidence("fraud", "fraud-r1") is None
    assert list(store.audit("fraud")) == []
    assert (list(store.deployments("fraud")), list(store.endpoints())) == ([], [])


def test_what_was_taken_back_and_who_served_before_is_read_back(store):
    first = next_change(None)
    anchor = Anchor(3, first.record.head, "fraud-r1", START)
    probation = Probation("4", START, armed=False)
    after = replace(
        first.after,
        barred=(Bar("3", "it drifts"),),
        past=(deployment("1"), deployment("2")),
        anchor=anchor,
        restored="the table was restored",
        flagged="m1:1 has validation_status FAILED",
        serving=TrafficPolicy(rules=(Rule(Match(), CHAMPION),), probation=probation),
    )
    store.commit(replace(first, after=after))
    assert store.load("fraud") == after


def test_an_old_record_has_no_bars_and_leaves_its_past_to_audit():
    written = msgspec.to_builtins(next_change(None).after)
    for field in ("barred", "past", "anchor", "restored", "flagged"):
        del written[field]
    state = msgspec.json.decode(msgspec.json.encode(written), type=EndpointState)
    assert (state.barred, state.past, state.anchor, state.restored) == ((), None, None, "")


def test_a_write_whose_audit_record_exists_writes_nothing(store):
    first = next_change(None)
    store.commit(first)
    wrong = next_change(first.after, deployment=deployment("2"))
    taken = replace(wrong, record=next_change(None, actor="eve").record)
    with pytest.raises(ConcurrentWrite):
        store.commit(taken)
    assert store.load("fraud") == first.after
    assert list(store.audit("fraud")) == [first.record]
    assert list(store.deployments("fraud")) == []


def test_a_new_endpoint_that_is_not_new_writes_nothing(store):
    first = next_change(None)
    store.commit(first)
    record = next_change(first.after).record
    other = replace(first.after, revision=1, audit=record.head, rollout=None)
    with pytest.raises(ConcurrentWrite):
        store.commit(Change(None, other, record, deployment("2")))
    assert store.load("fraud") == first.after
    assert list(store.audit("fraud")) == [first.record]
    assert list(store.deployments("fraud")) == []


def test_evidence_from_an_old_look_writes_nothing(store):
    slow = (Arm(50, 25, 50, 10, over=(20, 3)), Arm(950, 1, 940, 3, over=(90, 2)))
    first, buckets = grown(no_evidence(), slow)
    with pytest.raises(ConcurrentWrite):
        store.keep_evidence("fraud", first, buckets, previous=no_evidence().until)
    assert store.load_evidence("fraud", "fraud-r1") is None
    store.keep_evidence("fraud", first, buckets, previous=None)
    second, more = grown(first, slow)
    for previous in (None, second.until):
        with pytest.raises(ConcurrentWrite):
            store.keep_evidence("fraud", second, more, previous=previous)
    assert store.load_evidence("fraud", "fraud-r1") == first
    store.keep_evidence("fraud", second, more, previous=first.until)
    assert store.load_evidence("fraud", "fraud-r1") == second


def test_evidence_read_back_folds_on_to_the_same_floats(store):
    one = (Arm(37, 3, 36, 1, over=(7, 2)), Arm(411, 5, 409, 9, over=(40, 4)))
    stored, buckets = grown(no_evidence(), one)
    store.keep_evidence("fraud", stored, buckets, previous=None)
    evidence = store.load_evidence("fraud", "fraud-r1")
    assert grown(evidence, one, one) == grown(stored, one, one)
    assert evidence.metrics["errors"].regression.logs == stored.metrics["errors"].regression.logs
    assert (
        evidence.metrics["errors"].regression.logs
        != no_evidence().metrics["errors"].regression.logs
    )


def seen_at(until, reason="fine"):
    """A look with that watermark."""
    numbers = {"e_worse": 1.5, "errors": {"challenger": 1, "odds_ratio_interval": [0.5, None]}}
    kind = VerdictKind.INCONCLUSIVE
    return Look(until, until, 0, 5.0, 0.0, kind, reason, numbers)


def test_looks_come_back_in_order_and_after_a_watermark(store):
    existing = no_evidence()
    assert (list(store.looks("fraud", "fraud-r1")), store.last_look("fraud", "fraud-r1")) == (
        [],
        None,
    )
    looks, previous = [], None
    for _ in range(3):
        existing, buckets = grown(existing, (Arm(50), Arm(950)))
        looks.append(seen_at(existing.until))
        store.keep_evidence("fraud", existing, buckets, previous=previous, look=looks[-1])
        previous = existing.until
    assert list(store.looks("fraud", "fraud-r1")) == looks
    assert list(store.looks("fraud", "fraud-r1", since=looks[0].until)) == looks[1:]
    assert list(store.looks("fraud", "fraud-r1", since=previous)) == []
    assert store.last_look("fraud", "fraud-r1") == looks[-1]
    assert list(store.looks("fraud", "fraud-r1-again")) == []
    again = seen_at(previous, "seen again")
    store.keep_evidence("fraud", existing, (), previous=previous, look=again)
    assert list(store.looks("fraud", "fraud-r1")) == [*looks[:2], again]
    assert store.evidence_of([("fraud", "fraud-r1"), ("spam", "fraud-r1")]) == {
        "fraud-r1": existing
    }


def test_many_states_are_read_in_the_order_of_their_names(store):
    names = [f"model-{number}" for number in range(130)]
    for name in names:
        change = next_change(None)
        after = replace(change.after, endpoint=name)
        record = replace(change.record, endpoint=name)
        store.commit(replace(change, after=after, record=record))
    request = ["no-such", *reversed(names)]
    assert [state.endpoint for state in store.load_states(request)] == [*reversed(names)]
    assert list(store.load_states([])) == []


def test_the_evidence_of_one_rollout_leaves_another_alone(store):
    mine, theirs = no_evidence("fraud-r1"), no_evidence("fraud-r1-again")
    store.keep_evidence("fraud", mine, (), previous=None)
    store.keep_evidence("fraud", theirs, (), previous=None)
    store.keep_evidence("spam", mine, (), previous=None)
    assert store.load_evidence("fraud", "fraud-r1") == mine
    assert store.load_evidence("fraud", "fraud-r1-again") == theirs


def test_deployments_come_oldest_first_past_version_nine(store):
    state = None
    for version in ("9", "10", "2", "100"):
        change = next_change(state, deployment=deployment(version))
        store.commit(change)
        state = change.after
    assert [d.version for d in store.deployments("fraud")] == ["2", "9", "10", "100"]


def test_a_deployment_that_is_written_again_is_there_once(store):
    first = next_change(None, deployment=deployment("1"))
    store.commit(first)
    store.commit(next_change(first.after, deployment=deployment("1", settings="s2")))
    assert [d.settings for d in store.deployments("fraud")] == ["s2"]


def test_endpoints_are_sorted_and_named_once(store):
    for name in ("spam", "fraud-eu", "fraud"):
        change = next_change(None, endpoint=name)
        store.commit(change)
    store.commit(next_change(change.after, endpoint="fraud"))
    assert list(store.endpoints()) == ["fraud", "fraud-eu", "spam"]


def test_numbers_that_were_read_back_still_make_the_hash(store):
    numbers = {
        "log_e": 3.0000000000000004,
        "tiny": 5e-324,
        "whole": 5.0,
        "huge": 1e300,
        "minus nothing": -0.0,
        "draws": [1, 2.5, None],
        "words": 'ü "\\ \u2028 \U0001f600 \x00',
    }
    change = next_change(None, numbers=numbers, at=ROLLOUT.started_at.replace(microsecond=1))
    store.commit(change)
    assert verify("fraud", store.audit("fraud"), change.after.audit) == 1


def test_a_chain_without_its_first_records_is_not_whole(store):
    state = None
    for _ in range(3):
        change = next_change(state)
        store.commit(change)
        state = change.after
    assert verify("fraud", store.audit("fraud"), state.audit) == 3
    with pytest.raises(BrokenChain, match="breaks at record 1"):
        verify("fraud", store.audit("fraud", after=1), state.audit)
