"""Merge a deploy's declaration into an endpoint's state and check it, without writing it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from halftone.domain.endpoint.deploy_fields import (
    live_fields,
    normal_fields,
    taken_over,
    usual_fields,
    with_fields,
)
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.rollout.deploys import OWNER, Declaration, differences, opens
from halftone.domain.rollout.rollout import Rollout
from halftone.ports import Ports
from halftone.service.endpoints.quotas import check_quota
from halftone.service.releases.deploy_events import Deploy
from halftone.service.releases.release import (
    PreparedRelease,
    ReleaseRequest,
    check,
    prepared,
    superseded,
)
from halftone.service.rollouts.probation import watched

_DRAWS = ("mode", "key", "salt")
"""What decides who meets a challenger, and stays as it is while a rollout is under way."""


@dataclass(frozen=True)
class Merged:
    """The state with what is declared, and the rollout under way that ends by it."""

    after: EndpointState
    ending: Rollout | None


class Merging:
    """A deploy that is merged with what was declared before, and with what is live."""

    def __init__(self, ports: Ports, deploy: Deploy) -> None:
        self._parts = ports
        self._deploy = deploy
        self._base: Declaration | None = None

    def _merged(self, state: EndpointState) -> Merged:
        """What becomes of ``state`` with the fields that the declaration changes.

        Everything is checked, and nothing is written.

        Raises:
            HalftoneError: if anything that is declared can't be.
        """
        ports, deploy = self._parts, self._deploy
        self._base = base = self._base_at(state)
        state = self._with_settings_of_renamed(state)
        fields = normal_fields(differences(base, deploy.now, usual_fields()))
        live = live_fields(state)
        if base is None:
            # What is in force is somebody's word, and this declaration has changed nothing of it.
            fields = {n: v for n, v in fields.items() if not opens(n, live.get(n), v)}
        self._check_owner(state, fields, base)
        release = self._release_at(state)
        ending = superseded(state, release)
        drawn = any(name in fields and fields[name] != live[name] for name in _DRAWS)
        if drawn and (deploy.now.digest, deploy.now.settings) != release.request.previous:
            ending = state.active
        free = replace(state, rollout=None) if ending else state
        after = with_fields(free, fields)
        check(ports, after, release)
        check_quota(ports, state if state.revision else None, after)
        serving = watched(ports, free, after.serving, why=f"declared, by {deploy.actor}")
        return Merged(replace(after, serving=serving, rollout=state.rollout), ending)

    def _base_at(self, state: EndpointState) -> Declaration | None:
        """What was declared before this deploy; None if nothing was, or it is not known."""
        deploy, declared = self._deploy, state.deploys.declared
        if self._takes_over(state) and deploy.endpoint_before:
            source = self._parts.store.load(deploy.endpoint_before)
            declared = source.deploys.declared if source else None
        return declared or deploy.before

    def _check_owner(
        self, state: EndpointState, fields: dict[str, Any], base: Declaration | None
    ) -> None:
        """Only who was right about the owner may change it: a deploy asks for no member's role."""
        ports, name = self._parts, state.endpoint
        if OWNER not in fields:
            return
        declared, live = fields[OWNER], state.about.owner
        before = base.owner if base else None
        if live not in (before, declared):
            raise Conflict(
                f"endpoint.yaml gives {name!r} from {_group(before)} to {_group(declared)}, but "
                f"{_group(live)} owns it on record: PUT /v1/endpoints/{name}/owner gives it away, "
                "by an admin of both"
            )
        if declared is not None and ports.groups.load_group(declared) is None:
            raise NotFound("group", declared, "POST /v1/groups makes one")

    def _takes_over(self, state: EndpointState) -> bool:
        """Whether ``state`` is that of a new name of an endpoint, which serves nothing yet."""
        return self._deploy.renamed and not serves(state)

    def _with_settings_of_renamed(self, state: EndpointState) -> EndpointState:
        deploy = self._deploy
        if not self._takes_over(state) or deploy.endpoint_before is None:
            return state
        source = self._parts.store.load(deploy.endpoint_before)
        if source is None:
            return state
        if state.about.owner not in (None, source.about.owner):
            raise Conflict(
                f"{_group(state.about.owner)} owns the endpoint {state.endpoint!r} on record, and "
                f"{_group(source.about.owner)} owns {source.endpoint!r}: choose another name"
            )
        return taken_over(state, source)

    @cached_property
    def _release(self) -> PreparedRelease:
        deploy = self._deploy
        return prepared(
            self._parts,
            ReleaseRequest(
                endpoint=deploy.endpoint,
                bucket=deploy.bucket,
                object_key=deploy.object_key,
                environment_key=deploy.environment_key,
                digest=deploy.now.digest,
                settings=deploy.now.settings,
                plan=deploy.plan,
                actor=deploy.actor,
                key=deploy.request,
                supersede=True,
                owner=deploy.now.owner,
                deploy=deploy.key,
            ),
        )

    def _release_at(self, state: EndpointState) -> PreparedRelease:
        record = state.deploys.record(self._deploy.key)
        previous = record.previous if record else self._previous(state)
        return replace(self._release, request=replace(self._release.request, previous=previous))

    def _previous(self, state: EndpointState) -> tuple[str, str] | None:
        """Digest and settings that this endpoint's declaration had before."""
        base = None if self._takes_over(state) else self._base_at(state)
        return (base.digest, base.settings) if base and base.digest else None


def serves(state: EndpointState) -> bool:
    """Whether the endpoint has a champion, or a first release on its way."""
    return state.champion is not None or state.active is not None


def _group(name: str | None) -> str:
    return "nobody" if name is None else f"group {name!r}"
