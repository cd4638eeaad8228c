"""The past champions of an endpoint: the versions that a rollback may return to."""

from collections.abc import Sequence
from dataclasses import replace

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.deployment_status import RETIRED, past
from halftone.domain.endpoint.state import MOST_PAST, EndpointState
from halftone.domain.errors import NotFound
from halftone.ports import RolloutPorts


def past_champions(ports: RolloutPorts, endpoint: str) -> Sequence[Deployment]:
    """Every deployment that was champion since the endpoint was made, oldest first.

    Versions count from 1 again when an endpoint is retired and made anew: what served before that
    is another version of the same number. What was deleted can't be returned to.
    """
    versions = past(ports.store.audit(endpoint)).served
    return [d for d in ports.store.deployments(endpoint) if d.version in versions and not d.deleted]


def with_past(ports: RolloutPorts, state: EndpointState) -> EndpointState:
    """``state`` with the champions before the present one.

    A record of an earlier release has none: its audit tells, once.
    """
    if state.past is not None:
        return state
    order: list[str] = []
    taken_back: set[str] = set()
    for record in ports.store.audit(state.endpoint):
        if record.action == RETIRED:
            order, taken_back = [], set()
            continue
        before, after = record.before.get("champion"), record.after.get("champion")
        if isinstance(after, str) and after != before:
            order = [version for version in order if version != after] + [after]
            taken_back.discard(after)
            if record.action in _TAKES_BACK and isinstance(before, str):
                taken_back.add(before)
    champion = state.champion.version if state.champion else None
    by_version = {d.version: d for d in ports.store.deployments(state.endpoint) if not d.deleted}
    earlier = (v for v in order if v in by_version and v != champion and v not in taken_back)
    return replace(state, past=tuple(by_version[version] for version in earlier)[-MOST_PAST:])


def newest_left(ports: RolloutPorts, state: EndpointState, lost: str | None) -> Deployment | None:
    """The newest past champion, other than ``lost``, that Lambda still has. One call for each."""
    for earlier in reversed(state.past or ()):
        if earlier.version != lost and exists(ports, state.endpoint, earlier.version):
            return earlier
    return None


def none_left(endpoint: str, lost: str | None) -> str:
    """What is on record where nothing can take the place of the version ``lost``."""
    return (
        f"version {lost}, the champion of {endpoint!r}, is gone from Lambda, and so is every "
        "version that could take its place: release one"
    )


def exists(ports: RolloutPorts, endpoint: str, version: str) -> bool:
    """Whether Lambda has that version. One call."""
    try:
        ports.versions.status(endpoint, version)
    except NotFound:
        return False
    return True


_TAKES_BACK = ("return", "adopted")
"""Actions that take back the champion before."""
