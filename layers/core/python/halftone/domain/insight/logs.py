"""Log lines of a model function, told apart by version and replica. Pure.

Lambda gives every sandbox, which is what a replica is here, a log stream of its own and writes the
version into the stream's name: ``2026/01/31/[7]0123abcd``, or with the function's name before the
bracket where the log group was named by the function's settings.
"""

import re
from dataclasses import dataclass
from datetime import datetime

_STREAM = re.compile(r"\d{4}/\d{2}/\d{2}/[^\[\]]*\[([^\[\]]+)\]\S+")

NEWEST = 2000
"""How many lines are shown of a version or a replica unless fewer are asked for."""


@dataclass(frozen=True)
class Replica:
    """A sandbox by its log stream, with the version that runs in it.

    ``first_at`` and ``last_at`` are those of its lines; None while there is none.
    """

    stream: str
    version: str
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True)
class LogLine:
    """One line, when it was written (UTC), and by whom."""

    at: datetime
    stream: str
    version: str
    text: str

    def as_text(self) -> str:
        """The line as it stands in a download."""
        return f"{self.at.isoformat(timespec='milliseconds')} [{self.version}] {self.text}"


def version_in(stream: str) -> str | None:
    """The version that a log stream's name tells, or None if it is no sandbox's stream."""
    match = _STREAM.fullmatch(stream)
    return match[1] if match else None
