"""The table of transitions is what ``Rollout.to`` allows, and what the module says it is."""

import itertools
import re

import pytest

from halftone.domain.errors import Conflict
from halftone.domain.rollout import phase as module
from halftone.domain.rollout.phase import TRANSITIONS, Phase
from tests.support.rollouts import rollout


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize("after", Phase)
def test_a_rollout_becomes_only_what_the_table_allows(before, after):
    value = rollout(phase=before)
    if after in TRANSITIONS[before]:
        assert value.to(after, reason="r").phase is after
    else:
        with pytest.raises(Conflict, match=f"is {before}: it can't become {after}"):
            value.to(after)


def test_every_phase_that_is_not_final_can_be_rolled_back():
    for before in Phase:
        leads_back = Phase.ROLLING_BACK in TRANSITIONS[before]
        assert leads_back is (not before.final and before is not Phase.ROLLING_BACK)


def test_only_final_phases_lead_nowhere():
    assert {phase for phase in Phase if not TRANSITIONS[phase]} == {p for p in Phase if p.final}


def test_a_fence_is_followed_by_the_end_of_the_rollback():
    assert TRANSITIONS[Phase.ROLLING_BACK] == {Phase.ROLLED_BACK}


def test_every_phase_has_its_sentence():
    rows = re.findall(r"^\| ([a-z_]+) +\| (.+?) +\|$", module.__doc__ or "", re.MULTILINE)
    assert {name for name, _ in rows} - {"phase"} == set(Phase)
    assert all(len(sentence) > 20 for name, sentence in rows if name != "phase")


def test_the_drawing_of_the_transitions_is_the_table():
    drawn: dict[Phase, set[Phase]] = {phase: set() for phase in Phase}
    for line in re.findall(r"^ {4}(.*──►.*)$", module.__doc__ or "", re.MULTILINE):
        columns = [column.strip() for column in line.split("──►")]
        for left, right in itertools.pairwise(columns):
            for before in named(left):
                drawn[before] |= named(right)
    assert drawn == {phase: set(after) for phase, after in TRANSITIONS.items()}


def named(column: str) -> set[Phase]:
    if column == "every phase that is not final":
        return {phase for phase in Phase if not phase.final} - {Phase.ROLLING_BACK}
    return {Phase(name.strip()) for name in column.split("|")}
