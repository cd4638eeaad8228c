"""Rollouts as a person looks at them: the newest whole, all others as the audit tells them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.deployment_history import DeploymentRecord, life_of, lives
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound
from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.verdict import Verdict
from halftone.ports import Ports
from halftone.service.endpoints.endpoints import endpoint


@dataclass(frozen=True)
class Told:
    """What the audit tells of a rollout: who began it, when and why, and how it stands or ended.

    ``package`` is its name with the beginning of its digest. ``ended_at`` is None while it lasts.
    """

    id: str
    phase: Phase
    package: str
    champion: str | None
    challenger: str | None
    share: float
    started_at: datetime
    ended_at: datetime | None
    actor: str
    message: str
    reason: str


@dataclass(frozen=True)
class Deployed:
    """A deployment in an endpoint's history. ``rollout`` is None if the audit tells of none.

    ``serving`` says whether it is the champion. ``record`` is what the audit tells of it;
    ``record.stopped`` is why it takes no requests.
    """

    deployment: Deployment
    rollout: Told | None
    serving: bool
    record: DeploymentRecord


def rollouts(ports: Ports, name: str) -> Sequence[Told]:
    """Every rollout of an endpoint, the newest first. Reads the whole audit.

    Raises:
        NotFound: if there is no such endpoint.
    """
    endpoint(ports, name)
    by_id: dict[str, Told] = {}
    for record in ports.store.audit(name):
        after = record.after
        if "rollout" not in after or record.action == "asked":
            continue
        key, phase, share = str(after["rollout"]), Phase(str(after["phase"])), after["share"]
        before = by_id.get(key) or Told(
            id=key,
            phase=phase,
            package=str(after["candidate"]),
            champion=_version(record.before.get("champion")),
            challenger=None,
            share=0.0,
            started_at=record.at,
            ended_at=None,
            actor=record.actor,
            message=record.reason,
            reason=record.reason,
        )
        if before.phase.final:
            continue  # what is changed later carries its last rollout along
        by_id[key] = replace(
            before,
            phase=phase,
            challenger=_version(after.get("challenger")),
            share=float(str(share)),
            ended_at=record.at if phase.final else None,
            reason=record.reason,
        )
    return tuple(reversed(by_id.values()))


def rollout(ports: Ports, name: str, key: str) -> Told:
    """One rollout of an endpoint.

    Raises:
        NotFound: if there is no such endpoint or no such rollout of it.
    """
    for entry in rollouts(ports, name):
        if entry.id == key:
            return entry
    raise NotFound("rollout", key, f"GET /v1/endpoints/{name}/rollouts lists those there are")


def history(ports: Ports, name: str) -> Sequence[Deployed]:
    """Every deployment of an endpoint, the newest first. Reads the whole audit.

    Raises:
        NotFound: if there is no such endpoint.
    """
    state = endpoint(ports, name)
    by_id = {one.id: one for one in rollouts(ports, name)}
    recorded = lives(ports.store.audit(name))
    stopped = {placed.version: placed.stopped for placed in state.placed}
    entries = []
    for deployment in ports.store.deployments(name):
        life = life_of(recorded, deployment.created_at)
        record = life.deployments.get(deployment.version, DeploymentRecord())
        if life is recorded[-1] and not record.stopped and stopped.get(deployment.version):
            record.stopped = f"stopped: {stopped[deployment.version]}"
        if deployment.deleted:
            record.stopped = f"deleted: {deployment.deleted}"
        entries.append(
            Deployed(
                deployment=deployment,
                rollout=by_id.get(deployment.rollout),
                serving=state.champion == deployment,
                record=record,
            )
        )
    return sorted(
        entries,
        key=lambda each: (each.deployment.created_at, int(each.deployment.version)),
        reverse=True,
    )


def verdict(ports: Ports, state: EndpointState) -> Verdict | None:
    """What the evidence that was kept says of the rollout under way; None before there is any."""
    running = state.active
    if running is None or running.current is None:
        return None
    evidence = ports.evidence.load_evidence(state.endpoint, running.id)
    return judge(evidence, running.plan, running.current, running.units) if evidence else None


def _version(value: object) -> str | None:
    return None if value is None else str(value)
