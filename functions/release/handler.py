"""``Custom::Release``: ``on_event`` starts what a deploy asks for, ``is_complete`` waits for it."""

from functools import cache
from typing import Any

from halftone.bootstrap import ports, settings
from halftone.domain.endpoint.spec import DeployWaits
from halftone.entrypoints.cloudformation import deletion_of, deploy_of
from halftone.service.releases.await_release import is_settled
from halftone.service.releases.deploy import apply_deploy, remove_deploy

_ports = cache(lambda: ports(settings()))


def on_event(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Deploy on create and update, retire on delete."""
    if event["RequestType"] == "Delete":
        remove_deploy(_ports(), deletion_of(event))
        return {"PhysicalResourceId": event["PhysicalResourceId"]}
    deployed = apply_deploy(_ports(), deploy_of(event))
    return {"PhysicalResourceId": deployed.physical, "Data": {"Rollout": deployed.rollout}}


def is_complete(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Whether the release has come as far as the deploy waits for; raises when it never will."""
    if event["RequestType"] == "Delete":
        return {"IsComplete": True}
    wanted, rollout = event["ResourceProperties"], event["Data"]["Rollout"]
    waits = DeployWaits(wanted["DeployWaits"])
    return {"IsComplete": is_settled(_ports(), wanted["Endpoint"], rollout, waits)}
