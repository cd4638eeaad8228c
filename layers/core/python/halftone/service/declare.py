"""Owner and serving as ``endpoint.yaml`` declares them: a deploy applies what changed there.

What it does not mention, and what it says as before, stays as people have set it since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import NotFound, Refused, StaleWrite
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


def declare_owner(
    parts: Parts, endpoint: str, *, now: str | None, before: str | None, actor: str, key: str
) -> EndpointState | None:
    """Give an endpoint from the group that the file named ``before`` to the one that it names now.

    Only who was right about the owner may change it: a deploy asks for no member's role, and must
    not take an endpoint from a group that got it by word of its admins. None: to or from nobody.

    Raises:
        Refused: if the endpoint is owned by neither. That is on record, so that the return to the
            declaration before, by which CloudFormation answers, finds nothing to do.
        NotFound: if there is no such group.
    """
    given = {"owner": now, "was": before}

    def attempt() -> EndpointState | None:
        state = parts.store.load(endpoint)
        if state is None or state.about.owner == now:
            return state
        asked = answered(parts, endpoint, key)
        if asked and "refused" in asked.numbers:
            raise Refused(asked.reason)
        if asked or _takes_back_what_was_refused(parts, endpoint, given):
            return state
        owned = state.about.owner == before
        if owned and now is not None and parts.groups.load_group(now) is None:
            raise NotFound("group", now, "POST /v1/groups makes one")
        words = f"endpoint.yaml gives {endpoint!r} from {_group(before)} to {_group(now)}"
        if not owned:
            words += (
                f", but {_group(state.about.owner)} owns it on record: PUT /v1/endpoints/{endpoint}"
                "/owner gives it away, by an admin of both"
            )
        about = replace(state.about, owner=now) if owned else state.about
        numbers = {"request": key, **(given if owned else {"refused": given})}
        changed = change(
            parts,
            state,
            replace(state, about=about),
            action="owner" if owned else "asked",
            actor=actor,
            reason=words,
            numbers=numbers,
        )
        if not owned:
            raise Refused(words)
        return changed

    return until_written(endpoint, attempt) if now != before else None


def _takes_back_what_was_refused(
    parts: Parts, endpoint: str, given: Mapping[str, str | None]
) -> bool:
    refused = {"owner": given["was"], "was": given["owner"]}
    last: object = None
    for record in parts.store.audit(endpoint):
        if record.action == "owner" or "refused" in record.numbers:
            last = record.numbers.get("refused")
    return last == refused


def _group(name: str | None) -> str:
    return "nobody" if name is None else f"group {name!r}"


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
