"""The calls that the engine makes to AWS: as docs/costs.md lists them, and as few as promised."""

import re
from pathlib import Path

import pytest

from benchmarks.engine import calls_table
from benchmarks.engine_calls import counted
from benchmarks.engine_stage import Act

PAGE = Path(__file__).parents[3] / "docs" / "costs.md"


@pytest.fixture(scope="module")
def acts() -> dict[str, Act]:
    """Every act by its name."""
    return {act.name: act for act in counted()}


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("rollback by an alarm's event", ["GetItem", "TransactWriteItems"]),
        ("abort", ["GetItem", "TransactWriteItems"]),
        ("return, with a rollout under way", ["GetItem", "TransactWriteItems"]),
        ("rollback while the table is out", ["GetItem", "ListAliases"]),
        ("guarded: rollback by an alarm's event", ["GetItem", "TransactWriteItems"]),
        ("guarded: abort", ["GetItem", "TransactWriteItems"]),
        ("guarded: rollback while the table is out", ["GetItem", "ListAliases"]),
    ],
)
def test_two_calls_come_before_the_challengers_share_is_0(acts, name, before):
    calls = list(acts[name].calls)
    assert calls[: calls.index("UpdateAlias")] == before
    assert len(before) <= 2


def test_a_tick_with_a_red_alarm_fences_before_it_writes(acts):
    calls = list(acts["rollback by a tick that sees a red alarm"].calls)
    position, written = calls.index("DescribeAlarms"), calls.index("UpdateAlias")
    assert calls[position + 1 : written] == ["TransactWriteItems"]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("tick: nothing rolls out", 4),
        ("tick: no bucket has closed (quiet)", 8),
        ("tick: a bucket has closed, wait", 11),
        ("pause", 2),
        ("the same event again", 1),
    ],
)
def test_what_comes_again_and_again_makes_few_calls(acts, name, calls):
    assert len(acts[name].calls) == calls


def test_the_page_lists_the_calls_and_says_what_each_is_for(acts):
    page = PAGE.read_text()
    assert calls_table(acts.values()) in page
    explained = set(re.findall(r"`(\w+)`", page))
    assert {call for act in acts.values() for call in act.calls} <= explained
