"""A circuit per version and container: one that keeps failing is left alone for a while.

closed ── FAULTS faults in a row ──► open ── REST_SECONDS ──► half open (one request tries)
   ▲                                  ▲                            │ fault
   └────────────── answer ────────────┼────────────────────────────┤
                                      └────────────────────────────┘
"""

import time
from collections.abc import Callable

FAULTS = 5
"""Faults in a row that open a circuit: more than the guardrail wants to see of one container."""

REST_SECONDS = 2.0


class CircuitBreaker:
    """The circuits of one container. Sandboxes serve one request at a time, so none is locked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults: dict[str, int] = {}
        self._open_until: dict[str, float] = {}

    def allows(self, version: str) -> bool:
        """Whether ``version`` may be asked now; half open, whoever asks is the one that tries."""
        until = self._open_until.get(version)
        if until is None:
            return True
        now = self._clock()
        if now < until:
            return False
        self._open_until[version] = now + REST_SECONDS
        return True

    def has_failures(self, version: str) -> bool:
        """Whether the last that was heard of ``version`` is a fault."""
        return version in self._faults

    def answered(self, version: str) -> None:
        """``version`` answered: its circuit closes."""
        if self._faults:
            self._faults.pop(version, None)
            self._open_until.pop(version, None)

    def failed(self, version: str) -> None:
        """``version`` raised, crashed or was late."""
        faults = self._faults[version] = self._faults.get(version, 0) + 1
        if faults >= FAULTS:
            self._open_until[version] = self._clock() + REST_SECONDS
