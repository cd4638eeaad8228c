"""Replicas of a deployment: recorded first, then asked of the platform."""

from dataclasses import replace

from halftone.domain.endpoint.capacity import scaled
from halftone.domain.endpoint.deployment_status import placed_in
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict
from halftone.domain.quantities import whole
from halftone.ports import Ports
from halftone.service.deployments.deployments import known, named, written
from halftone.service.unit_of_work import ENGINE, commit, retry_on_conflict

MOST_REPLICAS = 100


def scale(
    ports: Ports,
    endpoint: str,
    deployment: str,
    replicas: int,
    *,
    actor: str,
    reason: str,
    revision: int | None = None,
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

    def attempt() -> tuple[EndpointState, str, int]:
        seen = known(ports, endpoint, revision)
        found = named(seen, deployment)
        placed = placed_in(seen.state, found.version)
        champion = seen.state.champion
        serving = bool(champion and champion.version == found.version)
        if replicas and not serving and (placed is None or placed.stopped):
            raise Conflict(
                f"version {found.version} of {endpoint!r} takes no requests: start it first"
            )
        was = seen.state.upkeep.replicas.get(found.version, 0)
        if was == replicas:
            return seen.state, found.version, was
        after = replace(seen.state, upkeep=scaled(seen.state.upkeep, found.version, replicas))
        said = reason or f"{replicas} replicas of version {found.version}"
        numbers = {"replicas": replicas, "was": was}
        after_all = written(
            ports, seen.state, after, "scaled", found, actor=actor, reason=said, numbers=numbers
        )
        return after_all, found.version, was

    state, version, was = retry_on_conflict(endpoint, attempt)
    try:
        ports.scaling.provision(endpoint, version, replicas)
    except Conflict as refused:
        if was == replicas:
            raise
        _take_back(ports, endpoint, version, (replicas, was), str(refused))
        raise
    return state


def _take_back(
    ports: Ports, endpoint: str, version: str, counts: tuple[int, int], why: str
) -> None:
    """Put the number of replicas on record that the platform still has."""
    wanted, was = counts

    def attempt() -> None:
        state = ports.store.load(endpoint)
        if state is None or state.upkeep.replicas.get(version, 0) != wanted:
            return
        commit(
            ports,
            state,
            replace(state, upkeep=scaled(state.upkeep, version, was)),
            action="refused",
            actor=ENGINE,
            reason=why,
            numbers={"version": version, "replicas": was, "was": wanted},
        )

    retry_on_conflict(endpoint, attempt)
