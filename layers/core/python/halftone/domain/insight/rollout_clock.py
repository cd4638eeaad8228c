"""When a rollout goes on: what its step waits for, how long it has run, and what follows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import OnInconclusive
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict, VerdictKind


class WaitsFor(StrEnum):
    """What a rollout waits for. More words may come."""

    PREPARATION = "preparation"
    SHIFT = "shift"
    TIME = "time"
    REQUESTS = "requests"
    EVIDENCE = "evidence"
    TRAFFIC = "traffic"
    METRICS = "metrics"
    NEXT_LOOK = "next_look"
    PERSON = "person"
    APPROVAL = "approval"
    RESUME = "resume"
    NOTHING = "nothing"


class Then(StrEnum):
    """What a rollout does next. More words may come."""

    STEP = "step"
    APPROVAL = "approval"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    HOLD = "hold"
    NOTHING = "nothing"


@dataclass(frozen=True)
class RolloutClock:
    """The clock of the present step at the moment ``now``.

    ``elapsed`` is how long it has run, without pauses. ``paused_since`` is set while it stands
    still. ``earliest_next`` is when the step's least time is over, ``latest`` when its greatest is:
    both are None where the clock does not run. When what it ``waits_for`` is there, ``then``
    follows, to the share ``next_share`` or the mirror share ``next_mirror``. If that is not there
    at ``latest``, ``at_latest`` follows.
    """

    now: datetime
    elapsed: timedelta
    paused_since: datetime | None
    earliest_next: datetime | None
    latest: datetime | None
    waits_for: WaitsFor
    then: Then
    next_share: float | None
    next_mirror: float | None
    at_latest: Then


_BY_VERDICT = {
    VerdictKind.PASS: WaitsFor.NEXT_LOOK,
    VerdictKind.FAIL: WaitsFor.NEXT_LOOK,
    VerdictKind.INCONCLUSIVE: WaitsFor.EVIDENCE,
    VerdictKind.NO_DATA: WaitsFor.REQUESTS,
    VerdictKind.LOST_TRAFFIC: WaitsFor.TRAFFIC,
    VerdictKind.ERROR: WaitsFor.METRICS,
}
_BY_PHASE = {
    Phase.PREPARING: WaitsFor.PREPARATION,
    Phase.SHIFTING: WaitsFor.SHIFT,
    Phase.ROLLING_BACK: WaitsFor.SHIFT,
    Phase.AWAITING_APPROVAL: WaitsFor.APPROVAL,
    Phase.PAUSED: WaitsFor.RESUME,
}
_AT_LATEST = {
    OnInconclusive.HOLD: Then.HOLD,
    OnInconclusive.PROMOTE: Then.STEP,
    OnInconclusive.ROLLBACK: Then.ROLL_BACK,
}


def clock_of(
    rollout: Rollout, verdict: Verdict | None, now: datetime, *, ended_at: datetime | None = None
) -> RolloutClock:
    """The clock of ``rollout`` at ``now``, by the rules of ``decide``.

    ``verdict`` None means that nothing has been looked at yet.
    """
    stage, since = rollout.current, rollout.stage_since
    end = ended_at or rollout.paused_at or now
    elapsed = max(end - since, timedelta(0)) if since and stage else timedelta(0)
    runs = rollout.phase in (Phase.OBSERVING, Phase.BAKING) and stage is not None
    kind = verdict.kind if verdict else VerdictKind.NO_DATA
    then, at_latest = _then(rollout, kind), Then.NOTHING
    earliest = latest = None
    waits_for = WaitsFor.NOTHING if rollout.phase.final else _BY_PHASE.get(rollout.phase)
    if runs and stage and since:
        earliest, latest = since + stage.min_time, since + stage.max_time
        at_latest = _at_latest(rollout, kind)
        waits_for = _BY_VERDICT[kind]
        if now < earliest and kind is not VerdictKind.FAIL:
            waits_for = WaitsFor.TIME
        elif now >= latest and at_latest is Then.HOLD and waits_for is not WaitsFor.NEXT_LOOK:
            waits_for = WaitsFor.PERSON
    goes_on = then in (Then.STEP, Then.APPROVAL, Then.PROMOTE)
    return RolloutClock(
        now=now,
        elapsed=elapsed,
        paused_since=rollout.paused_at if rollout.phase is Phase.PAUSED else None,
        earliest_next=earliest,
        latest=latest,
        waits_for=waits_for or WaitsFor.NEXT_LOOK,
        then=then,
        next_share=rollout.next_share if goes_on else None,
        next_mirror=rollout.next_mirror if goes_on else None,
        at_latest=at_latest,
    )


def _then(rollout: Rollout, kind: VerdictKind) -> Then:
    if rollout.phase.final:
        return Then.NOTHING
    if rollout.phase is Phase.ROLLING_BACK or kind is VerdictKind.FAIL:
        return Then.ROLL_BACK
    if rollout.phase is Phase.SHIFTING:
        return Then.PROMOTE if rollout.target == 100.0 else Then.STEP
    if rollout.phase is not Phase.AWAITING_APPROVAL and _gated(rollout):
        return Then.APPROVAL
    return Then.PROMOTE if rollout.next_share == 100.0 else Then.STEP


def _gated(rollout: Rollout) -> bool:
    stages, following = rollout.plan.stages, rollout.following
    if rollout.champion is None:
        return False
    return stages[following].approval if following < len(stages) else rollout.plan.approve_all


def _at_latest(rollout: Rollout, kind: VerdictKind) -> Then:
    word = _AT_LATEST[rollout.plan.on_inconclusive]
    if word is not Then.STEP:
        return word
    # The plan's word stands in for a verdict, and not for evidence.
    return _then(rollout, kind) if kind is VerdictKind.INCONCLUSIVE else Then.HOLD
