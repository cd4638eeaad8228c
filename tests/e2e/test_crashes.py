"""Processes that die in the middle of a step, on real parts: record and alias must agree again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from tests.e2e.support import Stage

TICK_THAT_DIES = Path(__file__).with_name("tick_that_dies.py")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_tick_killed_around_the_alias_write_is_repaired(stage: Stage, moment: str) -> None:
    """The rollout function's process gets SIGKILL right before, or right after, ``UpdateAlias``."""
    endpoint = f"killed-{moment}"
    stage.release(
        endpoint,
        "challenger",
        steps=[{"weight": 20, "min_time": "1h", "min_requests": 1}],
        idle=True,
    )
    died = subprocess.run(
        [sys.executable, str(TICK_THAT_DIES), endpoint, moment], check=False, timeout=120
    )
    assert died.returncode == -signal.SIGKILL

    # The crash left what it should: an intent on record, and the alias on either side of it.
    crashed = stage.rollout(endpoint)
    assert (crashed.phase, crashed.share, crashed.target) == (Phase.SHIFTING, 0.0, 20.0)
    share = stage.ports.aliases.read(endpoint).routing.share_of("2")
    assert share == (0.0 if moment == "before" else 20.0)

    stage.ports.workflow.start(endpoint, crashed.id)

    agreed = stage.until_phase(endpoint, Phase.OBSERVING)
    assert agreed.share == 20.0
    assert stage.ports.aliases.read(endpoint).routing == Routing("1", "2", 20.0)


def test_a_rollout_whose_function_keeps_dying_still_arrives(stage: Stage) -> None:
    """The local AWS' own workers of the rollout function get SIGKILL while the workflow runs."""
    stage.release("killed", "challenger")
    kills, function = 0, stage.cloud.outputs()["RolloutFunction"]
    with stage.traffic("killed") as traffic:
        deadline = time.monotonic() + 60
        while kills < 5 and time.monotonic() < deadline and not _over(stage):
            kills += sum(_kill(pid) for pid in _workers(stage, function))
            time.sleep(2.5)
        rollout = stage.until_over("killed", seconds=200)

    assert kills >= 3, "the test must have hurt something"
    # Lost ticks cost time, never the outcome: the rollout ends where its evidence leads, and the
    # record says what the alias says.
    assert rollout.phase is Phase.PROMOTED, rollout.reason
    assert stage.ports.aliases.read("killed").routing == Routing("2")
    assert {answer.status for answer in traffic.answers} == {200}


def _over(stage: Stage) -> bool:
    return stage.rollout("killed").phase.final


def _workers(stage: Stage, function: str) -> list[int]:
    """Processes of this local AWS that run ``function``, found by the folder they run in."""
    needle = f"lambda-{function}-".encode()
    result = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            ours = os.getpgid(int(entry.name)) == stage.cloud.aws.pid
            if ours and needle in (entry / "cmdline").read_bytes():
                result.append(int(entry.name))
        except (OSError, ProcessLookupError):
            continue
    return result


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
