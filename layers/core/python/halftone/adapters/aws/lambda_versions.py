"""Published versions of an endpoint's function on Lambda.

A package becomes a version by way of the function's environment: two variables, the model pointer,
name it. The pointer carries the rollout's id, so that publishing twice finds nothing changed and
answers with the same version, while a new rollout of the same package makes a new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ReadTimeoutError

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import ConcurrentWrite, Conflict, InvalidInput, NotFound, Unavailable
from halftone.domain.names import function_name
from halftone.ports.functions import Pointer, VersionStatus

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

ROLLOUT = "HALFTONE_DEPLOYMENT"
PACKAGE = "HALFTONE_PACKAGE"


class LambdaVersions:
    """Port ``Versions`` on AWS Lambda; ``invoker`` is a client patient enough for a model."""

    def __init__(self, client: LambdaClient, invoker: LambdaClient, stage: str) -> None:
        self._lambda = client
        self._invoker = invoker
        self._stage = stage

    def point(self, endpoint: str, pointer: Pointer) -> VersionStatus:
        """See the port. One call, or two when the pointer must be written."""
        configuration = self._configuration(endpoint)
        updated = configuration.get("LastUpdateStatus", "Successful")
        if updated == "InProgress" or configuration.get("State") == "Pending":
            return VersionStatus.PENDING
        variables = dict(configuration.get("Environment", {}).get("Variables", {}))
        pointer_variables = {ROLLOUT: pointer.rollout, PACKAGE: pointer.digest}
        if pointer_variables.items() <= variables.items():
            return VersionStatus.FAILED if updated == "Failed" else VersionStatus.READY
        raced = ConcurrentWrite(f"the function of {endpoint!r} was changed at the same time")
        with translated(
            f"pointing the function of {endpoint!r} at {pointer.digest[:12]}",
            {"PreconditionFailedException": raced, "ResourceConflictException": raced},
        ):
            self._lambda.update_function_configuration(
                FunctionName=function_name(self._stage, endpoint),
                Environment={"Variables": {**variables, **pointer_variables}},
                RevisionId=configuration["RevisionId"],
            )
        return VersionStatus.PENDING

    def publish(self, endpoint: str, pointer: Pointer) -> str:
        """See the port. Two calls: the second is bound to what the first one read."""
        configuration = self._configuration(endpoint)
        variables = configuration.get("Environment", {}).get("Variables", {})
        raced = ConcurrentWrite(f"the function of {endpoint!r} does not carry {pointer}")
        if (variables.get(ROLLOUT), variables.get(PACKAGE)) != (pointer.rollout, pointer.digest):
            raise raced
        with translated(
            f"publishing a version of {endpoint!r}",
            {"PreconditionFailedException": raced, "ResourceConflictException": raced},
        ):
            published = self._lambda.publish_version(
                FunctionName=function_name(self._stage, endpoint),
                RevisionId=configuration["RevisionId"],
                Description=f"rollout {pointer.rollout}, package {pointer.digest[:12]}",
            )
        return published["Version"]

    def status(self, endpoint: str, version: str) -> tuple[VersionStatus, str]:
        """See the port. One call."""
        configuration = self._configuration(endpoint, version)
        state = configuration.get("State", "Active")
        if state == "Pending":
            return VersionStatus.PENDING, ""
        if state == "Failed":
            why = configuration.get("StateReason", "no reason given")
            return VersionStatus.FAILED, why
        # A version that was idle for weeks is Inactive, and wakes up when it is invoked.
        return VersionStatus.READY, ""

    def pointer(self, endpoint: str, version: str) -> Pointer:
        """See the port. One call."""
        environment = self._configuration(endpoint, version).get("Environment", {})
        variables = environment.get("Variables", {})
        return Pointer(variables.get(ROLLOUT, ""), variables.get(PACKAGE, ""))

    def memory(self, endpoint: str, version: str) -> int:
        """See the port. One call."""
        return self._configuration(endpoint, version)["MemorySize"]

    def delete(self, endpoint: str, version: str) -> None:
        """See the port. Two calls: the second reads that it is gone."""
        if not version.isdecimal():
            # Without a number the call would delete the whole function.
            raise InvalidInput("version", version, "the number of a published version")
        name = function_name(self._stage, endpoint)
        taken = Conflict(
            f"version {version} of {endpoint!r} is held by an alias: Lambda does not delete it"
        )
        with (
            suppress(NotFound),
            translated(
                f"deleting version {version} of {endpoint!r}",
                {
                    "ResourceNotFoundException": NotFound("version", version),
                    "ResourceConflictException": taken,
                },
            ),
        ):
            self._lambda.delete_function(FunctionName=name, Qualifier=version)
        with suppress(NotFound):
            self._configuration(endpoint, version)
            raise Unavailable(
                f"Lambda still has version {version} of {endpoint!r}: delete it again"
            )

    def invoke(self, endpoint: str, version: str, event: Mapping[str, object]) -> dict[str, object]:
        """See the port. One call."""
        with translated(f"invoking version {version} of {endpoint!r}"):
            try:
                answer = self._invoker.invoke(
                    FunctionName=function_name(self._stage, endpoint),
                    Qualifier=version,
                    Payload=json.dumps(event).encode(),
                )
                payload = json.loads(answer["Payload"].read() or b"null")
            except ReadTimeoutError as error:
                return {"statusCode": 500, "body": f"no answer in time: {error}"}
        if answer.get("FunctionError") or not isinstance(payload, dict):
            return {"statusCode": 500, "body": f"the function failed: {payload}"}
        return payload

    def _configuration(
        self, endpoint: str, version: str | None = None
    ) -> FunctionConfigurationResponseTypeDef:
        name = function_name(self._stage, endpoint)
        qualifier = {"Qualifier": version} if version else {}
        missing = (
            NotFound("version", version, f"function {name!r} does not have it")
            if version
            else NotFound("endpoint", endpoint, f"no function {name!r}")
        )
        with translated(
            f"reading the function of {endpoint!r}", {"ResourceNotFoundException": missing}
        ):
            return self._lambda.get_function_configuration(FunctionName=name, **qualifier)
