"""What the endpoints of a group may take together, and what they take.

A quota is checked where a group takes more: an endpoint is made for it or given to it, or one of
its endpoints gets more concurrency or a higher throttle. What it has already stays, also where the
quota is lowered below that. Two changes at the same moment may both pass: the group then shows more
use than its quota, and gets no more.
"""

import math
from dataclasses import dataclass

from halftone.domain.access import Group, Quota
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict
from halftone.ports import DeploymentPorts


@dataclass(frozen=True)
class Use:
    """What endpoints take: their number, reserved concurrency, and throttled requests a second.

    An endpoint without a limit of its own takes infinitely much of it.
    """

    endpoints: int = 0
    concurrency: float = 0.0
    requests: float = 0.0

    def __add__(self, other: "Use") -> "Use":
        return Use(
            self.endpoints + other.endpoints,
            self.concurrency + other.concurrency,
            self.requests + other.requests,
        )


def use_of_group(ports: DeploymentPorts, group: str, *, but: str = "") -> Use:
    """What the endpoints of ``group`` take together, without the one called ``but``.

    Reads every endpoint of the stage once. One that was retired takes nothing.
    """
    use = Use()
    for name in ports.catalogue.endpoints():
        state = ports.store.load(name) if name != but else None
        if state and state.about.owner == group and (state.champion or state.rollout):
            use += _use(state)
    return use


def check_quota(ports: DeploymentPorts, before: EndpointState | None, after: EndpointState) -> None:
    """Refuse ``after`` where its group would take more than its quota, and more than it had.

    ``before`` is None where the endpoint is new.

    Raises:
        Conflict: naming the group, the limit, what is taken and the remedy.
    """
    owner = after.about.owner
    group = ports.groups.load_group(owner) if owner else None
    if group is None or group.quota == Quota():
        return
    had = _use(before) if before and before.about.owner == owner else Use()
    wants = _use(after)
    grown = [kind for kind in _LIMITS if getattr(wants, kind) > getattr(had, kind)]
    limited = [kind for kind in grown if getattr(group.quota, kind) is not None]
    if not limited:
        return
    others = use_of_group(ports, group.name, but=after.endpoint)
    for kind in limited:
        _check(group, after.endpoint, kind, getattr(wants, kind), getattr(others, kind))


_LIMITS = {
    "endpoints": ("endpoints", "retire one"),
    "concurrency": ("concurrent requests", "give it `concurrency`"),
    "requests": ("requests a second", "give it a `throttle`"),
}
"""Fields of quotas and uses: how they are spoken, and what an endpoint can do about its part."""


def _check(group: Group, endpoint: str, kind: str, wants: float, others: float) -> None:
    limit, (unit, remedy) = getattr(group.quota, kind), _LIMITS[kind]
    if others + wants <= limit:
        return
    raises = f"an admin raises the quota by `halftone groups quota {group.name}`"
    if math.isinf(wants):
        raise Conflict(
            f"group {group.name!r} has a quota of {limit:g} {unit}, and {endpoint!r} has no limit "
            f"of its own: {remedy}, or {raises}"
        )
    raise Conflict(
        f"group {group.name!r} has a quota of {limit:g} {unit}: its other endpoints take "
        f"{others:g}, and {endpoint!r} would take {wants:g}; lower either, or {raises}"
    )


def _use(state: EndpointState) -> Use:
    capacity = state.upkeep
    return Use(
        endpoints=1,
        concurrency=math.inf if capacity.concurrency is None else capacity.concurrency,
        requests=capacity.throttle.rate if capacity.throttle else math.inf,
    )
