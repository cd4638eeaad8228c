"""``AWS/Lambda`` metrics for every invocation, by function, by resource and by executed version.

AWS: "Types of metrics for Lambda functions" and "Viewing metrics for Lambda functions": the
dimensions are FunctionName; FunctionName and Resource, the function with its qualifier; and, for an
invoke through an alias, also ExecutedVersion. A throttled request is neither invocation nor error;
time-outs and crashes are errors; the resolution is one minute.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html

ministack writes them by function only, and only for requests to the Invoke API.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.services import lambda_svc

from halftone_local import metric_store
from halftone_local.seams import need, wrap

Record = dict[str, Any]


def apply() -> None:
    wrap(lambda_svc, "_emit_lambda_metrics", lambda _original: _written_elsewhere)
    wrap(lambda_svc, "_execute_function", _measured)


def _written_elsewhere(*_args: Any, **_kwargs: Any) -> None:
    """ministack's own metrics would count an invocation a second time."""


def _measured(original: Callable[..., Record]) -> Callable[..., Record]:
    def execute(func: Record, event: Any) -> Record:
        config = func.get("config") or func
        if need(lambda_svc, "_function_config_scope_mismatch")(config):
            return original(func, event)  # comes back here in the function's own account
        began = time.time()
        result = original(func, event)
        _write(config, result, began, (time.time() - began) * 1000)
        return result

    return execute


def _write(config: Mapping[str, Any], result: Record, began: float, milliseconds: float) -> None:
    if result.get("throttle"):
        values = [("Throttles", 1.0, "Count")]
    else:
        values = [
            ("Invocations", 1.0, "Count"),
            ("Errors", 1.0 if result.get("error") else 0.0, "Count"),
            ("Throttles", 0.0, "Count"),
            ("Duration", milliseconds, "Milliseconds"),
        ]
    for dimensions in dimension_sets(config):
        for name, value, unit in values:
            metric_store.write(
                "AWS/Lambda", name, dimensions, unit=unit, time=began, values=[value]
            )


def dimension_sets(config: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The dimension sets of an invocation; the ARN in ``config`` is the one it was invoked by."""
    name, version = config["FunctionName"], config["Version"]
    qualifier = config["FunctionArn"].partition(f":function:{name}")[2].removeprefix(":")
    resource = f"{name}:{qualifier}" if qualifier else name
    yield {"FunctionName": name}
    yield {"FunctionName": name, "Resource": resource}
    if qualifier and qualifier not in {version, "$LATEST"}:
        yield {"FunctionName": name, "Resource": resource, "ExecutedVersion": version}
