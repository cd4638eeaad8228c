"""Rollouts as a person looks at them: from the record, and from the audit where that has none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.deployment_history import DeploymentRecord, life_of, lives
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound
from halftone.domain.insight.forecast import Forecast, forecast
from halftone.domain.insight.rollout_clock import RolloutClock, clock_of
from halftone.domain.rollout.analysis import judge
from halftone.domain.rollout.evidence import Evidence
from halftone.domain.rollout.looks import Look, thinned
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.rollout.verdict import Verdict
from halftone.ports import EvidencePorts
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


def rollouts(ports: EvidencePorts, name: str) -> Sequence[Told]:
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


def one_rollout(ports: EvidencePorts, name: str, key: str) -> Told:
    """One rollout of an endpoint.

    Raises:
        NotFound: if there is no such endpoint or no such rollout of it.
    """
    for entry in rollouts(ports, name):
        if entry.id == key:
            return entry
    raise NotFound("rollout", key, f"GET /v1/endpoints/{name}/rollouts lists those there are")


def history(ports: EvidencePorts, name: str) -> Sequence[Deployed]:
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


@dataclass(frozen=True)
class RolloutView:
    """A rollout with all that the record knows of it.

    ``rollout`` is the whole one, None where a release before this was recorded made it. ``verdict``
    is of the evidence as it is kept, or of the last look at a rollout that is over. ``forecast`` is
    None where no clock runs, ``newest`` whether it is the endpoint's newest.
    """

    state: EndpointState
    entry: Told
    rollout: Rollout | None
    verdict: Verdict | None
    clock: RolloutClock | None
    forecast: Forecast | None
    newest: bool


def view(ports: EvidencePorts, name: str, key: str) -> RolloutView:
    """A rollout, whether it runs or is over. At most three reads, unless it is older than those.

    Raises:
        NotFound: if there is no such endpoint or no such rollout of it.
    """
    state, now = endpoint(ports, name), ports.clock.now()
    newest = state.rollout is not None and state.rollout.id == key
    rollout = state.rollout if newest else None
    ended_at: datetime | None = None
    if rollout is None or rollout.phase.final:
        snapshot = ports.rollout_history.snapshot(name, key)
        rollout = rollout or (snapshot.rollout if snapshot else None)
        ended_at = snapshot.ended_at if snapshot else None
    if (
        rollout is None
        or rollout.phase.final is not (ended_at is not None)
        or not (newest or ended_at)
    ):
        entry = one_rollout(ports, name, key)
        ended_at = entry.ended_at
    else:
        entry = _entry(rollout, ended_at)
    if rollout is None or rollout.phase.final or not newest:
        look = ports.rollout_history.last_look(name, key)
        verdict, evidence = look.verdict if look else None, None
    else:
        evidence = ports.evidence.load_evidence(name, key)
        verdict = _judged(rollout, evidence)
    return RolloutView(
        state=state,
        entry=entry,
        rollout=rollout,
        verdict=verdict,
        clock=clock_of(rollout, verdict, now, ended_at=ended_at) if rollout else None,
        forecast=forecast(rollout, evidence, now) if rollout and evidence else None,
        newest=newest,
    )


def _judged(rollout: Rollout, evidence: Evidence | None) -> Verdict | None:
    if rollout.current is None or evidence is None:
        return None
    return judge(evidence, rollout.plan, rollout.current, rollout.units)


def _entry(rollout: Rollout, ended_at: datetime | None) -> Told:
    return Told(
        id=rollout.id,
        phase=rollout.phase,
        package=str(rollout.package),
        champion=rollout.champion,
        challenger=rollout.challenger,
        share=rollout.share,
        started_at=rollout.started_at,
        ended_at=ended_at,
        actor=rollout.actor,
        message=rollout.message,
        reason=rollout.reason,
    )


def looks(
    ports: EvidencePorts, name: str, key: str, *, since: datetime | None, points: int
) -> tuple[Sequence[Look], int]:
    """The looks at a rollout later than ``since``, at most ``points``, and how many there were.

    Raises:
        NotFound: if there is no such endpoint or no such rollout of it.
    """
    seen = tuple(ports.rollout_history.looks(name, key, since=since))
    if not seen:
        state = endpoint(ports, name)
        if state.rollout is None or state.rollout.id != key:
            one_rollout(ports, name, key)
    return thinned(seen, points), len(seen)


def _version(value: object) -> str | None:
    return None if value is None else str(value)
