"""A deployment that takes requests by a person's word, without a rollout having judged it.

No traffic without an armed alarm: the alarms are armed for it, and they watch one version, so there
is one such deployment at most, and none beside a rollout. When they fire its share goes to 0, on
record. A version that was champion once has proved itself and needs no watch.
"""

from dataclasses import replace
from datetime import datetime

from halftone.domain.endpoint.policy_rules import receivers, without
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound, Refused, Unavailable
from halftone.domain.traffic.policy import Probation, Serving
from halftone.ports import Parts
from halftone.ports.guardrails import AlarmState
from halftone.service.rollouts.past_champions import served
from halftone.service.unit_of_work import ENGINE, change, until_written

WITHDRAWN = "withdrawn"
"""The audit's word for a share that was taken to 0 by an alarm."""


def watched(parts: Parts, state: EndpointState, serving: Serving, *, why: str) -> Serving:
    """``serving`` with its deployment on probation, for which the alarms are armed now.

    Raises:
        Refused: if two deployments would need the alarms, or a rollout has them.
        NotFound: if there are no alarms.
        Unavailable: if they can't be armed.
    """
    if (serving.split, serving.rules) == (state.serving.split, state.serving.rules):
        return serving
    given = receivers(state, serving)
    proven = {d.version for d in served(parts, state.endpoint)} if given else set()
    unproven = [version for version in given if version not in proven]
    if not unproven:
        return replace(serving, probation=None)
    if len(unproven) > 1:
        raise Refused(
            f"versions {' and '.join(unproven)} never were champion: the alarms can watch one such "
            "deployment at a time"
        )
    version = unproven[0]
    if serving.probation and serving.probation.version == version:
        return serving
    if state.active:
        raise Refused(
            f"version {version} never was champion, and the alarms watch the challenger of rollout "
            f"{state.active.id}: wait for its end, or abort it"
        )
    parts.guardrails.arm(state.endpoint, version, why)
    return replace(serving, probation=Probation(version, parts.clock.now()))


def withdraw(
    parts: Parts, endpoint: str, *, actor: str, reason: str, fired_at: datetime | None = None
) -> EndpointState | None:
    """Take the share of the deployment on probation to 0; None if there is none, or not meant.

    ``fired_at`` is when the alarm went off that asks for it: one from before the alarms were armed
    tells of another version. Safe to call any number of times.
    """

    def attempt() -> EndpointState | None:
        state = parts.store.load(endpoint)
        probation = state.serving.probation if state else None
        if state is None or probation is None:
            return None
        if fired_at is not None and fired_at < probation.since:
            return None
        return change(
            parts,
            state,
            replace(state, serving=without(state.serving, probation.version)),
            action=WITHDRAWN,
            actor=actor,
            reason=reason,
            numbers=_told(state, probation),
        )

    return until_written(endpoint, attempt)


def keep_watch(parts: Parts, state: EndpointState) -> None:
    """Do for the deployment on probation what a tick does for a challenger: the alarms are armed
    for it and silent, or it has no traffic. An event that was lost is made good here.
    """
    probation = state.serving.probation
    if probation is None:
        return
    reason = ""
    try:
        guard = parts.guardrails.read(state.endpoint)
        if guard.armed_for != probation.version:
            # A deploy rewrote an alarm.
            parts.guardrails.arm(state.endpoint, probation.version, "it is on probation")
        elif guard.state is AlarmState.ALARM:
            reason = f"guardrail in alarm: {guard.reason}"
    except NotFound as gone:
        reason = f"there is no guardrail any more: {gone}"
    except Unavailable as error:
        reason = f"the guardrail could not be armed: {error}"
    if reason:
        withdraw(parts, state.endpoint, actor=ENGINE, reason=reason)


def _told(state: EndpointState, probation: Probation) -> dict[str, object]:
    shares = {p.version: p.share for p in state.serving.split}
    rules = sum(rule.version == probation.version for rule in state.serving.rules)
    return {
        "version": probation.version,
        "share": shares.get(probation.version, 0.0),
        "rules": rules,
    }
