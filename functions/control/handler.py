"""The control API on Lambda."""

from halftone.api.gateway import behind_gateway
from halftone.bootstrap import parts, settings

# While Lambda starts the sandbox, with its full share of the processor.
handler = behind_gateway(parts(settings()), self_approval=settings().self_approval)
