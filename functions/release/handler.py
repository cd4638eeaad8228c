"""``Custom::Release``: ``on_event`` starts what a deploy asks for, ``is_complete`` waits for it."""

from functools import cache
from typing import Any

from halftone.adapters import cloudformation as asked
from halftone.bootstrap import parts, settings
from halftone.domain.spec import DeployWaits
from halftone.service.await_release import is_settled
from halftone.service.declare import declare, declare_owner
from halftone.service.release import release
from halftone.service.retire import retire
from halftone.service.upkeep import declare_upkeep

_parts = cache(lambda: parts(settings()))


def on_event(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Release on create and update, retire on delete."""
    endpoint = event["ResourceProperties"]["Endpoint"]
    identity = {"PhysicalResourceId": f"release-of-{endpoint}"}
    if event["RequestType"] == "Delete":
        retire(_parts(), endpoint, reason="its stack was deleted", **asked.asked_by(event))
        return identity
    declare_owner(_parts(), **asked.owner_declared(event))
    declare(_parts(), asked.declaration(event))
    declare_upkeep(_parts(), **asked.upkeep_declared(event))
    rollout = release(_parts(), asked.release_request(event))
    return {**identity, "Data": {"Rollout": rollout.id if rollout else ""}}


def is_complete(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Whether the release has come as far as the deploy waits for; raises when it never will."""
    if event["RequestType"] == "Delete":
        return {"IsComplete": True}
    wanted, rollout = event["ResourceProperties"], event["Data"]["Rollout"]
    waits = DeployWaits(wanted["DeployWaits"])
    return {"IsComplete": is_settled(_parts(), wanted["Endpoint"], rollout, waits)}
