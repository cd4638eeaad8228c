"""The rollout workflow on Step Functions: one execution a rollout, named by its id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from halftone.adapters.aws.clients import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsWorkflow:
    """Port ``Workflow`` on AWS Step Functions (Standard)."""

    def __init__(self, client: SFNClient, state_machine: str) -> None:
        self._sfn = client
        self._arn = state_machine

    def start(self, endpoint: str, rollout: str) -> None:
        """See the port. One call: StartExecution.

        Step Functions answers a second start with the running execution when the input is the same,
        and refuses it for 90 days once that execution has ended: either way nothing starts twice.
        """
        with translated(f"starting the workflow of rollout {rollout!r}"):
            try:
                self._sfn.start_execution(
                    stateMachineArn=self._arn,
                    name=rollout,
                    input=json.dumps({"endpoint": endpoint, "rollout": rollout}),
                )
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise
