"""The ports in memory, for tests: a stage without AWS, on a clock that is set by hand."""

from halftone.adapters.memory.capture import MemoryHarvest
from halftone.adapters.memory.stage import MemoryWorld, SetClock

__all__ = ["MemoryHarvest", "MemoryWorld", "SetClock"]
