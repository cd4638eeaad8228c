"""Whether somebody may do something to an endpoint or to what a group owns: asked here alone."""

from halftone.domain.access import EVERYWHERE, Action, Group, permits, principal_in
from halftone.domain.errors import Forbidden, NotFound
from halftone.ports import AccessPorts


def may(ports: AccessPorts, principal: str, action: Action, owner: str | None) -> bool:
    """Whether ``principal`` may do ``action`` to what the group ``owner`` (None: nobody) owns."""
    if action is Action.VIEW or owner is None:
        return True
    group = ports.groups.load_group(owner) or Group(owner)
    return permits(principal, action, group, ports.groups.load_group(EVERYWHERE))


def must(ports: AccessPorts, principal: str, action: Action, owner: str | None) -> None:
    """Let ``principal`` do ``action`` to what the group ``owner`` (None: nobody) owns.

    Raises:
        Forbidden: naming the group, if it may not.
    """
    if not may(ports, principal, action, owner):
        raise Forbidden(
            f"{principal} may not {action} what group {owner!r} owns: its members and their roles "
            f"are at /v1/groups/{owner}"
        )


def must_on_group(ports: AccessPorts, principal: str, action: Action, name: str) -> None:
    """Let ``principal`` make or change the group ``name``: an admin of it, or of all groups.

    While neither that group nor the group of all has an admin, IAM alone decides: somebody must be
    the first.

    Raises:
        Forbidden: if it may not.
    """
    if action is Action.VIEW:
        return
    group = ports.groups.load_group(name) or Group(name)
    everywhere = ports.groups.load_group(EVERYWHERE)
    if not group.administered and not (everywhere and everywhere.administered):
        return
    if not permits(principal, action, group, everywhere):
        raise Forbidden(
            f"{principal} may not {action} group {name!r}: the admins of it and of group "
            f"{EVERYWHERE!r} may"
        )


def must_on(ports: AccessPorts, principal: str, action: Action, endpoint: str) -> None:
    """``must`` for what ``endpoint`` is owned by.

    Raises:
        NotFound: if there is no such endpoint.
        Forbidden: as ``must``.
    """
    if action is Action.VIEW:
        return
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint, "GET /v1/endpoints lists those there are")
    must(ports, principal, action, state.about.owner)


def must_not_have_started(
    ports: AccessPorts, principal: str, endpoint: str, rollout: str, *, allowed: bool
) -> None:
    """Two pairs of eyes: who started ``rollout`` does not approve it, unless that is switched on.

    ``allowed`` is the stage's word, which the endpoint's own replaces. Principals are compared, so
    that another name for a session makes nobody another person.

    Raises:
        Forbidden: if ``principal`` did.
    """
    state = ports.store.load(endpoint)
    running = state.rollout if state else None
    if state is None or running is None or running.id != rollout:
        return  # there is nothing to approve: the operation says so
    own = allowed if state.about.self_approval is None else state.about.self_approval
    if not own and principal_in(running.actor) == principal:
        raise Forbidden(
            f"{principal} started rollout {rollout}: somebody else must approve it, with the role "
            f"approver or admin in {_groups(state.about.owner)}; or an admin sets "
            f"`halftone endpoints own {endpoint} {state.about.owner or 'nobody'} --self-approval`"
        )


def _groups(owner: str | None) -> str:
    return f"the group {owner} or {EVERYWHERE}" if owner else f"the group {EVERYWHERE}"
