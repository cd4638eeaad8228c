"""Promise 10, as far as actors see it: no token that was handed out stands in a record."""

from tests.property.simulation.promises import breaks
from tests.property.simulation.world import Snapshot


def check_step(now: Snapshot) -> None:
    """No secret in the newest record of any endpoint, nor in what servers read."""
    if not now.ledger.tokens:
        return
    for name, state in now.states.items():
        records = now.audit.get(name, ())
        texts = (repr(state), repr(records[-1:]), repr(now.dispatches.get(name)))
        for token in now.ledger.tokens:
            secret = token.rpartition("_")[2]
            if any(secret in text for text in texts):
                breaks(10, "token", f"a token of {name!r} stands in its record")
