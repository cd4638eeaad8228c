"""One tick on real parts in a process of its own that is killed around the alias write.

Usage: ``python tick_that_dies.py ENDPOINT before|after``.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from demo.cloud import stage_parts
from halftone.domain.names import ALIAS
from halftone.domain.rollout.routing import Anchor, ReadAliases, ReadRouting, Routing
from halftone.ports.functions import Aliases
from halftone.service.rollouts.advance import advance


@dataclass(frozen=True)
class Deadly:
    """The real alias, in a process that does not survive writing to it."""

    real: Aliases
    moment: str

    def read(self, endpoint: str, alias: str = ALIAS) -> ReadRouting:
        return self.real.read(endpoint, alias)

    def both(self, endpoint: str) -> ReadAliases:
        return self.real.both(endpoint)

    def write(
        self,
        endpoint: str,
        routing: Routing,
        *,
        revision: str | None,
        alias: str = ALIAS,
        anchor: Anchor | None = None,
    ) -> str:
        if alias != ALIAS or self.moment == "after":
            written = self.real.write(
                endpoint, routing, revision=revision, alias=alias, anchor=anchor
            )
            if alias != ALIAS:
                return written
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


endpoint, moment = sys.argv[1:]
ports = stage_parts()
ports = replace(ports, aliases=Deadly(ports.aliases, moment))
for _ in range(60):
    advance(ports, endpoint, None, every=timedelta(seconds=1))
    time.sleep(1)
