"""Retiring an endpoint: its stack is going away, and its versions with it."""

from contextlib import suppress
from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.capacity import Capacity
from halftone.domain.endpoint.deploy_fields import kept_closed
from halftone.domain.endpoint.deployment_status import RETIRED
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, NotFound
from halftone.domain.rollout.deploys import Declaration, Deploys
from halftone.ports import DeploymentPorts
from halftone.service.rollouts.rollback import roll_back
from halftone.service.unit_of_work import answered, commit, retry_on_conflict


@retry_on_conflict
def retire(
    ports: DeploymentPorts, endpoint: str, *, author: Author, key: str | None = None
) -> EndpointState | None:
    """Record that nothing serves any more, so that the endpoint may be made anew from version 1.

    History and audit stay. ``key`` names the request, where one can come twice: asked again, also
    after the endpoint was made anew, it retires nothing. Answers None if there was nothing to
    retire.
    """
    state = ports.store.load(endpoint)
    if state is None or (key and answered(ports, endpoint, key)):
        return None
    if state.active:
        # Where CloudFormation has taken the alias already, the fence is all that can be
        # written, and all that is needed: what it keeps from traffic goes away too.
        with suppress(NotFound):
            roll_back(ports, endpoint, author=author, rollout=state.active.id)
            raise ConcurrentWrite("the rollout under way was ended: look at what is left")
        newest = ports.store.load(endpoint)
        if newest and newest.rollout and newest.rollout.id != state.active.id:
            # The function is not gone, but made anew: somebody else has retired this one.
            raise ConcurrentWrite(f"{endpoint!r} was made anew meanwhile: look again")
        state = newest or state
    # Versions count from 1 again: nothing that is said of their numbers may outlive them. Who
    # may call does, so that the next endpoint of that name is no more open than this one.
    after = replace(
        state,
        champion=None,
        rollout=None,
        serving=kept_closed(state.serving),
        placed=(),
        upkeep=Capacity(),
        deploys=_closed(state.deploys),
        barred=(),
        past=(),
        anchor=None,
        restored="",
        flagged="",
    )
    if after == state:
        return None
    if state.upkeep.concurrency:
        # The function may outlive its release, where both stand in a stack of somebody's own.
        with suppress(NotFound):
            ports.scaling.reserve(endpoint, None)
    if state.upkeep.throttle:
        # Settings of a route outlive it: they would be those of the next one of that name.
        with suppress(NotFound):
            ports.gate.throttle(endpoint, None)
    return commit(
        ports,
        state,
        after,
        action=RETIRED,
        author=author,
        numbers={"request": key} if key else None,
    )


def _closed(deploys: Deploys) -> Deploys:
    """What is left of the deploys: what was declared of the settings that outlive the endpoint.

    So the next deploy changes these where its declaration does, and nowhere else.
    """
    declared = deploys.declared
    if declared is None:
        return Deploys()
    policy = {
        name: declared.serving[name] for name in ("access", "stopped") if name in declared.serving
    }
    return Deploys(declared=Declaration(serving=policy, owner=declared.owner))
