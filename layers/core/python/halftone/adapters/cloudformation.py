"""``Custom::Release`` as CloudFormation words it, turned into requests to the engine."""

import json
from typing import Any

from halftone.domain.plan_form import parse_plan
from halftone.service.declare import Declaration
from halftone.service.release import ReleaseRequest


def actor_of(event: dict[str, Any]) -> str:
    """Who asks: CloudFormation does not pass on whose credentials started the deploy."""
    return f"cloudformation/{event['StackId'].split('/')[-2]}"


def asked_by(event: dict[str, Any]) -> dict[str, str]:
    """Who asks, and the key by which the same event is known again."""
    return {"actor": actor_of(event), "key": event["RequestId"]}


def release_request(event: dict[str, Any]) -> ReleaseRequest:
    """The request in a create or update event.

    CloudFormation's request id is the idempotency key: an event that is delivered again carries the
    same one. A deploy supersedes whatever is rolling out.
    """
    wanted = event["ResourceProperties"]
    before = event.get("OldResourceProperties")
    return ReleaseRequest(
        endpoint=wanted["Endpoint"],
        bucket=wanted["Bucket"],
        object_key=wanted["Key"],
        digest=wanted["Digest"],
        settings=wanted["Settings"],
        plan=parse_plan(json.loads(wanted["Plan"])),
        actor=actor_of(event),
        key=event["RequestId"],
        owner=wanted.get("Group") or None,
        previous=(before["Digest"], before["Settings"]) if before else None,
        supersede=True,
    )


def declaration(event: dict[str, Any]) -> Declaration:
    """The serving settings in a create or update event, and what they were before."""
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    return Declaration(
        endpoint=wanted["Endpoint"],
        now=json.loads(wanted.get("Serving", "{}")),
        before=json.loads(before.get("Serving", "{}")),
        actor=actor_of(event),
        key=f"{event['RequestId']}/serving",
        owner=wanted.get("Group") or None,
        releases=any(wanted[name] != before.get(name) for name in ("Digest", "Settings")),
    )


def owner_declared(event: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``declare_owner`` in a create or update event."""
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    return {
        "endpoint": wanted["Endpoint"],
        "now": wanted.get("Group") or None,
        "before": before.get("Group") or None,
        "actor": actor_of(event),
        "key": f"{event['RequestId']}/owner",
    }


def upkeep_declared(event: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``declare_upkeep`` in a create or update event."""
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    return {
        "endpoint": wanted["Endpoint"],
        "now": json.loads(wanted.get("Upkeep", "{}")),
        "before": json.loads(before.get("Upkeep", "{}")),
        "actor": actor_of(event),
        "key": f"{event['RequestId']}/upkeep",
        "owner": wanted.get("Group") or None,
    }
