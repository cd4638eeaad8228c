"""Starting a running execution again, by the same name and with the same input, starts nothing.

AWS: "StartExecution is idempotent for STANDARD workflows": the same name and input answer as the
first request did while the execution runs; another input, or a closed execution, answer
ExecutionAlreadyExists. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

ministack answers ExecutionAlreadyExists always.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from halftone_local.seams import need, wrap


def apply() -> None:
    need(stepfunctions, "_executions")
    wrap(stepfunctions, "_start_execution", _idempotent)


def _idempotent(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(data: Mapping[str, Any]) -> Any:
        machine, name = data.get("stateMachineArn", ""), data.get("name")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        running = need(stepfunctions, "_executions").get(arn)
        if (
            running is not None
            and running["status"] == "RUNNING"
            and running["input"] == data.get("input", "{}")
        ):
            return json_response({"executionArn": arn, "startDate": running["startDate"]})
        return original(data)

    return start
