"""The partition keys that a DynamoDB request names: the condition key ``dynamodb:LeadingKeys``.

Source: "Using IAM policy conditions for fine-grained access control",
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html

A request without a partition key (Scan) has no such key in its context.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_EQUALITY = re.compile(r"([#\w]+)\s*=\s*(:\w+)")


def leading_keys(request: Mapping[str, Any], hash_key: str) -> Sequence[str] | None:
    """The values of the partition key ``hash_key`` in a request for one table, or None."""
    for part in ("Key", "Item"):
        value = (request.get(part) or {}).get(hash_key)
        if value is not None:
            return [_text(value)]
    expression = request.get("KeyConditionExpression")
    if isinstance(expression, str):
        names = request.get("ExpressionAttributeNames") or {}
        values = request.get("ExpressionAttributeValues") or {}
        for name, placeholder in _EQUALITY.findall(expression):
            if names.get(name, name) == hash_key and placeholder in values:
                return [_text(values[placeholder])]
    return None


def batch_keys(items: Any, hash_key: str) -> Sequence[str] | None:
    """The partition keys of one table's part of BatchGetItem or BatchWriteItem."""
    if isinstance(items, Mapping):
        return [_text(key[hash_key]) for key in items.get("Keys", []) if hash_key in key] or None
    keys: list[str] = []
    for item in items if isinstance(items, list) else []:
        for request in item.values():
            found = leading_keys(request, hash_key)
            keys += found or []
    return keys or None


def _text(value: Mapping[str, Any]) -> str:
    """The value of ``{"S": "..."}``, as the condition compares it."""
    return str(next(iter(value.values())))
