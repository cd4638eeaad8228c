"""Reserved and provisioned concurrency on Lambda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated
from halftone.domain.errors import Conflict, HalftoneError, NotFound
from halftone.domain.names import function_name
from halftone.ports.capacity import Provisioned

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaScaling:
    """Port ``Scaling`` on Lambda."""

    def __init__(self, client: LambdaClient, stage: str) -> None:
        self._lambda = client
        self._stage = stage

    def reserve(self, endpoint: str, concurrency: int | None) -> None:
        """See the port. One call."""
        name = function_name(self._stage, endpoint)
        missing = NotFound("endpoint", endpoint, f"no function {name!r}")
        with _translated(f"reserving concurrency for {endpoint!r}", missing):
            if concurrency is None:
                self._lambda.delete_function_concurrency(FunctionName=name)
            else:
                self._lambda.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=concurrency
                )

    def provision(self, endpoint: str, version: str, replicas: int) -> None:
        """See the port. One call."""
        name = function_name(self._stage, endpoint)
        doing = f"keeping {replicas} replicas of version {version} of {endpoint!r} ready"
        with _translated(doing, self._missing(endpoint, version)):
            if replicas:
                self._lambda.put_provisioned_concurrency_config(
                    FunctionName=name,
                    Qualifier=version,
                    ProvisionedConcurrentExecutions=replicas,
                )
            else:
                self._lambda.delete_provisioned_concurrency_config(
                    FunctionName=name, Qualifier=version
                )

    def provisioned(self, endpoint: str, version: str) -> Provisioned:
        """See the port. One call."""
        name = function_name(self._stage, endpoint)
        doing = f"reading the replicas of version {version} of {endpoint!r}"
        with _translated(doing, self._missing(endpoint, version)):
            try:
                config = self._lambda.get_provisioned_concurrency_config(
                    FunctionName=name, Qualifier=version
                )
            except ClientError as error:
                if error_code(error) == "ProvisionedConcurrencyConfigNotFoundException":
                    return Provisioned()
                raise
        return Provisioned(
            config.get("RequestedProvisionedConcurrentExecutions", 0),
            config.get("AvailableProvisionedConcurrentExecutions", 0),
            config.get("StatusReason", ""),
        )

    def _missing(self, endpoint: str, version: str) -> NotFound:
        name = function_name(self._stage, endpoint)
        return NotFound("version", version, f"function {name!r} of {endpoint!r} does not have it")


@contextmanager
def _translated(doing: str, missing: HalftoneError) -> Iterator[None]:
    """``translated``, with Lambda's own words where it refuses what it was asked for."""
    with translated(doing, {"ResourceNotFoundException": missing}):
        try:
            yield
        except ClientError as error:
            if error_code(error) in _REFUSALS:
                message = error.response.get("Error", {}).get("Message", "no reason given")
                raise Conflict(f"Lambda refused {doing}: {message}") from error
            raise


_REFUSALS = (
    "InvalidParameterValueException",
    "ResourceConflictException",
    "LimitExceededException",
    "ServiceQuotaExceededException",
)
