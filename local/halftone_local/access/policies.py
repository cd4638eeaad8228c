"""Decisions of ministack's policy evaluation, with what it lacks, and each refusal in the log.

AWS: "Policy evaluation logic",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

ministack gives no ``dynamodb:LeadingKeys`` and no ``cloudwatch:namespace`` to conditions,
authorises requests to Lambda without their qualifier, calls several of Lambda's operations by
another action's name, and does not read alarm names out of CBOR. It lets keys called ``test`` be
the root, and does not check the signature of the root.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import cbor2  # type: ignore[import-not-found]
from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb

from halftone_local.access import lambda_requests
from halftone_local.access.leading_keys import batch_keys, leading_keys
from halftone_local.access.mode import refuse
from halftone_local.pins import ACCOUNT
from halftone_local.seams import need, wrap

_LEADING_KEYS = "dynamodb:LeadingKeys"
_OPERATION_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")
_NAMESPACE = "cloudwatch:namespace"
_BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""The actions of SQS's batch operations are those of the single ones: "Amazon SQS API permissions",
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""


_pins: ContextVar[bool] = ContextVar("halftone_pins_signature", default=False)
_qualifier: ContextVar[str] = ContextVar("halftone_lambda_qualifier", default="")


class ItemArn(str):
    """The table that an item of a transaction stands in, with the item's partition key."""

    keys: list[str] | None = None


def apply() -> None:
    need(iam_actions, "_BOTOCORE_SERVICE_MAP")["lambda"] = ["lambda"]
    wrap(iam_actions, "_lambda_action", lambda _original: _lambda_action)
    wrap(iam_actions, "extract_iam_action", _with_cbor_operations)
    wrap(iam_actions, "extract_resource_arn", _with_qualifiers_and_alarms)
    wrap(iam_actions, "dynamodb_service_context", _with_leading_keys)
    wrap(iam_actions, "dynamodb_transaction_checks", _with_items)
    wrap(iam_actions, "request_tag_context", _with_namespace)
    wrap(iam_evaluator, "is_root_access_key", lambda _original: _is_root)
    wrap(iam_evaluator, "_is_root_key", _checked_as_everybody)
    wrap(app, "pin_signed_request", _pinning)
    wrap(iam_evaluator, "enforce", _logging)
    wrap(app, "pin_request_origin", _over_tls)


