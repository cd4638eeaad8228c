"""All actors, by their names."""

from collections.abc import Mapping

from tests.property.simulation.actors import (
    alarms,
    clients,
    deployments,
    deploys,
    feedback,
    operators,
    people,
    platform,
    workflow,
)
from tests.property.simulation.actors.actor import Actor

ACTORS: Mapping[str, Actor] = {
    actor.name: actor
    for module in (
        workflow, operators, people, deployments, alarms, deploys, clients, feedback, platform,
    )
    for actor in module.ACTORS
}  # fmt: skip
