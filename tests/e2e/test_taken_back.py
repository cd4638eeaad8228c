"""Back, on real parts: what was taken back answers nobody, and several who say it go back once."""

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from halftone.domain.audit import Author
from halftone.domain.endpoint.projection import shares
from halftone.domain.errors import PreconditionFailed
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import Routing
from halftone.service.endpoints.policy import set_traffic
from halftone.service.rollouts.advance import advance
from tests.e2e.people import Person
from tests.e2e.support import MODELS, Stage
from tests.e2e.test_commands import halftone
from tests.e2e.test_guarded import ask

AT_ONCE = {"steps": [{"weight": 100}], "bake": "none"}
HELD = [{"weight": 50, "min_time": "1h", "min_requests": 1}]
SPREAD = 12
"""Seconds after which every front has read the newest routes, and every version that they call."""


def serve(stage: Stage, endpoint: str, *models: str) -> None:
    """Release ``models`` in turn, each to all traffic at once."""
    for model in models:
        stage.release(endpoint, model, **AT_ONCE)
        assert stage.until_over(endpoint).phase is Phase.PROMOTED


def done(ran: subprocess.CompletedProcess[str]) -> str:
    """What a command that went well has printed."""
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def versions(stage: Stage, endpoint: str, count: int = 40) -> set[str]:
    """Who answers so many requests that name no version."""
    answers = [ask(stage, endpoint, {}) for _ in range(count)]
    assert {status for status, _ in answers} == {200}
    return {version for _, version in answers}


def champion(stage: Stage, endpoint: str) -> str:
    """The champion on record, which must be what the aliases say."""
    state = stage.state(endpoint)
    assert state.champion is not None
    home, aliases = Routing(state.champion.version), stage.ports.aliases.both(endpoint)
    assert (aliases.live.routing, aliases.challenger.routing) == (home, home)
    return state.champion.version


def test_a_share_does_not_outlive_the_return_of_its_version(stage: Stage) -> None:
    name = "taken-back"
    serve(stage, name, "challenger", "champion")
    done(halftone(stage, "traffic", name, "2=60", "champion=40"))
    stage.until("both answer", lambda: versions(stage, name) == {"2", "3"})
    process = done(halftone(stage, "status", name))
    assert "40 % version 3, 60 % version 2" in process

    done(halftone(stage, "rollback", name, "--to", "2", "--yes"))
    done(halftone(stage, "rollback", name, "--to", "1", "--yes"))

    stage.until("1 alone answers", lambda: versions(stage, name) == {"1"}, SPREAD)
    assert versions(stage, name, 100) == {"1"}
    assert shares(stage.state(name)) == {"1": 100.0}
    for version in ("2", "3"):
        refused = halftone(stage, "traffic", name, f"{version}=50", "champion=50")
        assert refused.returncode == 4, refused.stderr
        assert f"version {version} was taken back" in refused.stderr
    assert ask(stage, name, {"x-halftone-deployment": "2"}) == (200, "2")


def test_back_is_in_time_and_said_by_three_at_once_goes_once(
    stage: Stage, person: Callable[[str], Person]
) -> None:
    name = "back-in-time"
    serve(stage, name, "challenger")
    done(halftone(stage, "rollback", name, "--yes"))
    assert champion(stage, name) == "1"
    serve(stage, name, "challenger")
    done(halftone(stage, "rollback", name, "--yes"))
    assert champion(stage, name) == "1", "and not 2, which was taken back"

    serve(stage, name, "challenger", "champion")
    assert champion(stage, name) == "5"
    before = len(stage.records(name))
    ann = person("ann-who-is-impatient")
    path = f"/v1/endpoints/{name}/rollback"

    def says(key: str) -> int:
        # What the command sends for each of three people who look at the same status.
        return ann.ask("POST", path, {}, idempotency_key=key, halftone_seen="5")[0]

    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(says, ["said-at-once-1", "said-at-once-2", "said-at-once-3"]))

    assert ended == [200, 200, 200]
    assert champion(stage, name) == "4"
    returns = [r.action for r in stage.records(name)[before:]]
    assert returns.count("return") == 1
    assert ann.ask("POST", path, {}, idempotency_key="said-by-nobody")[0] == 428


def test_a_refused_or_stale_change_leaves_a_rollout_its_alarms(
    stage: Stage, tmp_path: Path
) -> None:
    name = "watched-on"
    stage.release(name, "challenger", idle=True, steps=HELD, bake="none")
    tick(stage, name, Phase.OBSERVING)
    another = shutil.copytree(MODELS / "challenger", tmp_path / "another")
    with (another / "predict.py").open("a") as code:
        code.write("# another package\n")
    stage.release(name, str(another), idle=True, supersede=True, steps=HELD, bake="none")
    tick(stage, name, Phase.OBSERVING)
    assert stage.rollout(name).challenger == "3"
    before = stage.ports.guardrails.read(name)
    assert before.armed_for == "3"

    refused = halftone(stage, "traffic", name, "2=10", "champion=90")
    assert refused.returncode == 4
    assert "the alarms watch the challenger" in refused.stderr
    with pytest.raises(PreconditionFailed):
        set_traffic(
            stage.ports, name, {"2": 10, "champion": 90}, author=Author("ben", "late", revision=1)
        )

    after = stage.ports.guardrails.read(name)
    assert (after.armed_for, after.alias, after.state) == ("3", before.alias, before.state)
    assert stage.rollout(name).phase is Phase.OBSERVING
    done(halftone(stage, "rollout", "abort", name, "--message", "enough"))
    assert champion(stage, name) == "1"


def tick(stage: Stage, endpoint: str, phase: Phase) -> None:
    """Tick by hand until the rollout is in ``phase``."""

    def arrived() -> bool:
        advance(stage.ports, endpoint, None, every=timedelta(seconds=1))
        return stage.rollout(endpoint).phase is phase

    stage.until(f"{endpoint} {phase}", arrived)
