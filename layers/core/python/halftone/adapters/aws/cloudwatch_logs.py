"""Log lines of model functions in CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import HalftoneError, InvalidInput, NotFound
from halftone.domain.insight.logs import LogLine, Replica, version_in
from halftone.domain.names import log_group_name
from halftone.ports.observability import Lines

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_PAGE = 10_000
"""What one call of GetLogEvents gives at most."""


class CloudWatchLogs:
    """Port ``Logs`` on CloudWatch Logs."""

    def __init__(self, client: CloudWatchLogsClient, stage: str) -> None:
        self._logs = client
        self._stage = stage

    def replicas(
        self, endpoint: str, *, token: str = "", by_name: bool = False
    ) -> tuple[Sequence[Replica], str]:
        """See the port. One call: DescribeLogStreams."""
        group = log_group_name(self._stage, endpoint)
        page_token: dict[str, Any] = {"nextToken": token} if token else {}
        if not by_name:
            page_token |= {"orderBy": "LastEventTime", "descending": True}
        nothing = NotFound("log group", group)
        expected: Mapping[str, HalftoneError] = {
            "ResourceNotFoundException": nothing,
            "InvalidParameterException": InvalidInput("token", token, "one that a page ended with"),
        }
        try:
            with translated(f"listing the log streams of {endpoint!r}", expected):
                page = self._logs.describe_log_streams(logGroupName=group, **page_token)
        except NotFound:
            return (), ""
        replicas = []
        for stream in page["logStreams"]:
            version = version_in(stream["logStreamName"])
            if version is not None:
                first, last = stream.get("firstEventTimestamp"), stream.get("lastEventTimestamp")
                replicas.append(
                    Replica(stream["logStreamName"], version, _moment(first), _moment(last))
                )
        return tuple(replicas), page.get("nextToken", "")

    def newest(self, endpoint: str, replica: Replica, most: int) -> Lines:
        """See the port. One call for each 10,000 lines or 1 MB, and one that finds no more."""
        lines: list[LogLine] = []
        onward, back = "", ""
        while len(lines) < most:
            page = self._page(endpoint, replica, back, most - len(lines), from_head=False)
            onward = onward or page["nextForwardToken"]
            lines = [*_lines(replica, page), *lines]
            # The end is told by the token that comes back unchanged; a page may well be empty.
            if page["nextBackwardToken"] == back:
                break
            back = page["nextBackwardToken"]
        return Lines(tuple(lines[-most:]), onward)

    def onward(self, endpoint: str, replica: Replica, token: str, most: int) -> Lines:
        """See the port. One call, or one more for each page that is empty; at most 1 MB."""
        while True:
            page = self._page(endpoint, replica, token, most, from_head=True)
            before, token = token, page["nextForwardToken"]
            if page["events"] or token == before:
                return Lines(tuple(_lines(replica, page)), token)

    def _page(
        self, endpoint: str, replica: Replica, token: str, most: int, *, from_head: bool
    ) -> Any:
        missing = NotFound("replica", replica.stream, f"list those of {endpoint!r}")
        page_token: Mapping[str, Any] = {"nextToken": token} if token else {}
        expected: Mapping[str, HalftoneError] = {
            "ResourceNotFoundException": missing,
            "InvalidParameterException": InvalidInput("token", token, "one that a page ended with"),
        }
        with translated(f"reading the log of {endpoint!r}", expected):
            return self._logs.get_log_events(
                logGroupName=log_group_name(self._stage, endpoint),
                logStreamName=replica.stream,
                startFromHead=from_head,
                limit=min(most, _PAGE),
                **page_token,
            )


def _lines(replica: Replica, page: Any) -> list[LogLine]:
    return [
        LogLine(
            datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
            replica.stream,
            replica.version,
            event["message"].rstrip("\n"),
        )
        for event in page["events"]
    ]


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
