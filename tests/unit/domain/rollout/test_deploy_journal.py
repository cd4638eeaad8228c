"""The journal of deploys as values: what a return undoes, and what is more open."""

from typing import Any

import pytest

from halftone.domain.rollout.deploys import (
    MOST_BYTES,
    MOST_RECORDS,
    Declaration,
    DeployRecord,
    Deploys,
    FieldChange,
    differences,
    opens,
)


def record(before: str, fingerprint: str, **changes: tuple[Any, Any]) -> DeployRecord:
    by_name = {name: FieldChange(*values) for name, values in changes.items()}
    return DeployRecord(f"{before}{fingerprint}", before, fingerprint, by_name)


A_B, B_C, C_B = record("A", "B"), record("B", "C"), record("C", "B")
UNFINISHED = record("B", "")


@pytest.mark.parametrize(
    ("journal", "newest", "to", "undone"),
    [
        ((), "A", "A", ()),
        ((), "A", "X", None),
        ((A_B,), "B", "B", ()),
        ((A_B,), "B", "A", (A_B,)),
        ((A_B, B_C), "C", "B", (B_C,)),
        ((A_B, B_C), "C", "A", (B_C, A_B)),
        ((A_B, B_C), "C", "X", None),
        ((A_B, B_C, C_B), "B", "B", ()),
        ((A_B, B_C, C_B), "B", "C", (C_B,)),
        ((A_B, UNFINISHED), "B", "B", (UNFINISHED,)),
        ((A_B, UNFINISHED), "B", "A", (UNFINISHED, A_B)),
    ],
)
def test_a_return_undoes_what_came_after_its_declaration(journal, newest, to, undone):
    assert Deploys(fingerprint=newest, journal=journal).after(to) == undone


def test_the_oldest_deploys_leave_the_journal_first():
    deploys = Deploys()
    for number in range(MOST_RECORDS + 3):
        deploys = deploys.having(record(str(number), str(number + 1)))
    assert [journal.before for journal in deploys.journal] == [
        str(number) for number in range(3, MOST_RECORDS + 3)
    ]
    long = "x" * (MOST_BYTES // 3)
    for name in ("a", "b"):
        deploys = deploys.having(record(name, name, rules=([long], [long])))
    assert [journal.before for journal in deploys.journal] == ["b"]


def test_what_people_set_leaves_every_record():
    first = record("A", "B", access=("public", "private"), label=("", "y"))
    second = record("B", "C", access=("private", "public"))
    deploys = Deploys(journal=(first, second))
    taken = deploys.set_by_people(["access"])
    assert [{*journal.changes} for journal in taken.journal] == [{"label"}, set()]
    assert deploys.set_by_people(["capture"]) is deploys


def test_a_tag_and_the_owner_are_fields_like_any_other():
    base = Declaration({"label": "y"}, {"tags": {"a": "1", "b": "2"}}, "clinic", "d", "s")
    now = Declaration({}, {"tags": {"b": "3"}, "concurrency": 5}, None, "d", "s")
    usual = {"label": None}
    assert differences(base, now, usual) == {
        "label": None, "tags.a": None, "tags.b": "3", "concurrency": 5, "group": None,
    }  # fmt: skip
    assert differences(None, base, usual) == base.fields
    assert base.fingerprint != now.fingerprint


LIMIT = {"rate": 5.0, "burst": 5}
CORS = {"origins": ["https://a"], "headers": []}


@pytest.mark.parametrize(
    ("name", "live", "wanted", "more_open"),
    [
        ("access", "private", "public", True),
        ("access", "public", "private", False),
        ("access", "public", "public", False),
        ("stopped", "for now", "", True),
        ("stopped", "", "for now", False),
        ("concurrency", 5, None, True),
        ("concurrency", 5, 6, True),
        ("concurrency", 5, 4, False),
        ("concurrency", None, 4, False),
        ("throttle", LIMIT, None, True),
        ("throttle", LIMIT, {"rate": 5.0, "burst": 6}, True),
        ("throttle", LIMIT, {"rate": 1.0, "burst": 5}, False),
        ("throttle", None, LIMIT, False),
        ("capture", {"share": 5, "redact": ["ssn"]}, {"share": 5, "redact": []}, True),
        ("capture", {"share": 5, "redact": []}, {"share": 5, "redact": ["ssn"]}, False),
        ("cors", None, CORS, True),
        ("cors", CORS, {**CORS, "origins": ["https://a", "https://b"]}, True),
        ("cors", CORS, None, False),
        ("label", "y", "z", False),
    ],
)
def test_what_is_more_open(name, live, wanted, more_open):
    assert opens(name, live, wanted) is more_open
