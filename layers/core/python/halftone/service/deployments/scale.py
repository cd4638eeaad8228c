"""Replicas of a deployment: recorded first, then asked of the platform."""

from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.capacity import scaled
from halftone.domain.endpoint.deployment_status import placed_in
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict
from halftone.domain.quantities import whole
from halftone.ports import DeploymentPorts
from halftone.service.deployments.deployments import known, named, written
from halftone.service.unit_of_work import by_engine, commit, retry_on_conflict

MOST_REPLICAS = 100


def scale(
    ports: DeploymentPorts,
    endpoint: str,
    deployment: str,
    replicas: int,
    *,
    author: Author,
) -> EndpointState:
    """Keep so many sandboxes of a deployment ready, also before it gets any traffic.

    What the platform refuses is taken back, on record.

    Raises:
        NotFound: if there is no such endpoint or deployment.
        InvalidInput: if that is no number of replicas.
        Conflict: if the deployment takes no requests, or the platform refuses.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
        Unavailable: if the platform did not answer: what is wanted is on record; ask again.
    """
    whole("replicas", replicas, most=MOST_REPLICAS)
    state, version, was = _record_replicas(ports, endpoint, deployment, replicas, author)
    try:
        ports.scaling.provision(endpoint, version, replicas)
    except Conflict as refused:
        if was == replicas:
            raise
        _take_back(ports, endpoint, version, (replicas, was), str(refused))
        raise
    return state


@retry_on_conflict
def _record_replicas(
    ports: DeploymentPorts, endpoint: str, deployment: str, replicas: int, author: Author
) -> tuple[EndpointState, str, int]:
    """The state with so many replicas on record, the version, and how many it had before."""
    endpoint_read = known(ports, endpoint, author.revision)
    target = named(endpoint_read, deployment)
    placed = placed_in(endpoint_read.state, target.version)
    champion = endpoint_read.state.champion
    serving = bool(champion and champion.version == target.version)
    if replicas and not serving and (placed is None or placed.stopped):
        raise Conflict(
            f"version {target.version} of {endpoint!r} takes no requests: start it first"
        )
    was = endpoint_read.state.upkeep.replicas.get(target.version, 0)
    if was == replicas:
        return endpoint_read.state, target.version, was
    after = replace(
        endpoint_read.state, upkeep=scaled(endpoint_read.state.upkeep, target.version, replicas)
    )
    message = f"{replicas} replicas of version {target.version}"
    numbers = {"replicas": replicas, "was": was}
    after_all = written(
        ports,
        endpoint_read.state,
        after,
        "scaled",
        target,
        author=author.with_default(message),
        numbers=numbers,
    )
    return after_all, target.version, was


@retry_on_conflict
def _take_back(
    ports: DeploymentPorts, endpoint: str, version: str, counts: tuple[int, int], why: str
) -> None:
    """Put the number of replicas on record that the platform still has."""
    requested, was = counts

    state = ports.store.load(endpoint)
    if state is None or state.upkeep.replicas.get(version, 0) != requested:
        return
    commit(
        ports,
        state,
        replace(state, upkeep=scaled(state.upkeep, version, was)),
        action="refused",
        author=by_engine(why),
        numbers={"version": version, "replicas": was, "was": requested},
    )
