"""Decide what a rollout does next. Pure: the caller applies the decision.

``decide`` holds every rule of promotion. It advances only on a verdict of pass, or if the plan
says ``promote`` for a step that has its least requests and has reached its greatest age.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.quantities import spoken
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import OnInconclusive, Stage
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.routing import Routing
from halftone.domain.rollout.verdict import Verdict, VerdictKind


@dataclass(frozen=True)
class Hold:
    """Change nothing; ``reason`` is what the rollout waits for."""

    reason: str


@dataclass(frozen=True)
class Advance:
    """Go to the next stage, or to all traffic after the last one."""

    reason: str


@dataclass(frozen=True)
class RollBack:
    """Return all traffic to the champion now. ``detail`` is what the platform says of it."""

    reason: str
    detail: str = ""


Decision = Hold | Advance | RollBack


@dataclass(frozen=True)
class AskAgain:
    """What was approved looks worse than it did when it was asked for. ``gate`` is the kind of the
    verdict that a further word is asked for.
    """

    reason: str
    gate: str


@dataclass(frozen=True)
class Alarmed:
    """A guardrail in alarm; None in its place means that it is not. ``detail`` is in CloudWatch's
    own words.
    """

    reason: str
    detail: str = ""


def decide(rollout: Rollout, verdict: Verdict, alarmed: Alarmed | None, now: datetime) -> Decision:
    """What a rollout in a phase with traffic does next.

    Bad news ends it in every such phase, also while it is paused or waits for approval; good news
    moves it only where it is being watched.
    """
    if alarmed:
        return RollBack(f"guardrail in alarm: {alarmed.reason}", alarmed.detail)
    if verdict.kind is VerdictKind.FAIL:
        return RollBack(f"regression proven: {verdict.reason}")
    stage = rollout.current
    if rollout.phase not in (Phase.OBSERVING, Phase.BAKING) or stage is None:
        return Hold(f"{rollout.phase}: {rollout.reason}")
    age = now - (rollout.stage_since or now)
    if age < stage.min_time:
        seconds = timedelta(seconds=round(age.total_seconds()))
        return Hold(f"{spoken(seconds)} of at least {spoken(stage.min_time)} at {stage.told}")
    if verdict.kind is VerdictKind.PASS:
        return Advance(verdict.reason)
    if age < stage.max_time:
        return Hold(f"{verdict.kind}: {verdict.reason}")
    return _at_greatest_age(rollout, stage, verdict)


def decide_at_gate(rollout: Rollout, now: Verdict, ahead: Verdict) -> Decision | AskAgain:
    """Decide what follows an approval at a gate.

    ``now`` is the verdict on all closed buckets, ``ahead`` what it would be with those of the last
    minute, as far as they are there. Between the question and the answer hours may lie.
    """
    if now.kind is VerdictKind.FAIL:
        return RollBack(f"regression proven: {now.reason}")
    if VerdictKind.ERROR in (now.kind, ahead.kind):
        worst = now if now.kind is VerdictKind.ERROR else ahead
        return Hold(f"approved, and not looked at since: {worst.reason}")
    for verdict, when in ((now, "since it was asked for"), (ahead, "in the last minute")):
        failing = verdict.kind is VerdictKind.FAIL
        if failing or verdict.kind not in (VerdictKind.PASS, rollout.gate):
            message = f"approved, but it became worse {when}, {verdict.kind}: {verdict.reason}"
            # What is not complete proves nothing; once it is, no word stands in for it.
            return AskAgain(message, rollout.gate if failing else verdict.kind.value)
    return Advance(now.reason)


def decide_late(now: Verdict, ahead: Verdict) -> RollBack | Hold | None:
    """What prevents a share that was decided on earlier than now; None if nothing does.

    ``now`` and ``ahead`` are as for ``decide_at_gate``. Good news is not asked for again: a proof
    stays one, and a person may have promoted without it.
    """
    if now.kind is VerdictKind.FAIL:
        return RollBack(f"regression proven: {now.reason}")
    if ahead.kind is VerdictKind.FAIL:
        return Hold(f"not given yet, it became worse in the last minute: {ahead.reason}")
    return None


def _at_greatest_age(rollout: Rollout, stage: Stage, verdict: Verdict) -> Decision:
    on_inconclusive = rollout.plan.on_inconclusive
    aged = f"{verdict.kind} after {spoken(stage.max_time)} at {stage.told}: {verdict.reason}"
    if on_inconclusive is OnInconclusive.ROLLBACK:
        return RollBack(f"{aged}; the plan says roll back")
    # The plan's word can stand in for a verdict, but not for evidence: too few requests, or
    # metrics that can't be read, are held however the plan reads.
    if on_inconclusive is OnInconclusive.PROMOTE and verdict.kind is VerdictKind.INCONCLUSIVE:
        return Advance(f"{aged}; the plan says promote")
    return Hold(f"held, {aged}")


@dataclass(frozen=True)
class Agreed:
    """Record and aliases say the same."""


@dataclass(frozen=True)
class Restore:
    """The alias gives the challenger more than the record allows: write what the record says."""

    alias: str
    routing: Routing
    reason: str


@dataclass(frozen=True)
class Yield:
    """Somebody took traffic from the challenger, or an alias from both: the champion alone."""

    reason: str


def compare(rollout: Rollout, live: Routing, challenger: Routing) -> Agreed | Restore | Yield:
    """Whether the record and the aliases agree, and if not, which repair is the safer one.

    While shifting, both ends of the shift are in order; the caller goes on from where it is.
    """
    if rollout.champion is None:
        # A first release has nobody to be compared with: before its shift the aliases stand where
        # the template put them, afterwards on the release itself.
        return Agreed()
    agreement = _compare_live(rollout, live)
    return _compare_challenger(rollout, challenger) if isinstance(agreement, Agreed) else agreement


def _compare_live(rollout: Rollout, actual: Routing) -> Agreed | Restore | Yield:
    shares = {rollout.share, rollout.target} if rollout.phase is Phase.SHIFTING else {rollout.share}
    # In guarded mode the alias knows of no shares but none and all.
    allowed = {rollout.routing(share).share_of(rollout.challenger) for share in shares}
    share = actual.share_of(rollout.challenger)
    allowed_versions = {rollout.champion, rollout.challenger, None}
    if not {actual.main, actual.other} <= allowed_versions:
        return Yield(f"the alias was changed outside the engine: it reads {actual}")
    if share in allowed:
        return Agreed()
    if share < min(allowed):
        return Yield(
            f"the alias gives the challenger {share:g} %, the record {rollout.share:g} %: "
            "it was taken back outside the engine"
        )
    return Restore(
        ALIAS,
        rollout.routing(rollout.share),
        f"the alias gives the challenger {share:g} %, the record allows {max(allowed):g} %",
    )


def _compare_challenger(rollout: Rollout, actual: Routing) -> Agreed | Restore | Yield:
    """The alias that fronts call: at home until the challenger takes part, then at that one."""
    before, first = rollout.stage < 0, rollout.phase is Phase.SHIFTING
    allowed = {rollout.home, rollout.called} if first else {rollout.home}
    if actual in (allowed if before else {rollout.called}):
        return Agreed()
    if before:
        # Nobody calls it for this rollout yet: what stood there before has no part in it.
        problem = f"reads {actual}, and the challenger takes no part yet"
        return Restore(CHALLENGER, rollout.home, f"the alias 'challenger' {problem}")
    return Yield(f"the alias 'challenger' was changed outside the engine: it reads {actual}")
