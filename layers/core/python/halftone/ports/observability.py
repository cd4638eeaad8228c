"""What people watch, as ports: logs and figures over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from halftone.domain.insight.charts import Counted, Window
from halftone.domain.insight.logs import LogLine, Replica


@dataclass(frozen=True)
class Lines:
    """Lines of one replica, oldest first, and the token by which to read on after them.

    A token stays good when there is nothing to read on to yet: it then finds what comes later.
    """

    lines: Sequence[LogLine]
    token: str


class Logs(Protocol):
    """Log lines of model functions, kept as long as the endpoint's log retention says."""

    def replicas(
        self, endpoint: str, *, token: str = "", by_name: bool = False
    ) -> tuple[Sequence[Replica], str]:
        """A page of replicas, the one that wrote last first, and the token of the next page ("").

        ``by_name``: in the order of their names, which begin with a date and do not change.
        Streams that are no sandbox's are left out, so that a page may be empty and not the last.
        An endpoint without a log has none.
        """
        ...

    def newest(self, endpoint: str, replica: Replica, most: int) -> Lines:
        """The newest lines of a replica, at most ``most``.

        Raises:
            NotFound: if there is no such replica.
        """
        ...

    def onward(self, endpoint: str, replica: Replica, token: str, most: int) -> Lines:
        """Some of the next lines after ``token``, from the first one if that is empty.

        There are no more for now when the token comes back as it was given, and only then.

        Raises:
            NotFound: if there is no such replica.
            InvalidInput: if the token is none.
        """
        ...


@dataclass(frozen=True)
class Answered:
    """How many requests were answered, and how many of them with an error of the server."""

    requests: int
    errors: int


class Charts(Protocol):
    """What was counted of versions over time."""

    def counted(self, endpoint: str, versions: Sequence[str], window: Window) -> Sequence[Counted]:
        """For each of ``versions`` what was counted of it in each period of ``window``.

        Raises:
            Unavailable: if any of it could not be read: half a chart would pass for a whole one.
        """
        ...

    def answered(
        self, versions: Sequence[tuple[str, str]], *, since: datetime, until: datetime
    ) -> Mapping[tuple[str, str], Answered]:
        """What each of ``versions`` (endpoint and version) was asked in whole minutes.

        Those that nobody asked are missing. One call for 250 versions.

        Raises:
            Unavailable: if any of it could not be read.
        """
        ...
