"""The ports in memory, for tests: ``InMemoryStage`` is a stage without AWS, on a clock that is set.

``InMemoryStage().ports()`` is what use cases take; each part can be replaced or looked into.
"""

from halftone.adapters.memory.capacity import MemoryScale
from halftone.adapters.memory.capture import (
    InMemoryCapture,
    MemoryFiles,
    MemoryKeyMetrics,
    MemoryKeys,
)
from halftone.adapters.memory.control import MemoryGroups, MemoryIdempotencyStore, MemoryUploads
from halftone.adapters.memory.functions import MemoryLambda
from halftone.adapters.memory.notices import (
    MemoryBus,
    MemoryQueue,
    MemorySender,
    MemorySubscriptions,
)
from halftone.adapters.memory.observability import MemoryCharts, MemoryLogs
from halftone.adapters.memory.registry import MemoryRegistry
from halftone.adapters.memory.stacks import MemoryStacks
from halftone.adapters.memory.stage import (
    InMemoryStage,
    MemoryGuardrails,
    MemoryMetrics,
    MemoryPackages,
    MemorySecrets,
    MemoryStore,
    MemoryWorkflow,
    SetClock,
)

__all__ = [
    "InMemoryCapture",
    "InMemoryStage",
    "MemoryBus",
    "MemoryCharts",
    "MemoryFiles",
    "MemoryGroups",
    "MemoryGuardrails",
    "MemoryIdempotencyStore",
    "MemoryKeyMetrics",
    "MemoryKeys",
    "MemoryLambda",
    "MemoryLogs",
    "MemoryMetrics",
    "MemoryPackages",
    "MemoryQueue",
    "MemoryRegistry",
    "MemoryScale",
    "MemorySecrets",
    "MemorySender",
    "MemoryStacks",
    "MemoryStore",
    "MemorySubscriptions",
    "MemoryUploads",
    "MemoryWorkflow",
    "SetClock",
]
