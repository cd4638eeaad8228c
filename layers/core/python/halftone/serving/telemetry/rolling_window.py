"""The last minute of one sandbox, in its memory alone: sixty cells of one second each.

No network call stands behind it, so it says nothing of other sandboxes of the same version: the
metrics do.
"""

import time
from collections.abc import Callable

CELLS = 60


class RollingWindow:
    """Counts requests of the last sixty seconds. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Each cell: the second that it is of, requests, failed ones, milliseconds of all.
        self._cells: list[tuple[int, int, int, float]] = [(-CELLS, 0, 0, 0.0)] * CELLS

    def add(self, *, latency_ms: float, failed: bool) -> None:
        """One prediction request that was answered just now."""
        second = int(self._clock())
        at = second % CELLS
        of, count, errors, total = self._cells[at]
        if of != second:
            count, errors, total = 0, 0, 0.0
        self._cells[at] = (second, count + 1, errors + failed, total + latency_ms)

    def last_minute(self) -> dict[str, float | int | None]:
        """``requests``, ``error_rate`` (0 to 1) and ``mean_latency_ms``; the latter two are None
        without any request.
        """
        oldest = int(self._clock()) - CELLS
        cells = [cell for cell in self._cells if cell[0] > oldest]
        requests = sum(cell[1] for cell in cells)
        if requests == 0:
            return {"requests": 0, "error_rate": None, "mean_latency_ms": None}
        return {
            "requests": requests,
            "error_rate": sum(cell[2] for cell in cells) / requests,
            "mean_latency_ms": round(sum(cell[3] for cell in cells) / requests, 3),
        }
