"""Whoever changes, drops, inserts, swaps or cuts off audit records is found, and where."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halftone.domain.audit import AuditHead, AuditRecord, append, canonical_json, verify
from halftone.domain.errors import BrokenChain

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTS = st.dictionaries(
    st.text(max_size=3),
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=3),
        st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(), max_size=2),
    ),
    max_size=2,
)  # fmt: skip
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"actor": st.text(max_size=3), "action": st.text(max_size=3), "reason": st.text(max_size=3),
         "before": FACTS, "after": FACTS, "numbers": FACTS}
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


def chain(entries) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    for i, entry in enumerate(entries):
        head = records[-1].head if records else AuditHead()
        records.append(append(head, endpoint="fraud", at=AT + timedelta(seconds=i), **entry))
    return records


@given(ENTRIES)
def test_a_chain_as_it_was_written_verifies(entries):
    records = chain(entries)
    assert verify("fraud", records, records[-1].head) == len(entries)


def test_no_records_and_no_head_verify():
    assert verify("fraud", [], AuditHead()) == 0


def other(value: object) -> st.SearchStrategy[object]:
    """A value of the same kind that is not ``value``."""
    kinds = {int: st.integers(), str: st.text(max_size=4), datetime: st.datetimes()}
    found = kinds.get(type(value), FACTS)
    return found.filter(lambda new: new != value and canonical(new) != canonical(value))


def canonical(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else canonical_json(value)


@given(ENTRIES, st.data())
@pytest.mark.parametrize("name", [field.name for field in fields(AuditRecord)])
def test_a_changed_field_of_any_record_is_found_there(name, entries, data):
    records = chain(entries)
    at = data.draw(st.integers(0, len(records) - 1))
    forged = replace(records[at], **{name: data.draw(other(getattr(records[at], name)))})
    with pytest.raises(BrokenChain) as caught:
        verify("fraud", [*records[:at], forged, *records[at + 1 :]], records[-1].head)
    assert caught.value.seq == at + 1


@given(ENTRIES, st.data())
def test_a_forged_record_breaks_the_next_one_or_the_head(entries, data):
    records = chain(entries)
    at = data.draw(st.integers(0, len(records) - 1))
    forged = replace(records[at], actor="mallory", numbers={"forged": True})
    forged = replace(forged, hash=forged.digest())
    with pytest.raises(BrokenChain) as caught:
        verify("fraud", [*records[:at], forged, *records[at + 1 :]], records[-1].head)
    assert caught.value.seq == at + 2


@given(ENTRIES, st.data())
def test_a_dropped_record_is_missed(entries, data):
    records = chain(entries)
    at = data.draw(st.integers(0, len(records) - 1))
    with pytest.raises(BrokenChain, match="missing") as caught:
        verify("fraud", records[:at] + records[at + 1 :], records[-1].head)
    assert caught.value.seq == at + 1


@given(ENTRIES, st.data())
def test_a_chain_that_was_cut_off_anywhere_is_found_by_its_head(entries, data):
    records = chain(entries)
    left = data.draw(st.integers(0, len(records) - 1))
    with pytest.raises(BrokenChain, match=f"names record {len(records)}") as caught:
        verify("fraud", records[:left], records[-1].head)
    assert caught.value.seq == left + 1


@given(ENTRIES, st.data())
def test_an_inserted_record_is_found_where_it_stands(entries, data):
    records = chain(entries)
    at = data.draw(st.integers(0, len(records)))
    head = records[at - 1].head if at else AuditHead()
    made_up = append(
        head, endpoint="fraud", at=AT, actor="mallory", action="advance",
        before={}, after={}, reason="", numbers={"made": "up"},
    )  # fmt: skip
    with pytest.raises(BrokenChain) as caught:
        verify("fraud", [*records[:at], made_up, *records[at:]], records[-1].head)
    assert caught.value.seq == at + 2


@given(ENTRIES.filter(lambda entries: len(entries) > 1), st.data())
def test_records_in_another_order_are_found(entries, data):
    records = chain(entries)
    order = data.draw(st.permutations(records).filter(lambda other: other != records))
    with pytest.raises(BrokenChain):
        verify("fraud", order, records[-1].head)


def test_another_endpoints_chain_is_not_taken_for_this_ones():
    records = chain([{"actor": "a", "action": "b", "reason": "", "before": {}, "after": {},
                      "numbers": {}}])  # fmt: skip
    with pytest.raises(BrokenChain, match="it belongs to 'fraud'"):
        verify("spam", records)


def test_a_number_that_is_none_never_gets_into_a_record():
    with pytest.raises(ValueError, match="Out of range float"):
        canonical_json({"rate": float("nan")})
