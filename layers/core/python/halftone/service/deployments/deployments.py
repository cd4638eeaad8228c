"""Deployments one by one: what each is, where it stands, and what a change of it is made of."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from halftone.domain.audit import Author
from halftone.domain.endpoint.deployment import Deployment
from halftone.domain.endpoint.deployment_status import (
    DeploymentStatus,
    Past,
    deployment_status,
    past,
)
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import NotFound
from halftone.domain.rollout.routing import ReadAliases
from halftone.ports import DeploymentPorts
from halftone.ports.capacity import Provisioned
from halftone.service.unit_of_work import commit, must_be_at

LATEST = "$LATEST"
"""The unpublished version, in which Lambda logs what it runs before a version is published."""


@dataclass(frozen=True)
class Shown:
    """A deployment as it is shown: where it stands, its number in the registry, its replicas.

    ``memory`` is the function's size in MB; None: published before it was recorded.
    """

    standing: DeploymentStatus
    number: int | None
    replicas: Provisioned
    memory: int | None


@dataclass(frozen=True)
class Known:
    """An endpoint with all that its deployments are judged by."""

    state: EndpointState
    deployments: Sequence[Deployment]
    history: Past
    aliases: ReadAliases | None

    def standing(self, deployment: Deployment) -> DeploymentStatus:
        return deployment_status(self.state, self.aliases, self.history, deployment)


def listed(
    ports: DeploymentPorts, endpoint: str, *, deleted: bool = False
) -> Sequence[DeploymentStatus]:
    """Every deployment since the endpoint was made, newest first; ``deleted`` ones if asked for.

    Raises:
        NotFound: if there is no such endpoint.
    """
    endpoint_read = known(ports, endpoint)
    return [
        endpoint_read.standing(d)
        for d in reversed(endpoint_read.deployments)
        if deleted or not d.deleted
    ]


def shown(ports: DeploymentPorts, endpoint: str, deployment: str) -> tuple[EndpointState, Shown]:
    """One deployment, by its version or its name, with the endpoint's state.

    Raises:
        NotFound: if there is no such endpoint or deployment.
    """
    endpoint_read = known(ports, endpoint)
    return endpoint_read.state, _shown(ports, endpoint_read, named(endpoint_read, deployment))


def newest(ports: DeploymentPorts, endpoint: str, most: int) -> Sequence[Shown]:
    """The newest deployments that are not deleted, at most ``most``, newest first.

    Raises:
        NotFound: if there is no such endpoint.
    """
    endpoint_read = known(ports, endpoint)
    kept = [d for d in reversed(endpoint_read.deployments) if not d.deleted]
    return [_shown(ports, endpoint_read, deployment) for deployment in kept[:most]]


def _shown(ports: DeploymentPorts, endpoint_read: Known, target: Deployment) -> Shown:
    replicas = Provisioned()
    if not target.deleted and endpoint_read.aliases:
        with suppress(NotFound):
            replicas = ports.scaling.provisioned(endpoint_read.state.endpoint, target.version)
    number = ports.registry.number_of(target.package.name, target.package.digest)
    memory = endpoint_read.history.memory.get(target.version)
    return Shown(endpoint_read.standing(target), number, replicas, memory)


def known(ports: DeploymentPorts, endpoint: str, revision: int | None = None) -> Known:
    """The endpoint, read for a change that must find it at ``revision`` (None: any).

    Raises:
        NotFound: if there is no such endpoint.
        PreconditionFailed: if it is at another revision.
    """
    # The aliases come first: whoever moves one after that also writes the state that is read next.
    aliases: ReadAliases | None = None
    with suppress(NotFound):
        aliases = ports.aliases.both(endpoint)
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint)
    must_be_at(f"endpoint {endpoint!r}", state.revision, revision)
    history = past(ports.store.audit(endpoint))
    deployments = [d for d in ports.store.deployments(endpoint) if d.version in history.published]
    return Known(state, deployments, history, aliases)


def named(endpoint_read: Known, deployment: str) -> Deployment:
    """The deployment of that version, or that is called so.

    Raises:
        NotFound: if there is none.
    """
    called = endpoint_read.state.version_called(deployment)
    match = next((d for d in endpoint_read.deployments if d.version == called), None)
    if match is None:
        names = ", ".join(d.version for d in endpoint_read.deployments) or "none"
        raise NotFound("deployment", deployment, f"{endpoint_read.state.endpoint!r} has {names}")
    return match


def resolve_version(ports: DeploymentPorts, endpoint: str, name: str | None) -> str | None:
    """The version that people call ``name``: its number, a deployment's name, champion or
    challenger; None for None. Deleted versions count: their logs and figures are still there.

    Raises:
        NotFound: naming the endpoint's deployments, if there is no such endpoint or version.
    """
    if name is None or name == LATEST:
        return name
    state = ports.store.load(endpoint)
    if state is None:
        raise NotFound("endpoint", endpoint)
    version = state.version_called(name)
    published = [deployment.version for deployment in ports.store.deployments(endpoint)]
    if version not in published:
        placed = {p.version: p.name for p in state.placed}
        choices = [f"{v} ({placed[v]})" if placed.get(v, v) != v else v for v in published]
        raise NotFound("version", name, f"{endpoint!r} has {', '.join(choices) or 'none yet'}")
    return version


def written(
    ports: DeploymentPorts,
    before: EndpointState,
    after: EndpointState,
    action: str,
    deployment: Deployment,
    *,
    author: Author,
    numbers: Mapping[str, object] | None = None,
) -> EndpointState:
    """``commit`` about one deployment, which is written along if it was deleted."""
    return commit(
        ports,
        before,
        after,
        action=action,
        author=author,
        numbers={
            "version": deployment.version,
            "package": str(deployment.package),
            **(numbers or {}),
        },
        deployment=deployment if deployment.deleted else None,
    )
