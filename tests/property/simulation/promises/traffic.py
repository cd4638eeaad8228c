"""Promises 1, 2, 3 and 11: who answers requests that name no version.

1. No traffic to a version that was not smoke-tested, or without an armed alarm.
2. The challenger's share never exceeds the plan's current step.
3. Once a rollback is accepted, no write of any other actor raises the challenger's share again.
11. After a rollback, an abort or a return is confirmed, the version that was taken back answers no
    unpinned request by any way.
"""

from halftone.domain.model.registry import ModelVersion, Validation
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import UNRELEASED
from halftone.ports.guardrails import AlarmState, Guard
from tests.property.engine.simulation import Standing
from tests.property.simulation.promises import breaks
from tests.property.simulation.reach import most
from tests.property.simulation.world import Snapshot
from tests.support.engine import NAME

_NOISE = 15.0
"""Percentage points by which a share that is drawn by a hash of 100 ids may lie beside its own."""


def check_step(before: Snapshot, standing: Standing, now: Snapshot) -> None:
    """Judge what a call did to traffic."""
    call = standing.call
    assert call is not None
    if call.name == "guardrails.arm":
        _check_armed(before, standing, str(call.args[1]))
    if call.name not in ("aliases.write", "store.commit"):
        return
    if now.ledger.by_hand or now.state is None:
        return
    if now.state.champion is None and now.state.rollout is None:
        return  # retired: the function goes away, and its aliases with it
    for version in versions(before) | versions(now):
        _check_version(before, standing, now, version)


def versions(now: Snapshot) -> set[str]:
    """Every version that requests may meet."""
    named = {now.alias.main, now.alias.other, now.challenger_alias.main}
    for front in now.ledger.fronts:
        dispatch = front.dispatch
        named |= {portion.version for portion in dispatch.serving.split}
        named |= {rule.version for rule in dispatch.serving.rules}
        named |= {dispatch.trial.version} if dispatch.trial else set()
    return {version for version in named if version and version != UNRELEASED.main}


def _check_version(before: Snapshot, standing: Standing, now: Snapshot, version: str) -> None:
    was, share = most(before, version), most(now, version)
    barred = now.ledger.barred
    if version in barred - before.ledger.barred:
        if share:
            breaks(11, "still answers", f"version {version} was taken back, and gets {share:g} %")
        stale = most(now, version, stale=True)
        if stale and not share:
            told = f"version {version} was taken back, fronts without the table send {stale:g} %"
            breaks(11, "by number", told)
    if share <= was:
        return
    if version in before.ledger.barred & barred:
        breaks(11, "answers again", f"version {version} was taken back, and gets {share:g} % again")
    if is_tagged(now, version) and not _had_passed(standing):
        breaks(11, "tagged", f"version {version} is tagged FAILED, and gets {share:g} %")
    was_stopped = before.dispatch and before.dispatch.serving.stopped
    if version in served(now) or was_stopped:
        return
    if version not in now.ledger.answered:
        breaks(1, "not smoke-tested", f"version {version} gets {share:g} % without a smoke test")
    # Nothing can hold the alarms while an alias is written: what counts is that the writer looked
    # before. That they were armed for another since is for whoever did it to answer for.
    watched = _last_look(standing)
    if watched != version:
        breaks(1, "unwatched", f"version {version} gets {share:g} %, the alarms watch {watched}")
    _check_share(now, version, share)


def _check_share(now: Snapshot, version: str, share: float) -> None:
    rollout = now.state.rollout if now.state else None
    if rollout is None or rollout.challenger != version or rollout.phase.final:
        return
    if rollout.phase is Phase.ROLLING_BACK:
        breaks(3, "raised after the fence", f"version {version} gets {share:g} % behind a fence")
        return
    allowed = max(rollout.share, rollout.target if rollout.phase is Phase.SHIFTING else 0.0)
    if share > min(100.0, allowed + _NOISE):
        breaks(2, "more than the step", f"{rollout.phase} allows {allowed:g} %, not {share:g} %")


def _check_armed(before: Snapshot, standing: Standing, version: str) -> None:
    """Arming takes the alarms off what they watched, and a red state off them."""
    guard = before.guard
    if guard is None:
        return
    watched = guard.armed_for
    running = before.state.active if before.state else None
    going = running is not None and running.phase is Phase.ROLLING_BACK
    if watched and watched != version and watched not in served(before) and not going:
        share = most(before, watched)
        if share or (running and running.challenger == watched):
            told = f"version {watched} gets {share:g} %, the alarms are armed for {version} instead"
            breaks(1, "alarms taken away", told)
    if guard.state is AlarmState.ALARM and most(before, version) and version not in served(before):
        looks = [a.value for c, a in standing.heard if c.name == "guardrails.read"]
        seen = looks[-1] if looks else None
        if not isinstance(seen, Guard) or seen.state is AlarmState.ALARM:
            breaks(1, "red wiped", f"the alarms are red, and armed anew for {version}: it goes on")


def _had_passed(standing: Standing) -> bool:
    """Whether the process asked the registry, which said nothing against the version then."""
    looks = [a.value for c, a in standing.heard if c.name == "registry.version" and not a.error]
    last = looks[-1] if looks else None
    return isinstance(last, ModelVersion) and last.details.validation is not Validation.FAILED


def _last_look(standing: Standing) -> str | None:
    """The version that the alarms watched when the process last looked, or armed them."""
    watched = None
    for call, answer in standing.heard:
        if call.name == "guardrails.read" and isinstance(answer.value, Guard):
            watched = answer.value.armed_for
        if call.name == "guardrails.arm" and not answer.error:
            watched = str(call.args[1])
    return watched


def served(now: Snapshot) -> set[str]:
    """Every version that was champion since the endpoint was made (last)."""
    champions: set[str] = set()
    for record in now.records:
        if record.action == "retired":
            champions = set()
        champion = record.after.get("champion")
        if isinstance(champion, str):
            champions.add(champion)
    return champions


def is_tagged(now: Snapshot, version: str) -> bool:
    """Whether what ``version`` runs is tagged FAILED in the registry."""
    deployment = now.published.get(NAME, {}).get(version)
    if deployment is None:
        return False
    known = now.registry.numbered.get(deployment.package.name, {}).values()
    return any(
        one.package.digest == deployment.package.digest
        and one.details.validation is Validation.FAILED
        for one in known
    )
