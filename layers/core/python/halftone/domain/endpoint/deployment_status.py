"""A deployment in one word and one sentence, and why it may not be taken away. Pure.

| status    | what is true of the deployment                                                     |
| --------- | ---------------------------------------------------------------------------------- |
| Deploying | Its version is published or about to be; it has not answered its samples yet.      |
| Deployed  | It takes requests: a share of the traffic, or those that name it.                  |
| Failed    | It never took a request: publishing or its samples failed.                         |
| Stopped   | It takes no requests: somebody stopped or deleted it, or it was never placed.      |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from halftone.domain.audit import AuditRecord
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.projection import shares
from halftone.domain.endpoint.state import EndpointState, Placed
from halftone.domain.endpoint.status import Status
from halftone.domain.errors import Conflict
from halftone.domain.names import ALIAS, CHALLENGER
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.routing import ReadAliases

RETIRED = "retired"
"""The audit's word for the end of an endpoint: from there on its versions count from 1 again."""


@dataclass(frozen=True)
class Past:
    """What the audit tells of an endpoint's versions since the endpoint was made (last).

    ``published`` are all of them, ``served`` those that were champion, ``ended`` how the rollout of
    a version that did not come through ended: its phase and the reason. ``names`` are what people
    called versions last, also those that are deleted; ``memory`` is the function's size in MB.
    """

    published: frozenset[str] = frozenset()
    served: frozenset[str] = frozenset()
    ended: Mapping[str, tuple[Phase, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)


def past(records: Iterable[AuditRecord]) -> Past:
    """What ``records``, a whole audit, tell."""
    published: set[str] = set()
    served: set[str] = set()
    ended: dict[str, tuple[Phase, str]] = {}
    names: dict[str, str] = {}
    memory: dict[str, int] = {}
    for record in records:
        if record.action == RETIRED:
            published, served, ended, names, memory = set(), set(), {}, {}, {}
            continue
        names = last_names(names, record)
        after = record.after
        champion, challenger = after.get("champion"), after.get("challenger")
        if isinstance(champion, str):
            served.add(champion)
        if isinstance(challenger, str):
            published.add(challenger)
            phase = after.get("phase")
            size = record.numbers.get("memory")
            if record.action == "published" and isinstance(size, int):
                memory[challenger] = size
            if phase in (Phase.FAILED, Phase.ROLLED_BACK):
                # Every later record carries the ended rollout along: its own end counts.
                if _rollout_state(record.before) != _rollout_state(after):
                    ended[challenger] = (Phase(str(phase)), record.reason)
            elif phase == Phase.PROMOTED:
                ended.pop(challenger, None)
    return Past(frozenset(published | served), frozenset(served), ended, names, memory)


def last_names(names: Mapping[str, str], record: AuditRecord) -> dict[str, str]:
    """``names`` by version after ``record``; a deleted version keeps the name that it had."""
    was, now = _names(record.before), _names(record.after)
    merged = {**names, **was, **now}
    if record.action == "named":
        # A deployment that is named by its own number gives its name back.
        for version in was.keys() - now.keys():
            merged.pop(version, None)
    return merged


def _names(summary: Mapping[str, object]) -> dict[str, str]:
    settings = summary.get("settings")
    names = settings.get("names") if isinstance(settings, Mapping) else None
    return {str(v): str(n) for v, n in names.items()} if isinstance(names, Mapping) else {}


def _rollout_state(summary: Mapping[str, object]) -> tuple[object, object]:
    return summary.get("rollout"), summary.get("phase")


@dataclass(frozen=True)
class DeploymentStatus:
    """Where a deployment stands. ``share`` is the percentage of unpinned requests it answers."""

    deployment: Deployment
    name: str
    status: Status
    message: str
    share: float


def deployment_status(
    state: EndpointState, aliases: ReadAliases | None, history: Past, deployment: Deployment
) -> DeploymentStatus:
    """Where ``deployment`` stands; ``aliases`` None: the endpoint's function is gone."""
    version = deployment.version
    placed = placed_in(state, version)
    share = _share(state, aliases, version)
    status, message = _describe(state, history, deployment, placed, share)
    name = placed.name if placed else history.names.get(version, version)
    return DeploymentStatus(deployment, name, status, message, share)


def placed_in(state: EndpointState, version: str) -> Placed | None:
    """The version among those that requests can be sent to."""
    return next((placed for placed in state.placed if placed.version == version), None)


def must_be_idle(state: EndpointState, aliases: ReadAliases | None, version: str, to: str) -> None:
    """Nothing is taken away that a request may meet: ``to`` completes "it can't be ...".

    Raises:
        Conflict: naming what holds the version, and what to do first.
    """
    name, refused = f"version {version} of {state.endpoint!r}", f"can't be {to}"
    if state.champion and state.champion.version == version:
        raise Conflict(f"{name} {refused}: it is the champion; release or return to another first")
    running = state.active
    if running and version in (running.challenger, running.champion):
        raise Conflict(
            f"{name} {refused}: rollout {running.id} is {running.phase}; let it end or abort it"
        )
    serving = state.serving
    if any(portion.version == version for portion in serving.split):
        raise Conflict(f"{name} {refused}: a share of the traffic goes to it; take that away first")
    if any(rule.version == version for rule in serving.rules):
        raise Conflict(f"{name} {refused}: a routing rule sends requests to it; change that first")
    if serving.mirror and serving.mirror.version == version:
        raise Conflict(f"{name} {refused}: requests are mirrored to it; end that first")
    if aliases is None:
        return
    for alias, read in ((ALIAS, aliases.live), (CHALLENGER, aliases.challenger)):
        if version in (read.routing.main, read.routing.other):
            raise Conflict(f"{name} {refused}: the alias {alias!r} points at it")


def must_not_be_the_last(
    state: EndpointState, history: Past, deployments: Iterable[Deployment], version: str
) -> None:
    """The last deployment that is known to have answered well stays.

    Raises:
        Conflict: if ``version`` is that one.
    """
    good = {d.version for d in deployments if d.version in history.served and not d.deleted}
    if good == {version}:
        raise Conflict(
            f"version {version} is the last of {state.endpoint!r} that is known to have answered "
            "well: release another first, or delete the endpoint"
        )


def _share(state: EndpointState, aliases: ReadAliases | None, version: str) -> float:
    if aliases is None:
        return 0.0
    return shares(state, aliases.live.routing).get(version, 0.0)


def _describe(
    state: EndpointState,
    history: Past,
    deployment: Deployment,
    placed: Placed | None,
    share: float,
) -> tuple[Status, str]:
    version, running = deployment.version, state.active
    if deployment.deleted:
        return Status.STOPPED, f"deleted: {deployment.deleted}"
    if state.champion and state.champion.version == version:
        return Status.DEPLOYED, f"the champion, with {share:g} % of the requests"
    if placed and placed.stopped:
        return Status.STOPPED, placed.stopped
    if running and running.challenger == version:
        if running.phase is Phase.PREPARING:
            return Status.DEPLOYING, f"published for {running.id}, not admitted yet"
        return Status.DEPLOYED, f"the challenger, {running.phase} at {share:g} %"
    if share:
        return Status.DEPLOYED, f"with {share:g} % of the requests"
    before = "it was champion" if version in history.served else "it took no traffic for good"
    if version in history.ended:
        phase, reason = history.ended[version]
        before = f"{phase.replace('_', ' ')}: {reason}"
        if phase is Phase.FAILED:
            return Status.FAILED, reason
    if placed:
        return Status.DEPLOYED, f"answers requests that name it; {before}"
    return Status.STOPPED, f"takes no requests; {before}"
