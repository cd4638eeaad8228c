"""The ports in memory, for tests: a stage without AWS, on a clock that is set by hand."""

from halftone.adapters.memory.capture import InMemoryCapture
from halftone.adapters.memory.stage import InMemoryStage, SetClock

__all__ = ["InMemoryCapture", "InMemoryStage", "SetClock"]
