"""Promise 16 where a table was restored from a backup: it knows less than the aliases.

What is on record is then not what is so: the engine notices, stops and asks, and moves no traffic
until a person has said which is right.
"""

from halftone.domain.endpoint.state import EndpointState
from tests.property.engine.simulation import Standing
from tests.property.simulation.actors.actor import ROLLBACK, ROLLOUT, Player
from tests.property.simulation.promises import breaks
from tests.property.simulation.world import Snapshot


def check_step(before: Snapshot, standing: Standing, now: Snapshot) -> None:
    """No alias is moved by a process that nobody has asked."""
    process = standing.process
    moved = (before.alias, before.challenger_alias) != (now.alias, now.challenger_alias)
    loads = [a.value for c, a in standing.heard if c.name == "store.load" and not a.error]
    read = loads[-1] if loads else None
    older = isinstance(read, EndpointState) and before.state and read.audit != before.state.audit
    if older:
        return  # it read the record before the table was restored: that is for the next tick to see
    if moved and isinstance(process, Player) and process.role in (ROLLOUT, ROLLBACK):
        told = f"{process.name} moves {before.alias} to {now.alias} by a table that was restored"
        breaks(16, "moved after a restore", told)
