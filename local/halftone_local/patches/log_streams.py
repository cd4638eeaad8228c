"""Each sandbox writes into one log stream of its own, from its first line to its last.

AWS: "Each instance of a Lambda function has a dedicated log stream", named by the day, the version
and the instance. "How CloudWatch structures logs",
https://docs.aws.amazon.com/lambda/latest/operatorguide/log-structure.html

ministack makes a new stream for every invocation, so that no two lines seem to come from the same
replica. Here a worker keeps the number that its first stream was named by.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from halftone_local.seams import need, wrap

_SANDBOX = "_halftone_sandbox"
_here = threading.local()


def apply() -> None:
    worker = need(lambda_runtime, "Worker")
    wrap(worker, "_spawn", _numbered)
    wrap(worker, "invoke", _remembered)
    wrap(lambda_svc, "_emit_lambda_logs", _into_the_sandbox_stream)
    wrap(lambda_svc, "new_uuid", _sandbox_first)


def _numbered(original: Callable[..., Any]) -> Callable[..., Any]:
    def spawn(worker: Any, *args: Any, **kwargs: Any) -> Any:
        setattr(worker, _SANDBOX, str(uuid.uuid4()))
        return original(worker, *args, **kwargs)

    return spawn


def _remembered(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(worker: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(worker, *args, **kwargs)
        finally:
            # A worker that invoked another function in between comes last: what is logged next on
            # this thread is its own invocation.
            _here.sandbox = getattr(worker, _SANDBOX, None)

    return invoke


def _into_the_sandbox_stream(original: Callable[..., None]) -> Callable[..., None]:
    def emit(*args: Any, **kwargs: Any) -> None:
        _here.naming = True
        try:
            original(*args, **kwargs)
        finally:
            _here.naming = False
            _here.sandbox = None

    return emit


def _sandbox_first(original: Callable[[], str]) -> Callable[[], str]:
    def new_uuid() -> str:
        """Within the naming of a stream, the number of the sandbox that has just answered."""
        sandbox = getattr(_here, "sandbox", None)
        if sandbox and getattr(_here, "naming", False):
            return str(sandbox)
        return original()

    return new_uuid
