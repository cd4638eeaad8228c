"""All schedules of a few processes, up to stated bounds, keep the promises.

Two processes are interleaved in every possible way; with a crash or a fault, or with more of them,
a process that could go on is overtaken a bounded number of times. HALFTONE_SWITCHES adds to those
bounds: 1 takes minutes, 2 takes an afternoon.
"""

import os
from dataclasses import replace

import pytest

from tests.property.engine.exploration import explore, replay
from tests.property.engine.mutants import engine
from tests.property.engine.scenarios import scenarios

SCENARIOS = scenarios(engine())
MORE = int(os.environ.get("HALFTONE_SWITCHES", "0"))

# By the number of processes: how many crashes, faults and switches a schedule may have.
BOUNDS = {
    2: [(0, 0, None), (1, 0, 2), (0, 1, 2)],
    3: [(0, 0, 2), (1, 0, 1), (0, 1, 1)],
    4: [(0, 0, 2), (1, 0, 1), (0, 1, 1)],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_schedule_keeps_the_promises(name, record_property):
    scenario = SCENARIOS[name]
    for crashes, faults, switches in BOUNDS[len(scenario.processes)]:
        bound = None if switches is None else switches + MORE
        covered = explore(replace(scenario, crashes=crashes, faults=faults, switches=bound))
        record_property(f"{crashes} crashes, {faults} faults, {bound} switches", str(covered))
        assert covered.schedules > 1


def test_one_advance_and_one_alarm_alone_are_more_than_100_000_schedules():
    assert explore(SCENARIOS["advance, alarm"]).schedules > 100_000


def test_a_schedule_can_be_replayed_and_reads_as_a_script():
    script = "alarm alarm alarm tick tick alarm! tick"
    assert [line.split("(")[0].split() for line in replay(SCENARIOS["advance, alarm"], script)] == [
        ["alarm", "outside.alarm"],
        ["alarm", "store.load"],
        ["alarm", "store.commit"],
        ["tick", "aliases.read"],
        ["tick", "store.load"],
        ["alarm!", "aliases.write"],
        ["tick", "aliases.write"],
    ]
