"""The workflow and the schedule: whatever calls the tick."""

from typing import Any

from halftone.domain.audit import Author
from halftone.domain.rollout.evidence import BUCKET
from halftone.ports import Ports
from halftone.service.rollouts import advance as ticks
from halftone.service.rollouts import rollback
from tests.property.engine.simulation import Act, Outside
from tests.property.simulation.actors.actor import ROLLBACK, ROLLOUT, Actor, happens
from tests.support.engine import EVERY, NAME


def _tick(ports: Ports, _: Outside, __: Any) -> object:
    return ticks.advance(ports, NAME, None, every=EVERY)


TICK = Act(_tick)
TEN_SECONDS = happens("pass_by", BUCKET.total_seconds())

NEXT_TICK = Actor("the next tick", "workflow", ROLLOUT, (TEN_SECONDS, TICK))
"""What comes ten seconds after everything else."""


def _fails(ports: Ports, outside: Outside, _: Any) -> object:
    rollout = outside("running_rollout")
    if rollout is None:
        return None
    reason = "the workflow failed: States.Timeout"
    return rollback.roll_back(ports, NAME, author=Author("workflow", reason), rollout=rollout)


ACTORS = (
    Actor("tick", "workflow", ROLLOUT, (TICK,)),
    Actor("workflow", "workflow", ROLLOUT, (TICK, TEN_SECONDS, TICK)),
    Actor("schedule", "workflow", ROLLOUT, (TICK, TEN_SECONDS, TICK)),
    Actor("workflow that fails", "workflow-failure", ROLLBACK, (Act(_fails, again=2),),
          frozenset({"watched", "passing on", "at the gate", "scored"})),
)  # fmt: skip
