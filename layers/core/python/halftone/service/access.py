"""Whether somebody may do something to an endpoint or to what a group owns: asked here alone."""

from halftone.domain.about import About
from halftone.domain.access import EVERYWHERE, Action, Group, permits
from halftone.domain.errors import Forbidden, NotFound
from halftone.domain.rollout import Rollout
from halftone.service.ports import Parts


def must(parts: Parts, principal: str, action: Action, owner: str | None) -> None:
    """Let ``principal`` do ``action`` to what the group ``owner`` (None: nobody) owns.

    Raises:
        Forbidden: naming the group, if it may not.
    """
    if action is Action.VIEW or owner is None:
        return
    group = parts.groups.load_group(owner) or Group(owner)
    if not permits(principal, action, group, parts.groups.load_group(EVERYWHERE)):
        raise Forbidden(
            f"{principal} may not {action} what group {owner!r} owns: its members and their roles "
            f"are at /v1/groups/{owner}"
        )


def must_on(parts: Parts, principal: str, action: Action, endpoint: str) -> None:
    """``must`` for what ``endpoint`` is owned by.

    Raises:
        NotFound: if there is no such endpoint.
        Forbidden: as ``must``.
    """
    if action is Action.VIEW:
        return
    state = parts.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "GET /v1/endpoints lists those there are")
    must(parts, principal, action, state.about.owner)


def must_not_be_starter(
    principal: str, starter: str, rollout: Rollout, about: About, *, allowed: bool
) -> None:
    """Two pairs of eyes: who started a rollout does not approve it, unless that is switched on.

    ``allowed`` is the stage's word, which the endpoint's own replaces. ``starter`` is the principal
    that started ``rollout``.

    Raises:
        Forbidden: if they are the same.
    """
    own = allowed if about.self_approval is None else about.self_approval
    if not own and principal == starter:
        raise Forbidden(
            f"{principal} started rollout {rollout.id}: somebody else must approve it, or the "
            "endpoint's self_approval must be on"
        )
