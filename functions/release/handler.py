"""``Custom::Release``: ``on_event`` starts what a deploy asks for, ``is_complete`` waits for it."""

from functools import cache
from typing import Any

from halftone.adapters.cloudformation import actor_of, declaration, release_request
from halftone.bootstrap import parts, settings
from halftone.domain.spec import DeployWaits
from halftone.service.await_release import is_settled
from halftone.service.declare import declare
from halftone.service.ports import Parts
from halftone.service.release import release
from halftone.service.retire import retire


@cache
def _parts() -> Parts:
    return parts(settings())


def on_event(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Release on create and update, retire on delete."""
    endpoint = event["ResourceProperties"]["Endpoint"]
    identity = {"PhysicalResourceId": f"release-of-{endpoint}"}
    if event["RequestType"] == "Delete":
        actor, key = actor_of(event), event["RequestId"]
        retire(_parts(), endpoint, actor=actor, reason="its stack was deleted", key=key)
        return identity
    declare(_parts(), declaration(event))
    rollout = release(_parts(), release_request(event))
    return {**identity, "Data": {"Rollout": rollout.id if rollout else ""}}


def is_complete(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Whether the release has come as far as the deploy waits for; raises when it never will."""
    if event["RequestType"] == "Delete":
        return {"IsComplete": True}
    wanted = event["ResourceProperties"]
    waits, rollout = DeployWaits(wanted["DeployWaits"]), event["Data"]["Rollout"]
    return {"IsComplete": is_settled(_parts(), wanted["Endpoint"], rollout, waits)}
