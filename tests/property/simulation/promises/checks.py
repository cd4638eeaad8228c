"""All checks, in the three moments at which they are made: a step, an invocation's end, the end."""

from typing import TYPE_CHECKING

from tests.property.engine.simulation import Ended, Process, Standing
from tests.property.simulation.promises import (
    agreement,
    back,
    deploys,
    errors,
    evidence,
    record,
    restored,
    secrets,
    traffic,
)

if TYPE_CHECKING:
    from tests.property.simulation.stage import Stage
    from tests.property.simulation.world import Snapshot, World


def check_step(world: "World", before: "Snapshot", standing: Standing, now: "Snapshot") -> None:
    """Judge a call that one of Halftone's processes made.

    Raises:
        Broken: naming the promise.
    """
    if now.ledger.restored:
        restored.check_step(before, standing, now)
        return
    record.check_step(before, now)
    traffic.check_step(before, standing, now)
    back.check_step(before, standing, now)
    deploys.check_step(before, standing, now)
    evidence.check_step(world, before, standing, now)
    secrets.check_step(now)


def check_ended(now: "Snapshot", ended: Ended) -> None:
    """Judge how an invocation ended, in the world ``now``.

    Raises:
        Broken: naming the promise.
    """
    errors.check_ended(ended)
    if now.ledger.restored:
        return
    deploys.check_ended(now, ended)


def check_end(stage: "Stage", world: int, repeated: tuple[Process, ...]) -> None:
    """Judge a world in which everybody has gone home.

    Raises:
        Broken: naming the promise.
    """
    quiet = agreement.check_end(stage, world)
    if stage.snapshots[quiet].ledger.restored:
        return
    back.check_repeated(stage, quiet, repeated)
