"""The system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """Port ``Clock``: the machine's time, in UTC."""

    def now(self) -> datetime:
        """See the port."""
        return datetime.now(UTC)
