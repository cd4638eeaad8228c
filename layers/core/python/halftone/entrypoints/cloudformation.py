"""``Custom::Release`` as CloudFormation words it, turned into requests to the engine."""

import json
from collections.abc import Mapping
from typing import Any

from halftone.domain.access import VIA
from halftone.domain.rollout.deploys import Declaration
from halftone.domain.rollout.plan_schema import load_plan
from halftone.service.releases.deploy_events import Deletion, Deploy, Resource


def actor_of(event: Mapping[str, Any]) -> str:
    """The stack that asks: CloudFormation does not pass on whose credentials started the deploy."""
    return f"cloudformation/{event['StackId'].split('/')[-2]}"


def deployer_of(event: Mapping[str, Any]) -> str:
    """Who deploys: the person whom the template names, through the stack; else the stack alone.

    It is what whoever synthesised the template said. A deletion does not name its author: the
    template is that of the last deploy.
    """
    person = event["ResourceProperties"].get("Deployer")
    stack = actor_of(event)
    return f"{person}{VIA}{stack}" if person else stack


def deploy_of(event: Mapping[str, Any]) -> Deploy:
    """The deploy in a Create or Update event.

    CloudFormation's request id is the idempotency key: an event that is delivered again carries the
    same one.

    Raises:
        InvalidInput: naming the field of the plan that can't be read.
    """
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties")
    return Deploy(
        endpoint=wanted["Endpoint"],
        resource=_resource(event),
        request=event["RequestId"],
        actor=deployer_of(event),
        now=declaration(wanted),
        plan=load_plan(json.loads(wanted["Plan"])),
        bucket=wanted["Bucket"],
        object_key=wanted["Key"],
        environment_key=wanted.get("EnvironmentKey", ""),
        before=declaration(before) if before else None,
        endpoint_before=before["Endpoint"] if before else None,
    )


def deletion_of(event: Mapping[str, Any]) -> Deletion:
    """The deletion in a Delete event."""
    return Deletion(
        endpoint=event["ResourceProperties"]["Endpoint"],
        resource=_resource(event),
        request=event["RequestId"],
        actor=actor_of(event),
    )


def declaration(properties: Mapping[str, Any]) -> Declaration:
    """What the properties of a ``Custom::Release`` declare."""
    return Declaration(
        serving=json.loads(properties.get("Serving", "{}")),
        upkeep=json.loads(properties.get("Upkeep", "{}")),
        owner=properties.get("Group") or None,
        digest=properties["Digest"],
        settings=properties["Settings"],
    )


def _resource(event: Mapping[str, Any]) -> Resource:
    return Resource(
        event["StackId"], event["LogicalResourceId"], event.get("PhysicalResourceId", "")
    )
