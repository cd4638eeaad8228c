"""Serving as ``endpoint.yaml`` declares it: a deploy applies what changed in the declaration.

What it does not mention, and what it says as before, stays as people have set it since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import StaleWrite
from halftone.domain.serving_form import (
    defaults,
    parse_serving,
    serving_form,
    state_form,
)
from halftone.domain.serving_rules import changed
from halftone.service.ports import Parts
from halftone.service.probation import watched
from halftone.service.record import answered, change, made_now, until_written
from halftone.service.rollback import roll_back

_DRAWS = ("mode", "key", "salt")
"""What decides who meets a challenger, and stays as it is while a rollout is under way."""


@dataclass(frozen=True)
class Declaration:
    """What is declared now, and what was before; each as ``serving_form`` writes it.

    ``key`` names the request, which may come twice. ``releases`` is whether the same deploy
    releases something: then it supersedes a rollout under way anyway, and may change what that one
    is bound to. ``owner`` is the group that a new endpoint belongs to.
    """

    endpoint: str
    now: Mapping[str, object]
    before: Mapping[str, object]
    actor: str
    key: str
    releases: bool = False
    owner: str | None = None

    @property
    def differences(self) -> dict[str, object]:
        """The fields that say something else than before; what is no longer said is as usual."""
        usual = serving_form(defaults())
        gone = {name: usual[name] for name in self.before if name not in self.now}
        said = {n: value for n, value in self.now.items() if self.before.get(n) != value}
        return {**gone, **said}


def declare(parts: Parts, wanted: Declaration) -> EndpointState | None:
    """Apply what changed in the declaration, in one record; None if nothing did.

    Raises:
        HalftoneError: as ``service.settings`` says. Nothing is applied then.
    """
    fields = parse_serving(wanted.differences)
    if not fields:
        return None

    def attempt() -> EndpointState | None:
        state = parts.store.load(wanted.endpoint)
        if state is None:
            state = made_now(parts, wanted.endpoint, actor=wanted.actor, owner=wanted.owner)
        if answered(parts, wanted.endpoint, wanted.key):
            return state
        running = state.active
        drawn = [n for n in _DRAWS if n in fields and fields[n] != getattr(state.serving, n)]
        if running and wanted.releases and drawn:
            reason = f"superseded by a deploy that changes its {' and '.join(drawn)}"
            roll_back(parts, wanted.endpoint, actor=wanted.actor, reason=reason, rollout=running.id)
            raise StaleWrite("the rollout under way was ended: look at what serves now")
        serving = changed(state, fields)
        serving = watched(parts, state, serving, why=f"declared, by {wanted.actor}")
        after = replace(state, serving=serving)
        if after == state:
            return state
        was, now = state_form(state), state_form(after)
        told = {name: {"was": was[name], "is": now[name]} for name in fields}
        return change(
            parts,
            state,
            after,
            action="declared",
            actor=wanted.actor,
            reason=f"endpoint.yaml changed in {', '.join(sorted(fields))}",
            numbers={"request": wanted.key, **told},
        )

    return until_written(wanted.endpoint, attempt)
