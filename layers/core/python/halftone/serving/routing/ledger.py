"""The ledger of feedback: what was taken once is not taken again, by whichever sandbox.

| pk                         | sk     | what                                                      |
| -------------------------- | ------ | --------------------------------------------------------- |
| FEEDBACK#<endpoint>#<name> | FIRST  | that feedback on ``name`` was taken, and by which request |
| FEEDBACK#<endpoint>#<name> | SHADOW | the print of the label that a challenger gave it unseen   |

A name is a request's id, or a key's print in a stage. ``expires`` lets DynamoDB delete an item when
no feedback on that request is taken any more.
"""

import time
from typing import Any, Protocol

from halftone.domain.errors import Unavailable
from halftone.domain.rollout.signing import VALID

_KEPT_SECONDS = int(VALID.total_seconds()) + 86_400
_MOST = 10_000


class Ledger(Protocol):
    """Who was first to say something."""

    def first(self, name: str, by: str) -> bool:
        """Whether ``by``, a request, is the first to take note of ``name``; asked again, the same.

        Raises:
            Unavailable: if that can't be told now.
        """
        ...

    def note_shadow(self, request: str, label: str) -> None:
        """Keep the print of the label that a challenger gave ``request`` unseen.

        Raises:
            Unavailable: if it can't be kept now.
        """
        ...

    def shadow(self, request: str) -> str | None:
        """That print; None where nobody scored the request unseen.

        Raises:
            Unavailable: if that can't be told now.
        """
        ...


class MemoryLedger:
    """A ledger for one process, which forgets the oldest names."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self._shadows: dict[str, str] = {}

    def first(self, name: str, by: str) -> bool:
        """See Ledger."""
        if len(self._taken) >= _MOST and name not in self._taken:
            del self._taken[next(iter(self._taken))]
        return self._taken.setdefault(name, by) == by

    def note_shadow(self, request: str, label: str) -> None:
        """See Ledger."""
        if len(self._shadows) >= _MOST:
            del self._shadows[next(iter(self._shadows))]
        self._shadows[request] = label

    def shadow(self, request: str) -> str | None:
        """See Ledger."""
        return self._shadows.get(request)


class TableLedger:
    """Items of the table, each written on the condition that there is none."""

    def __init__(self, endpoint: str, table: str) -> None:
        self._endpoint = endpoint
        self._table = table
        self._client: Any = None

    def first(self, name: str, by: str) -> bool:
        """See Ledger. One call: PutItem."""
        try:
            self._call(
                "put_item",
                Item=self._item(name, "FIRST", by=by),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _Taken as taken:
            # The client tries again what was not answered in time, and may have been written.
            return taken.by == by
        return True

    def note_shadow(self, request: str, label: str) -> None:
        """See Ledger. One call: PutItem."""
        self._call("put_item", Item=self._item(request, "SHADOW", label=label))

    def shadow(self, request: str) -> str | None:
        """See Ledger. One call: GetItem."""
        item = self._call("get_item", Key=self._key(request, "SHADOW")).get("Item") or {}
        found = item.get("label", {}).get("S")
        return str(found) if found is not None else None

    def _key(self, name: str, sort: str) -> dict[str, Any]:
        return {"pk": {"S": f"FEEDBACK#{self._endpoint}#{name}"}, "sk": {"S": sort}}

    def _item(self, name: str, sort: str, **values: str) -> dict[str, Any]:
        expires = {"expires": {"N": str(int(time.time()) + _KEPT_SECONDS)}}
        texts = {field: {"S": value} for field, value in values.items()}
        return {**self._key(name, sort), **texts, **expires}

    def _call(self, method: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        from halftone.serving.routing.config_cache import dynamodb_client  # noqa: PLC0415

        what = f"taking note of feedback on {self._endpoint!r}"
        try:
            if self._client is None:
                self._client = dynamodb_client()
            return getattr(self._client, method)(TableName=self._table, **arguments)
        except ClientError as error:
            response: Any = error.response
            code = response.get("Error", {}).get("Code", "")
            if code == "ConditionalCheckFailedException":
                there = response.get("Item") or {}
                raise _Taken(there.get("by", {}).get("S", "")) from error
            raise Unavailable(f"{what}: {code}") from error
        except (BotoCoreError, OSError) as error:
            raise Unavailable(f"{what}: {type(error).__name__}") from error

    def disconnect(self) -> None:
        """Forget the connections that there were."""
        self._client = None


class _Taken(Exception):
    """Somebody was first: the request ``by``."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by
