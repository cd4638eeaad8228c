"""A handler that raises keeps its environment, and its error carries the exception's own name.

AWS: an exception becomes an error with errorMessage, errorType (the exception's class) and
stackTrace, and the environment serves on; a process that ends becomes Runtime.ExitError and the
next invocation starts a new one. "AWS Lambda function errors in Python",
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html, and "Understanding the Lambda
execution environment lifecycle", https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

ministack ends the worker after each exception, which makes the next request a cold start, and calls
every error Runtime.HandlerError, which no Retry or Catch in a workflow would match.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from halftone_local.seams import need, replace_text, wrap

Result = dict[str, Any]

_CAUGHT = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
# A status that ministack takes for a failure would make it end the worker.
_REPORTED = (
    '{"status": "ok", "raised": {"errorMessage": str(e), "errorType": type(e).__name__,'
    ' "requestId": context.aws_request_id,'
    ' "stackTrace": traceback.format_tb(e.__traceback__)[1:]},'
    ' "trace": traceback.format_exc()}'
)
_DIED = "Worker process died"

_error: ContextVar[Result | None] = ContextVar("halftone_handler_error", default=None)


def apply() -> None:
    replace_text(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _CAUGHT, _REPORTED)
    wrap(need(lambda_runtime, "Worker"), "invoke", _noting)
    wrap(lambda_svc, "_execute_function_warm", _naming)


def _noting(original: Callable[..., Result]) -> Callable[..., Result]:
    def invoke(worker: Any, event: Any, request_id: str, **kwargs: Any) -> Result:
        result = original(worker, event, request_id, **kwargs)
        raised = result.pop("raised", None)
        if raised is not None:
            _error.set(raised)
            return {**result, "status": "error", "error": raised["errorMessage"]}
        if result.get("error") == _DIED:
            message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            _error.set({"errorMessage": message, "errorType": "Runtime.ExitError"})
        return result

    return invoke


def _naming(original: Callable[..., Result]) -> Callable[..., Result]:
    def execute(func: Result, event: Any, request_id: str) -> Result:
        token = _error.set(None)
        try:
            result = original(func, event, request_id)
            return {**result, "body": _error.get() or result.get("body")}
        finally:
            _error.reset(token)

    return execute
