"""Check whether a release has reached the state that its deploy waits for."""

from halftone.domain.endpoint.spec import DeployWaits
from halftone.domain.errors import Conflict
from halftone.domain.rollout.phase import Phase
from halftone.ports import RecordPorts


def is_settled(ports: RecordPorts, endpoint: str, rollout: str, waits: DeployWaits) -> bool:
    """Whether rollout ``rollout`` ("" for none) has come as far as ``waits`` says.

    A first release is waited for until it serves, whatever ``waits`` says. One that is being taken
    back is waited for until that is over.

    Raises:
        Conflict: if it never will: preparing failed, or it was rolled back. The message is the
            reason on record.
    """
    records = [r for r in ports.store.audit(endpoint) if r.after.get("rollout") == rollout]
    if not rollout or not records:
        return True
    # Records of another rollout may follow: the last one of this rollout is what counts.
    last = records[-1]
    phase, candidate = Phase(str(last.after["phase"])), last.after["candidate"]
    through = waits is DeployWaits.PROMOTED or records[0].after["champion"] is None
    if phase is Phase.FAILED:
        raise Conflict(f"{candidate} was not released: {last.reason}")
    if phase is Phase.ROLLED_BACK:
        raise Conflict(f"{candidate} was rolled back: {last.reason}")
    return phase.final if through else phase not in (Phase.PREPARING, Phase.ROLLING_BACK)
