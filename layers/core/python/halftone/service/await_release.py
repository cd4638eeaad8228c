"""How far a release has come, for whoever waits for it."""

from halftone.domain.errors import Refused
from halftone.domain.phase import Phase
from halftone.domain.spec import DeployWaits
from halftone.service.ports import Parts


def is_settled(parts: Parts, endpoint: str, rollout: str, waits: DeployWaits) -> bool:
    """Whether rollout ``rollout`` ("" for none) has come as far as ``waits`` says.

    Raises:
        Refused: if it never will: preparing failed, or it was rolled back while its promotion is
            waited for. The message is the reason on record.
    """
    state = parts.store.load(endpoint)
    found = state.rollout if state else None
    if found is None or found.id != rollout:
        return True
    if found.phase is Phase.FAILED:
        raise Refused(f"{found.package} was not released: {found.reason}")
    if found.phase is Phase.ROLLED_BACK and waits is DeployWaits.PROMOTED:
        raise Refused(f"{found.package} was rolled back: {found.reason}")
    if waits is DeployWaits.PROMOTED or found.champion is None:
        return found.phase.final
    return found.phase is not Phase.PREPARING
