"""A CloudFormation stack with ``Custom::Release`` in it, as the events that CloudFormation sends.

The order of events is CloudFormation's: an update that fails sends each changed resource back by an
Update with old and new properties exchanged (status ``UPDATE_ROLLBACK_IN_PROGRESS``), then deletes
what it created; one that succeeds deletes what it replaced or removed. A Create that the provider
answered with an error is deleted without an event, as CDK's provider framework does.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from halftone.domain.errors import HalftoneError, Unavailable
from halftone.domain.rollout.plan import Plan
from halftone.domain.rollout.plan_schema import dump_plan
from halftone.entrypoints.cloudformation import deletion_of, deploy_of
from halftone.service.releases.deploy import apply_deploy, remove_deploy
from tests.support.engine import NAME, Endpoint
from tests.support.rollouts import PLAN

ARN = "arn:aws:cloudformation:eu-west-1:123456789012:stack"
_requests = count(1)


@dataclass(frozen=True)
class Declared:
    """What ``endpoint.yaml`` says, the logical id of its resource, and whose deploy it is."""

    model: str = "m1"
    serving: dict[str, Any] = field(default_factory=dict)
    upkeep: dict[str, Any] = field(default_factory=dict)
    group: str | None = None
    settings: str = "s1"
    endpoint: str = NAME
    logical: str = "Release"
    plan: Plan = PLAN
    deployer: str = ""

    def but(self, **changes: Any) -> "Declared":
        """This declaration with changes."""
        return replace(self, **changes)

    def properties(self, endpoint: Endpoint) -> dict[str, Any]:
        """The resource's properties; the package is put where they say."""
        request = endpoint.request(self.model)
        return {
            "Endpoint": self.endpoint,
            "Bucket": request.bucket,
            "Key": request.object_key,
            "Digest": request.digest,
            "Settings": self.settings,
            "Plan": json.dumps(dump_plan(self.plan)),
            **({"Group": self.group} if self.group else {}),
            "Serving": json.dumps(self.serving),
            "Upkeep": json.dumps(self.upkeep),
            "DeployWaits": "prepared",
            **({"Deployer": self.deployer} if self.deployer else {}),
        }


@dataclass(frozen=True)
class Known:
    """A resource as the stack knows it."""

    physical: str
    properties: dict[str, Any]


class Stack:
    """One stack on the parts of ``endpoint``. ``sent`` are all events, in order.

    ``repeats`` is how often each event is delivered. ``silent``: its status can't be read.
    """

    def __init__(self, endpoint: Endpoint, name: str = "fraud", *, repeats: int = 1) -> None:
        self.endpoint = endpoint
        self.arn = f"{ARN}/{name}/1b2c"
        self.repeats = repeats
        self.resources: dict[str, Known] = {}
        self.stable: dict[str, Known] = {}
        self.sent: list[dict[str, Any]] = []
        self.error: HalftoneError | None = None

    @property
    def status(self) -> str | None:
        """The stack's status."""
        return self.endpoint.world.stacks.statuses.get(self.arn)

    @status.setter
    def status(self, status: str) -> None:
        self.endpoint.world.stacks.statuses[self.arn] = status

    def deploy(self, *declared: Declared) -> bool:
        """Deploy, as `cdk deploy` does; whether it succeeded. ``error`` is why it did not."""
        if not self.update(*declared):
            self.go_back()
            return False
        self.finish()
        return True

    def deploy_and_fail(self, *declared: Declared) -> None:
        """Deploy, and fail at another resource of the stack after this one went through."""
        assert self.update(*declared), self.error
        self.go_back()

    def update(self, *declared: Declared) -> bool:
        """Send what creates and changes resources, as far as it succeeds."""
        first = not self.stable and not self.resources
        self.status = "CREATE_IN_PROGRESS" if first else "UPDATE_IN_PROGRESS"
        self.error = None
        for wanted in declared:
            properties = wanted.properties(self.endpoint)
            known = self.resources.get(wanted.logical)
            if known and known.properties == properties:
                continue
            try:
                physical = self._apply(wanted.logical, properties, known)
            except HalftoneError as error:
                self.error = error
                if known:
                    self.resources[wanted.logical] = Known(known.physical, properties)
                return False
            self.resources[wanted.logical] = Known(physical, properties)
        self._wanted = {wanted.logical for wanted in declared}
        return True

    def finish(self) -> None:
        """Delete what was replaced or removed; the deploy has succeeded."""
        first = not self.stable
        self.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        for logical, known in self.stable.items():
            now = self.resources.get(logical)
            if logical not in self._wanted or (now and now.physical != known.physical):
                self.delete_resource(logical, known)
        self.resources = {n: k for n, k in self.resources.items() if n in self._wanted}
        self.stable = dict(self.resources)
        self.status = "CREATE_COMPLETE" if first else "UPDATE_COMPLETE"

    def go_back(self) -> None:
        """Return to what was before, in CloudFormation's order."""
        first = not self.stable
        self.status = "ROLLBACK_IN_PROGRESS" if first else "UPDATE_ROLLBACK_IN_PROGRESS"
        created = {n: k for n, k in self.resources.items() if n not in self.stable}
        for logical, known in self.stable.items():
            now = self.resources[logical]
            if now.properties != known.properties:
                physical = self._apply(logical, known.properties, now)
                assert physical == known.physical
                if now.physical != known.physical:
                    created[logical] = now
        if not first:
            self.status = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
        for logical, known in created.items():
            # A failed deletion does not fail the return.
            with suppress(Unavailable):
                self.delete_resource(logical, known)
        self.resources = dict(self.stable)
        self.status = "ROLLBACK_COMPLETE" if first else "UPDATE_ROLLBACK_COMPLETE"

    def delete(self) -> None:
        """Delete the stack."""
        self.status = "DELETE_IN_PROGRESS"
        for logical, known in self.resources.items():
            self.delete_resource(logical, known)
        self.resources, self.stable = {}, {}
        self.status = "DELETE_COMPLETE"

    def again(self, index: int) -> None:
        """Deliver an event that was sent once more, whatever the stack's status is now."""
        with suppress(HalftoneError):
            deliver(self.endpoint, self.sent[index])

    def _apply(self, logical: str, properties: dict[str, Any], before: Known | None) -> str:
        event = self._event("Update" if before else "Create", logical, properties)
        if before:
            event["PhysicalResourceId"] = before.physical
            event["OldResourceProperties"] = before.properties
        return self._send(event)

    def delete_resource(self, logical: str, known: Known) -> None:
        """Send the event of one resource's deletion."""
        event = self._event("Delete", logical, known.properties)
        self._send({**event, "PhysicalResourceId": known.physical})

    def _send(self, event: dict[str, Any]) -> str:
        self.sent.append(event)
        for _ in range(self.repeats):
            physical = deliver(self.endpoint, event)
        return physical

    def _event(self, kind: str, logical: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "RequestType": kind,
            "RequestId": f"r-{next(_requests)}",
            "StackId": self.arn,
            "LogicalResourceId": logical,
            "ResourceProperties": properties,
        }


def deliver(endpoint: Endpoint, event: dict[str, Any]) -> str:
    """What the function behind ``Custom::Release`` does with ``event``; the physical id."""
    if event["RequestType"] == "Delete":
        remove_deploy(endpoint.ports, deletion_of(event))
        return str(event["PhysicalResourceId"])
    return apply_deploy(endpoint.ports, deploy_of(event)).physical
