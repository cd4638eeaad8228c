"""What people may ask of the control API: a managed policy for each role, to attach to theirs.

IAM lets a principal reach an operation; whose endpoints it may touch there, groups say
(``halftone.domain.access``). Which operation takes which action is read from the committed OpenAPI
document, so that an operation can't be added without being somebody's. IAM's ``*`` takes in
slashes: tests/infra/test_roles.py holds that no pattern lets through what its role may not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_iam as iam
from constructs import Construct

from halftone.domain.access import MAY, Action, Role
from halftone_cdk.paths import OPENAPI

_DESCRIBED = {
    Role.VIEWER: "May look at everything",
    Role.RELEASER: "May release, operate rollouts and change settings",
    Role.APPROVER: "May approve, promote and operate rollouts",
    Role.ADMIN: "May do everything",
}


@dataclass(frozen=True)
class Operation:
    """An operation of the control API, and the action that it takes."""

    method: str
    path: str
    action: Action


class Roles(Construct):
    """The managed policies ``halftone-<stage>-<role>``."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: str, http_api: api.IHttpApi
    ) -> None:
        super().__init__(scope, construct_id)
        all_operations = tuple(operations())
        for role in Role:
            resources = [self._arn(http_api, pattern) for pattern in patterns(role, all_operations)]
            iam.ManagedPolicy(
                self,
                role.value.title(),
                managed_policy_name=f"halftone-{stage}-{role}",
                description=f"{_DESCRIBED[role]} in the Halftone stage {stage}",
                statements=[
                    iam.PolicyStatement(actions=["execute-api:Invoke"], resources=resources)
                ],
            )

    def _arn(self, http_api: api.IHttpApi, pattern: str) -> str:
        return Stack.of(self).format_arn(
            service="execute-api", resource=http_api.api_id, resource_name=f"$default/{pattern}"
        )


def operations() -> Iterator[Operation]:
    """The operations in the OpenAPI document."""
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Operation(method.upper(), path, Action(operation["x-halftone-action"]))


def patterns(role: Role, all_operations: tuple[Operation, ...]) -> list[str]:
    """``METHOD/path`` with wildcards: what ``role`` may invoke."""
    if MAY[role] == frozenset(Action):
        return ["*/v1/*"]
    changes = {
        f"{operation.method}{_wild(operation.path)}"
        for operation in all_operations
        if operation.action in MAY[role] and operation.method != "GET"
    }
    return ["GET/v1/*", *sorted(changes)]


def _wild(path: str) -> str:
    return "/".join("*" if step.startswith("{") else step for step in path.split("/"))
