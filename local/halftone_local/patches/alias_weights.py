"""An invoke through an alias goes to one of its two versions, by weight.

AWS: "Lambda alias routing configuration": the additional version gets its weight's share of the
invokes, drawn anew for each, the alias' own version gets the rest; X-Amz-Executed-Version tells
which it was. https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
The function sees the ARN that it was invoked by, the alias' ("Using the Lambda context object",
https://docs.aws.amazon.com/lambda/latest/dg/python-context.html). Reading a configuration through
an alias shows the alias' own version.
"""

import random
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

from halftone_local.seams import need, wrap

Record = dict[str, Any]
Resolved = tuple[Record | None, Record | None]

_reading: ContextVar[bool] = ContextVar("halftone_reads_configuration", default=False)
_alias_arn: ContextVar[str | None] = ContextVar("halftone_invoked_alias", default=None)


def draw_version(alias: Mapping[str, Any], chance: float) -> str:
    """The version that an invoke goes to; ``chance`` is uniform in [0, 1)."""
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version, weight in weights.items():
        if chance < float(weight):
            return str(version)
        chance -= float(weight)
    return str(alias["FunctionVersion"])


def apply() -> None:
    wrap(lambda_svc, "_effective_func_record_for_qualifier", _drawing)
    wrap(lambda_svc, "_get_function", _reads_only)
    wrap(lambda_svc, "_get_function_config", _reads_only)
    wrap(lambda_svc, "_invoke", _invoking)
    wrap(lambda_svc, "_execute_function_with_config_scope", _as_alias)
    wrap(lambda_svc, "invoke_async_with_retry", _as_alias)


def _drawing(original: Callable[..., Resolved]) -> Callable[..., Resolved]:
    """HTTP API, EventBridge, Step Functions and SNS find the record to execute here."""

    def resolve(func: Record | None, qualifier: str | None) -> Resolved:
        alias = (func or {}).get("aliases", {}).get(qualifier)
        if alias is None or _reading.get():
            return original(func, qualifier)
        record, config = original(func, draw_version(alias, random.random()))  # noqa: S311
        if record is None or config is None:
            return record, config
        config = {**config, "FunctionArn": alias["AliasArn"]}
        return {**record, "config": config}, config

    return resolve


def _reads_only(original: Callable[..., Any]) -> Callable[..., Any]:
    def read(*args: Any, **kwargs: Any) -> Any:
        token = _reading.set(True)
        try:
            return original(*args, **kwargs)
        finally:
            _reading.reset(token)

    return read


def _invoking(original: Callable[..., Any]) -> Callable[..., Any]:
    """The Invoke API resolves qualifiers by itself: it gets the drawn version for the alias."""

    async def invoke(
        name: str,
        event: Any,
        headers: Mapping[str, str],
        path_qualifier: str | None = None,
        query_params: Mapping[str, Any] | None = None,
    ) -> Any:
        first = need(lambda_svc, "_qp_first")
        qualifier = path_qualifier or first(query_params or {}, "Qualifier")
        func = need(lambda_svc, "_functions").get(name) or {}
        alias = func.get("aliases", {}).get(qualifier)
        if alias is None or alias["FunctionVersion"] == "$LATEST":
            return await original(name, event, headers, path_qualifier, query_params)
        token = _alias_arn.set(alias["AliasArn"])
        try:
            version = draw_version(alias, random.random())  # noqa: S311 - a share, not a secret
            return await original(name, event, headers, version, query_params)
        finally:
            _alias_arn.reset(token)

    return invoke


def _as_alias(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(func: Record, event: Any) -> Any:
        arn = _alias_arn.get()
        if arn is None or not _is_version_of(func.get("config") or {}, arn):
            return original(func, event)
        return original({**func, "config": {**func["config"], "FunctionArn": arn}}, event)

    return execute


def _is_version_of(config: Mapping[str, Any], alias_arn: str) -> bool:
    base = alias_arn.rpartition(":")[0]
    return bool(config.get("FunctionArn") == f"{base}:{config.get('Version')}")
