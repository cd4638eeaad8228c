"""All schedules of a few processes, up to stated bounds, keep the promises.

Two processes are interleaved in every possible way; with a crash or a fault, with more of them, or
where their programs are long, a process that could go on is overtaken a bounded number of times.
HALFTONE_SWITCHES adds to those bounds: 1 takes minutes, 2 takes an afternoon.
"""

import os
from dataclasses import replace
from time import process_time

import pytest

from tests.property.engine.exploration import explore, replay
from tests.property.engine.mutants import engine
from tests.property.engine.scenarios import scenarios
from tests.property.engine.stage import Scenario

SCENARIOS = scenarios(engine())
MORE = int(os.environ.get("HALFTONE_SWITCHES", "0"))

# By the number of processes: how many crashes, faults and switches a schedule may have.
BOUNDS = {
    2: [(0, 0, None), (1, 0, 2), (0, 1, 2)],
    3: [(0, 0, 2), (1, 0, 1), (0, 1, 1)],
    4: [(0, 0, 2), (1, 0, 1), (0, 1, 1)],
}

LONG = {
    "advance, retire", "advance, supersede", "alarm, retire", "alarm, supersede",
    "approve, alarm", "guarded: advance, person", "guarded: advance, retire",
    "guarded: next share, alarm", "return, release", "return, return",
}  # fmt: skip
LONGER = {
    "advance, alarm, supersede", "advance, supersede twice", "first release, two ticks at once",
    "guarded: advance, supersede", "guarded: alarm, supersede", "guarded: first share, person",
    "guarded: first share, two ticks at once", "guarded: next share, two ticks at once",
    "guarded: rollback held up, next release", "guarded mirror: advance, alarm",
    "late alarm, next release", "mirror: advance, alarm", "mirror: advance, supersede",
    "mirror: first share, person", "prepare, two ticks at once", "return, release, tick",
    "rollback held up, next release", "supersede twice",
}  # fmt: skip


def bounds(scenario: Scenario) -> list[tuple[int, int, int | None]]:
    """Crashes, faults and switches of a schedule, for each exploration of the scenario."""
    if scenario.name in LONG:
        return [(0, 0, 3 if len(scenario.processes) == 2 else 1), (1, 0, 1), (0, 1, 1)]
    if scenario.name in LONGER:
        return [(0, 0, 2 if len(scenario.processes) == 2 else 1), (1, 0, 1), (0, 1, 0)]
    return BOUNDS[len(scenario.processes)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_schedule_keeps_the_promises(name, record_property):
    scenario = SCENARIOS[name]
    for crashes, faults, switches in bounds(scenario):
        bound = None if switches is None else switches + MORE
        covered = explore(replace(scenario, crashes=crashes, faults=faults, switches=bound))
        record_property(f"{crashes} crashes, {faults} faults, {bound} switches", str(covered))
        assert covered.schedules > 1


def test_one_advance_and_one_alarm_are_over_100_000_schedules():
    began = process_time()
    assert explore(SCENARIOS["advance, alarm"]).schedules > 100_000
    assert process_time() - began < 120


def test_a_schedule_can_be_replayed_and_reads_as_a_script():
    script = "alarm alarm alarm tick tick alarm! tick tick"
    assert [line.split("(")[0].split() for line in replay(SCENARIOS["advance, alarm"], script)] == [
        ["alarm", "outside.alarm"],
        ["alarm", "store.load"],
        ["alarm", "store.commit"],
        ["tick", "aliases.both"],
        ["tick", "store.load"],
        ["alarm!", "aliases.write"],
        ["tick", "aliases.write"],
        ["tick", "aliases.write"],
    ]
