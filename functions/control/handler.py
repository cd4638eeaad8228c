"""The control API on Lambda."""

import asyncio
import sys

from pydantic import BaseModel

# FastAPI asks of every parameter whether it is one of pydantic's old models, and loads those for
# it: a tenth of the time that importing takes, for something that nothing here is. And of its own
# models only an OpenAPI document has need: they are built with the first.
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]
BaseModel.model_config["defer_build"] = True
import fastapi  # noqa: E402, F401 - after the lines above

del BaseModel.model_config["defer_build"]

from halftone.api.gateway import ConsolePool, behind_gateway  # noqa: E402
from halftone.bootstrap import ports, settings, snapped  # noqa: E402

# Mangum takes the thread's loop, and later Pythons make none by themselves.
asyncio.set_event_loop(asyncio.new_event_loop())

# While Lambda starts the sandbox, with its full share of the processor. Most requests need the
# table alone; other clients are made by the first that needs them, unless a snapshot is taken: what
# is in it costs nobody anything.
handler = behind_gateway(
    ports(settings(), lazy=not snapped()),
    self_approval=settings().self_approval,
    stage=settings().stage,
    webhook_hosts=settings().webhook_hosts,
    console=ConsolePool(settings().user_pool, settings().identity_pool),
)
