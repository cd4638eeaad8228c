"""Logs and figures in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from halftone.domain.errors import InvalidInput, NotFound
from halftone.domain.insight.charts import Counted, Values, Window
from halftone.domain.insight.logs import LogLine, Replica, version_in
from halftone.ports.observability import Answered, Lines


@dataclass
class MemoryLogs:
    """Port ``Logs``: ``written`` is, by endpoint and stream, what sandboxes wrote."""

    written: dict[str, dict[str, list[LogLine]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    page_size: int = 50

    def write(self, endpoint: str, stream: str, at: datetime, *texts: str) -> None:
        """A sandbox writes lines at that moment; the stream's name tells its version."""
        version = version_in(stream) or ""
        self.written[endpoint][stream] += [LogLine(at, stream, version, text) for text in texts]

    def replicas(
        self, endpoint: str, *, token: str = "", by_name: bool = False
    ) -> tuple[Sequence[Replica], str]:
        """See the port."""
        if token and not token.isdigit():
            raise InvalidInput("token", token, "one that a page ended with")
        replicas = [
            Replica(stream, version, lines[0].at, lines[-1].at)
            for stream, lines in self.written.get(endpoint, {}).items()
            if (version := version_in(stream)) and lines
        ]
        if by_name:
            replicas.sort(key=lambda replica: replica.stream)
        else:
            replicas.sort(key=lambda replica: (replica.last_at, replica.stream), reverse=True)
        first = int(token or 0)
        following = first + self.page_size
        return tuple(replicas[first:following]), str(following) if following < len(replicas) else ""

    def newest(self, endpoint: str, replica: Replica, most: int) -> Lines:
        """See the port."""
        lines = self._lines(endpoint, replica)
        return Lines(tuple(lines[-most:]), f"f/{len(lines)}")

    def onward(self, endpoint: str, replica: Replica, token: str, most: int) -> Lines:
        """See the port."""
        place = token.removeprefix("f/") or "0"
        if not place.isdigit():
            raise InvalidInput("token", token, "one that a page ended with")
        lines = self._lines(endpoint, replica)[int(place) :][:most]
        return Lines(tuple(lines), f"f/{int(place) + len(lines)}")

    def _lines(self, endpoint: str, replica: Replica) -> list[LogLine]:
        streams = self.written.get(endpoint, {})
        if replica.stream not in streams:
            raise NotFound("replica", replica.stream, f"list those of {endpoint!r}")
        return streams[replica.stream]


@dataclass
class MemoryCharts:
    """Port ``Charts``: ``seen`` is, by endpoint and version, every request as it was counted.

    A request is its moment and its figures by the names of the metric lines, such as
    ``{"Requests": 1, "Errors": 0, "Latency": 12.5}``.
    """

    seen: dict[tuple[str, str], list[tuple[datetime, dict[str, float]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def count(self, endpoint: str, version: str, at: datetime, **figures: float) -> None:
        """One metric line."""
        self.seen[endpoint, version].append((at, figures))

    def counted(self, endpoint: str, versions: Sequence[str], window: Window) -> Sequence[Counted]:
        """See the port."""
        return tuple(self._counted(endpoint, version, window) for version in versions)

    def answered(
        self, versions: Sequence[tuple[str, str]], *, since: datetime, until: datetime
    ) -> Mapping[tuple[str, str], Answered]:
        """See the port."""
        sums: dict[tuple[str, str], Answered] = {}
        for key in versions:
            figures = [f for at, f in self.seen.get(key, ()) if since <= at < until]
            requests = sum(int(each.get("Requests", 0)) for each in figures)
            if requests:
                errors = sum(int(each.get("Errors", 0)) for each in figures)
                sums[key] = Answered(requests, errors)
        return sums

    def _counted(self, endpoint: str, version: str, window: Window) -> Counted:
        periods: list[dict[str, list[float]]] = [defaultdict(list) for _ in range(window.count)]
        for at, figures in self.seen.get((endpoint, version), ()):
            number = (at - window.start) // window.period
            if 0 <= number < window.count:
                for name, value in figures.items():
                    periods[number][name].append(value)

        def summed(name: str) -> Values:
            return tuple(sum(p[name]) if p[name] else None for p in periods)

        def percentile(percent: int) -> Values:
            return tuple(_percentile(sorted(p["Latency"]), percent) for p in periods)

        return Counted(
            requests=summed("Requests"),
            server_errors=summed("Errors"),
            client_errors=summed("ClientErrors"),
            latency_p50=percentile(50),
            latency_p90=percentile(90),
            latency_p99=percentile(99),
            judged=tuple(float(len(p["Reward"])) or None for p in periods),
            reward=summed("Reward"),
        )


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest value that at least so many percent do not exceed."""
    return values[-(-len(values) * percent // 100) - 1] if values else None
