"""Promise 13: what a failed deploy declared is applied nowhere, and its return changes nothing that
people have set. Nothing becomes more open by a deploy that does not say so.
"""

import json
from collections.abc import Mapping

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from halftone.domain.rollout.phase import Phase
from halftone.domain.traffic.policy import Access, TrafficPolicy
from tests.property.engine.simulation import Ended, Standing
from tests.property.simulation.actors.actor import RELEASE, Player
from tests.property.simulation.ledger import Deploy
from tests.property.simulation.promises import breaks
from tests.property.simulation.world import Snapshot
from tests.support.engine import NAME


def check_step(before: Snapshot, standing: Standing, now: Snapshot) -> None:
    """Judge a write of a deploy."""
    process, call = standing.process, standing.call
    assert call is not None
    if call.name != "store.commit" or not isinstance(process, Player) or process.role != RELEASE:
        return
    deploy = now.ledger.deploy
    if deploy is None or deploy.name != process.name:
        deploy = None
    for name, state in now.states.items():
        was = before.states.get(name)
        if was is state:
            continue
        source = before.state
        if name != NAME and state.champion is None and state.active is None:
            continue  # nothing will ever answer by that name
        if deploy and name != NAME and source and source.serving.access is Access.PUBLIC:
            continue  # somebody has opened it: its new name is as open
        _check_open(was, state, deploy)
        if deploy and deploy.returning:
            _check_return(was, state, deploy)


def _check_open(was: EndpointState | None, now: EndpointState, deploy: Deploy | None) -> None:
    if now.champion is None and now.rollout is None:
        living = was is not None and was.champion is not None
        if living and deploy and deploy.name.startswith("deploy that replaces"):
            told = f"{now.endpoint!r} is retired by the end of what it no longer is"
            breaks(13, "replace retires", told)
        return
    if deploy is None or now.serving.access is not Access.PUBLIC:
        return
    declared: Mapping[str, object] = json.loads(deploy.declared)
    if declared.get("access") == "private" and now.endpoint != NAME:
        breaks(13, "rename opens", f"{now.endpoint!r} is declared private, and is public")
    opened = was is not None and was.serving.access is Access.PRIVATE
    if opened and not deploy.returning and "access" not in declared:
        breaks(13, "deploy opens", f"{now.endpoint!r} becomes public, and no deploy says so")


def _check_return(was: EndpointState | None, now: EndpointState, deploy: Deploy) -> None:
    if was is None:
        return
    # What is on probation follows from shares and rules, and is armed anew where they come back.
    for field in TrafficPolicy.__dataclass_fields__.keys() - {"probation"}:
        old, new = getattr(was.serving, field), getattr(now.serving, field)
        if old != new and dict(deploy.own).get(field) != repr(new):
            told = f"{field} becomes {new!r} from {old!r}, which nobody has said"
            breaks(13, "return changes", told)
    begun = now.rollout and (was.rollout is None or was.rollout.id != now.rollout.id)
    if begun and now.rollout:
        breaks(13, "return releases", f"the return releases {now.rollout.package}")


def check_ended(now: Snapshot, ended: Ended) -> None:
    """A deploy that was refused has changed nothing; one that succeeded has told what is so."""
    process = ended.process
    if not isinstance(process, Player):
        return
    _check_joined(ended)
    if process.role != RELEASE:
        return
    if isinstance(ended.result, Conflict | InvalidInput | Forbidden | NotFound):
        for call, answer in ended.heard:
            written = call.name == "aliases.write" and not answer.error and not answer.crash
            if call.name == "store.commit" and not answer.error and not answer.crash:
                change = call.args[0]
                was = change.before
                written = was is not None and (was.rollout, was.serving, was.champion) != (
                    change.after.rollout, change.after.serving, change.after.champion,
                )  # fmt: skip
            if written:
                breaks(13, "refused, but", f"{process.name} was refused after {call.name}")
                return


def _check_joined(ended: Ended) -> None:
    """What a release joins is on its way forward when it joins."""
    for call, answer in ended.heard:
        if call.name != "store.commit" or answer.error:
            continue
        change = call.args[0]
        rollout, joined = change.after.rollout, change.record.numbers.get("joined")
        if joined and rollout.id == joined and rollout.phase is Phase.ROLLING_BACK:
            told = f"{ended.process.name} is told of {joined}, which is going back"
            breaks(13, "nothing released", told)
