"""A deployment that takes requests by a person's word, without a rollout having judged it.

No traffic without an armed alarm: the alarms watch one version, so there is one such deployment at
most, and none beside a rollout. Fronts reach it by the alias ``challenger``. When the alarms fire
it is barred, on record, and the alias goes back to the champion. A version that was champion once,
and was not taken back, has proved itself and needs no watch.

A person's change only records the intent. The reconciler arms the alarms, reads them back, points
the alias, and records that the deployment is armed: only then does any route lead to it.
"""

from dataclasses import replace
from datetime import datetime

from halftone.domain.audit import Author
from halftone.domain.endpoint.policy_rules import receivers
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.traffic.policy import Probation, TrafficPolicy
from halftone.ports import RolloutPorts
from halftone.service.rollouts import reconcile
from halftone.service.rollouts.past_champions import with_past
from halftone.service.rollouts.validation import must_have_passed
from halftone.service.unit_of_work import retry_on_conflict


def watched(
    ports: RolloutPorts, state: EndpointState, serving: TrafficPolicy, *, why: str
) -> TrafficPolicy:
    """``serving`` with the deployment that is to be on probation; nothing is armed yet.

    Raises:
        Conflict: if two deployments would need the alarms, or a rollout has them, or there are
        none.
    """
    del why
    if serving != state.serving:
        must_have_passed(ports, state, serving)
    if (serving.split, serving.rules) == (state.serving.split, state.serving.rules):
        return serving
    versions = receivers(state, serving)
    proven = {d.version for d in with_past(ports, state).past or ()} if versions else set()
    unproven = [version for version in versions if version not in proven]
    if not unproven:
        return replace(serving, probation=None)
    if len(unproven) > 1:
        raise Conflict(
            f"versions {' and '.join(unproven)} never were champion: the alarms can watch one such "
            "deployment at a time"
        )
    version = unproven[0]
    if serving.probation and serving.probation.version == version:
        return serving
    if state.active:
        raise Conflict(
            f"version {version} never was champion, and the alarms watch the challenger of rollout "
            f"{state.active.id}: wait for its end, or abort it"
        )
    try:
        ports.guardrails.read(state.endpoint)
    except NotFound as gone:
        unwatched = f"version {version} never was champion, and nothing can watch it: {gone}"
        raise Conflict(unwatched) from gone
    return replace(serving, probation=Probation(version, ports.clock.now(), armed=False))


def settled(
    ports: RolloutPorts, before: TrafficPolicy | None, state: EndpointState
) -> EndpointState:
    """``state`` once AWS follows the settings that were just recorded over ``before``.

    The alarms and the alias of a deployment on probation are all that settings ask of AWS. What
    can't be done now is done by the next tick; no request goes to the deployment before that.

    Raises:
        Unavailable: if the alarms could not be armed for it.
    """
    probation = state.serving.probation
    pending = probation is not None and not probation.armed
    left = before is not None and before.probation not in (None, probation)
    if state.active or not (pending or left):
        return state
    return reconcile.settle(ports, state.endpoint)


@retry_on_conflict
def withdraw(
    ports: RolloutPorts,
    endpoint: str,
    *,
    author: Author,
    fired_at: datetime | None = None,
    detail: str = "",
) -> EndpointState | None:
    """Withdraw the deployment on probation; None if there is none, or the alarm is not about it.

    ``fired_at`` is the time of the alarm: an alarm from before the alarms were armed is about
    another version. Idempotent.
    """
    state = ports.store.load(endpoint)
    probation = state.serving.probation if state else None
    if state is None or probation is None:
        return None
    if fired_at is not None and (not probation.armed or fired_at < probation.since):
        return None
    return reconcile.withdraw(ports, state, author=author, detail=detail)