def _over_tls(original: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """Loopback stands for TLS: a condition on ``aws:SecureTransport`` is met."""
    return lambda address, _secure: original(address, True)


def _checked_as_everybody(original: Callable[[str], bool]) -> Callable[[str], bool]:
    """The administrator's signature is checked, too."""
    return lambda access_key: not _pins.get() and bool(original(access_key))


def _pinning(original: Callable[..., None]) -> Callable[..., None]:
    def pin(*args: Any, **kwargs: Any) -> None:
        token = _pins.set(True)
        try:
            original(*args, **kwargs)
        finally:
            _pins.reset(token)

    return pin


def _is_root(access_key: str) -> bool:
    return not access_key or access_key == ACCOUNT


def _lambda_action(method: str, path: str) -> str | None:
    operation = need(iam_actions, "_match_rest_action")("lambda", method, path, _AnyQuery())
    return lambda_requests.action_of(operation) if operation else None


def _with_cbor_operations(original: Callable[..., str | None]) -> Callable[..., str | None]:
    """CloudWatch's operations stand in the path, and what has no name is nobody's to call."""

    def extract(  # noqa: PLR0917 - ministack's signature
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> str | None:
        if service == "monitoring" and (named := _OPERATION_PATH.fullmatch(path)):
            return f"cloudwatch:{named[1]}"
        action = original(service, method, path, headers, body, query_params)
        action = _BATCHES.get(action or "", action)
        namespace = need(iam_actions, "SERVICE_TO_IAM_NAMESPACE").get(service)
        return action or (f"{namespace}:UnknownOperation" if namespace else None)

    return extract


class _AnyQuery(dict[str, Any]):
    """Query parameters of a request that says by its path alone what it is."""

    def __contains__(self, _name: object) -> bool:
        return False


def _with_qualifiers_and_alarms(original: Callable[..., str]) -> Callable[..., str]:
    def extract(  # noqa: PLR0917 - ministack's signature
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        if service == "lambda":
            value = query_params.get("Qualifier") or ""
            _qualifier.set(value[0] if isinstance(value, list) else value)
        if service == "monitoring" and (name := _cbor(headers, body).get("AlarmName")):
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}"
        return original(service, method, path, headers, body, query_params, region, account_id)

    return extract


def _cbor(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    if "cbor" not in headers.get("content-type", ""):
        return {}
    try:
        value = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _with_namespace(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def context(service: str, action: str, body: bytes, params: Mapping[str, Any]) -> Any:
        found = original(service, action, body, params)
        if action == "cloudwatch:PutMetricData":
            found = {**found, _NAMESPACE: _namespace(body, params)}
        return found

    return context


def _namespace(body: bytes, params: Mapping[str, Any]) -> str | None:
    for read in (json.loads, cbor2.loads):
        try:
            value = read(body)
        except (ValueError, cbor2.CBORDecodeError):
            continue
        if isinstance(value, dict) and "Namespace" in value:
            return str(value["Namespace"])
    value = params.get("Namespace")
    return str(value[0] if isinstance(value, list) else value) if value else None


def _with_leading_keys(original: Callable[[bytes], dict[str, Any]]) -> Callable[..., Any]:
    def context(body: bytes) -> dict[str, Any]:
        found = original(body)
        request = _request(body)
        keys: Sequence[str] | None = None
        if isinstance(request.get("RequestItems"), dict):
            named: list[str] = []
            for table, items in request["RequestItems"].items():
                named += batch_keys(items, _hash_key(table)) or []
            keys = named or None
        elif request.get("TableName"):
            keys = leading_keys(request, _hash_key(request["TableName"]))
        return {**found, _LEADING_KEYS: list(keys)} if keys else found

    return context


def _with_items(original: Callable[..., list[tuple[str, str]]]) -> Callable[..., Any]:
    """Each item of a transaction is authorised with its own key."""

    def checks(action: str, body: bytes, region: str, account_id: str) -> list[tuple[str, str]]:
        needed = original(action, body, region, account_id)
        details = [
            detail
            for item in _request(body).get("TransactItems") or []
            for member, detail in item.items()
            if member in need(iam_actions, "_DYNAMODB_TRANSACT_ITEM_ACTIONS")
        ]
        if len(details) != len(needed):
            return needed
        keyed: list[tuple[str, str]] = []
        for (item_action, arn), detail in zip(needed, details, strict=True):
            item = ItemArn(arn)
            keys = leading_keys(detail, _hash_key(detail["TableName"]))
            item.keys = list(keys) if keys else None
            keyed.append((item_action, item))
        return keyed

    return checks


def _request(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _hash_key(table: str) -> str:
    record = need(dynamodb, "_tables").get(table.rpartition("/")[2]) or {}
    schema = record.get("KeySchema") or []
    return next((k["AttributeName"] for k in schema if k["KeyType"] == "HASH"), "")


def _logging(original: Callable[..., Any]) -> Callable[..., Any]:
    def enforce(  # noqa: PLR0917 - ministack's signature
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = dict(service_context or {})
        if isinstance(resource_arn, ItemArn):
            context.pop(_LEADING_KEYS, None)
            if resource_arn.keys:
                context[_LEADING_KEYS] = resource_arn.keys
        targets = [str(resource_arn)]
        if service == "lambda":
            targets = list(lambda_requests.resources(action, targets[0], _qualifier.get()))
            _qualifier.set("")
        for target in targets:
            denied = original(access_key, action, service, region, target, context)
            if denied is not None:
                principal = (
                    getattr(denied, "principal_arn", "") or f"the key {access_key or 'none'}"
                )
                reason = getattr(denied, "reason", "") or getattr(denied, "code", "")
                if refuse(action, target, principal, reason) or hasattr(denied, "code"):
                    return denied
        return None

    return enforce
