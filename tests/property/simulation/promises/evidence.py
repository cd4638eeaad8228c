"""Promises 6 and 14: promotion by evidence, of which each piece counts once.

What versions did is counted afresh here from the buckets of the world, and never from what the
engine keeps of them.
"""

from collections.abc import Sequence
from datetime import timedelta

from halftone.domain.rollout.evidence import BUCKET, Bucket, Evidence, bucket_start
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from tests.property.engine.simulation import Standing
from tests.property.simulation.promises import breaks
from tests.property.simulation.reach import most
from tests.property.simulation.world import Snapshot, World

SCORED_LATE = timedelta(seconds=80)
"""How long after a mirror step requests of it may still be scored, with the buckets at its ends."""

ENOUGH = 1000
"""Requests after which what the actors do to metrics is no chance any more."""


def check_step(world: World, before: Snapshot, standing: Standing, now: Snapshot) -> None:
    """Judge a step forward, and what is kept of evidence."""
    call = standing.call
    assert call is not None
    if call.name == "evidence.keep_evidence":
        _check_kept(before, now)
    state = before.state
    rollout = state.active if state else None
    if state is None or rollout is None or now.ledger.by_hand:
        return
    if call.name == "store.commit" and _goes_on(before, now):
        _check_stage(before, rollout)
    if call.name in ("aliases.write", "store.commit") and rollout.challenger:
        rises = most(now, rollout.challenger) > most(before, rollout.challenger)
        if rises and not _by_word(now, rollout) and _is_bad(closed(before, rollout)[-1:]):
            share = most(now, rollout.challenger)
            breaks(
                6, "bad news overlooked", f"half of its answers are errors, and it gets {share:g} %"
            )


def _goes_on(before: Snapshot, now: Snapshot) -> bool:
    return len(now.records) > len(before.records) and now.records[-1].action == "advance"


def _check_stage(before: Snapshot, rollout: Rollout) -> None:
    stage = rollout.current
    if stage is None or rollout.stage_since is None:
        return
    since = bucket_start(rollout.stage_since)
    here = [bucket for bucket in closed(before, rollout) if bucket.start >= since]
    requests = sum(bucket.challenger.requests for bucket in here)
    if requests < stage.min_requests:
        breaks(
            6, "too few", f"{requests} of at least {stage.min_requests} requests, and on it goes"
        )
    if before.moment - rollout.stage_since < stage.min_time:
        breaks(6, "too soon", f"on it goes before {stage.min_time} have passed")
    # Fronts ask for their routes every few seconds, and an alias spreads its own.
    spreading = (3 if rollout.guarded else 1) * BUCKET
    last = [b for b in here if b.start >= rollout.stage_since + spreading][-2:]
    got = sum(bucket.challenger.requests for bucket in last)
    total = got + sum(bucket.champion.requests for bucket in last)
    if total >= ENOUGH and not rollout.mirror and got < total * rollout.share / 400.0:
        breaks(6, "lost traffic", f"{got} of {total} where {rollout.share:g} % were due")


def closed(now: Snapshot, rollout: Rollout) -> Sequence[Bucket]:
    """All buckets that have passed since the challenger got its first request."""
    if rollout.exposed_at is None:
        return ()
    since = bucket_start(rollout.exposed_at)
    return [b for b in now.counted if since <= b.start and b.start + BUCKET <= now.moment]


def _is_bad(buckets: Sequence[Bucket]) -> bool:
    ours = sum((b.challenger.requests for b in buckets), 0)
    errors = sum((b.challenger.errors for b in buckets), 0)
    theirs = sum((b.champion.errors for b in buckets), 0)
    return ours >= ENOUGH and errors > ours / 4 and theirs < errors / 10


def _by_word(now: Snapshot, rollout: Rollout) -> bool:
    """Whether a person has said "promote" in place of the evidence."""
    return any(
        record.action == "promote-now" and record.after.get("rollout") == rollout.id
        for record in now.records
    )


def _check_kept(before: Snapshot, now: Snapshot) -> None:
    rollout = before.state.rollout if before.state else None
    if rollout is None or rollout.exposed_at is None or rollout.phase is Phase.PROMOTED:
        return
    for kept in now.evidence.values():
        if kept.rollout != rollout.id:
            continue
        buckets = [b for b in closed(before, rollout) if b.start + BUCKET <= kept.until]
        if any(b.challenger.errors > b.challenger.requests for b in buckets):
            return  # what is impossible counts for nothing: how it is told is the engine's affair
        if now.ledger.revised:
            return  # what was counted first stays; that nothing goes on by it is asked above
        _check_feedback(before, kept, rollout.id)
        happened = sum(bucket.challenger.requests for bucket in buckets)
        owned = sum(b.challenger.requests for b in buckets if not _is_between(before, b))
        if kept.challenger.requests > happened:
            told = f"{kept.challenger.requests} requests are evidence, {happened} were made"
            breaks(14, "counted twice", told)
        if kept.challenger.requests < owned:
            told = f"{kept.challenger.requests} requests are evidence, of {owned}"
            breaks(14, "evidence lost", told)


def _check_feedback(before: Snapshot, kept: Evidence, rollout: str) -> None:
    """Feedback counts that a client gave on an answer of the stage under way; each answer once."""
    own = [judged for judged in before.ledger.judged if judged.rollout == rollout]
    said = sum(judged.bucket + BUCKET <= kept.until for judged in own)
    if kept.challenger.judged > said:
        told = f"{kept.challenger.judged} pieces of feedback are evidence, {said} were honest"
        breaks(14, "feedback counts", told)
    if kept.challenger.judged < said:
        told = f"{kept.challenger.judged} pieces of feedback are evidence, of {said}"
        breaks(14, "feedback lost", told)


def _is_between(now: Snapshot, bucket: Bucket) -> bool:
    """Whether the bucket may hold requests of the stage before: what is scored unseen waits for up
    to a minute, and is counted under the same version.
    """
    changes = [stretch.since for stretch in now.ledger.stretches[1:]]
    return any(change <= bucket.start < change + SCORED_LATE for change in changes)
