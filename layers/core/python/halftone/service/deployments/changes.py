"""Naming, stopping, starting and deleting a deployment.

Each change is one conditional write with its audit record. What the platform must do about it
follows the record, so that a crash in between leaves something to repeat and nothing untold: saying
the same again does what is still to be done.
"""

from contextlib import suppress
from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.endpoint.capacity import scaled
from halftone.domain.endpoint.champions import forget
from halftone.domain.endpoint.deployment_status import must_be_idle, must_not_be_the_last, placed_in
from halftone.domain.endpoint.state import MOST_NAMED, EndpointState, Placed
from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.names import CHALLENGER, checked_name
from halftone.domain.traffic.policy import CHAMPION
from halftone.ports import DeploymentPorts
from halftone.service.deployments.deployments import known, named, written
from halftone.service.unit_of_work import retry_on_conflict


def stop(
    ports: DeploymentPorts,
    endpoint: str,
    deployment: str,
    *,
    author: Author,
) -> EndpointState:
    """Let a deployment take no requests, not even those that name it; ``start`` undoes it.

    Raises:
        NotFound: if there is no such endpoint or deployment.
        Conflict: if requests may meet it: a share, a rule, a mirror or a rollout.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
    """
    state, version = _record_stop(ports, endpoint, deployment, author)
    with suppress(NotFound):
        ports.scaling.provision(endpoint, version, 0)
    return state


@retry_on_conflict
def _record_stop(
    ports: DeploymentPorts, endpoint: str, deployment: str, author: Author
) -> tuple[EndpointState, str]:
    """The state with the deployment stopped, and its version."""
    endpoint_read = known(ports, endpoint, author.revision)
    target = named(endpoint_read, deployment)
    must_be_idle(endpoint_read.state, endpoint_read.aliases, target.version, "stopped")
    placed = placed_in(endpoint_read.state, target.version)
    if placed is None or placed.stopped:
        return endpoint_read.state, target.version
    author = author.with_default(f"stopped by {author.actor}")
    after = _placing(endpoint_read.state, replace(placed, stopped=author.reason))
    after = replace(after, upkeep=scaled(after.upkeep, target.version, 0))
    return written(
        ports, endpoint_read.state, after, "stopped", target, author=author
    ), target.version


@retry_on_conflict
def start(
    ports: DeploymentPorts,
    endpoint: str,
    deployment: str,
    *,
    author: Author,
) -> EndpointState:
    """Let a deployment that was stopped take requests that name it again.

    Raises:
        NotFound: if there is no such endpoint or deployment.
        Conflict: if it never took any: it was not admitted, or it was deleted.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
    """
    endpoint_read = known(ports, endpoint, author.revision)
    target = named(endpoint_read, deployment)
    placed = placed_in(endpoint_read.state, target.version)
    if placed is None:
        status = endpoint_read.standing(target)
        raise Conflict(
            f"version {target.version} of {endpoint!r} can't be started: {status.message}"
        )
    if not placed.stopped:
        return endpoint_read.state
    after = _placing(endpoint_read.state, replace(placed, stopped=""))
    author = author.with_default(f"started by {author.actor}")
    return written(ports, endpoint_read.state, after, "started", target, author=author)


@retry_on_conflict
def rename(
    ports: DeploymentPorts,
    endpoint: str,
    deployment: str,
    name: str,
    *,
    author: Author,
) -> EndpointState:
    """Call a deployment by a name such as ``green``, by which requests may be pinned to it.

    Raises:
        NotFound: if there is no such endpoint or deployment.
        InvalidInput: if that is no name.
        Conflict: if another deployment is called so, this one takes no requests, or too many others
            have names.
        PreconditionFailed: if the endpoint is not at ``revision`` (None: any).
    """
    endpoint_read = known(ports, endpoint, author.revision)
    target = named(endpoint_read, deployment)
    if name != target.version:
        checked_name("name", name)
    if name in (CHAMPION, CHALLENGER):
        raise InvalidInput("name", name, "another name: it stands for whichever has that part")
    placed = placed_in(endpoint_read.state, target.version)
    if placed is None:
        raise Conflict(f"version {target.version} of {endpoint!r} takes no requests to be named")
    if placed.name == name:
        return endpoint_read.state
    other = next((p for p in endpoint_read.state.placed if p.name == name), None)
    if other is not None:
        raise Conflict(f"version {other.version} of {endpoint!r} is called {name!r} already")
    others = (p for p in endpoint_read.state.placed if p.version != target.version)
    own = [p.version for p in others if p.name != p.version]
    if name != target.version and len(own) >= MOST_NAMED:
        raise Conflict(
            f"{len(own)} deployments of {endpoint!r} have names of their own: delete some, or "
            f"give a name back, as that of version {own[0]} by naming it {own[0]!r}"
        )
    after = _placing(endpoint_read.state, replace(placed, name=name))
    author = author.with_default(f"version {target.version} is called {name!r}")
    return written(ports, endpoint_read.state, after, "named", target, author=author)


def delete(
    ports: DeploymentPorts,
    endpoint: str,
    deployment: str,
    *,
    author: Author,
) -> EndpointState:
    """Delete a deployment with its version, for good. What it was stays on record.

    Raises:
        NotFound: if there is no such endpoint or deployment.
        Conflict: if requests may meet it, a rollout is about it, an alias points at it, or it is
            the last one that is known to have answered well.
    """
    # From the record on nobody can return to it or name it; only then does it go.
    state, version = _record_deletion(ports, endpoint, deployment, author)
    with suppress(NotFound):
        ports.scaling.provision(endpoint, version, 0)
    ports.versions.delete(endpoint, version)
    return state


@retry_on_conflict
def _record_deletion(
    ports: DeploymentPorts, endpoint: str, deployment: str, author: Author
) -> tuple[EndpointState, str]:
    """The state without the deployment, and its version."""
    endpoint_read = known(ports, endpoint)
    target = named(endpoint_read, deployment)
    must_be_idle(endpoint_read.state, endpoint_read.aliases, target.version, "deleted")
    if target.deleted:
        return endpoint_read.state, target.version
    must_not_be_the_last(
        endpoint_read.state, endpoint_read.history, endpoint_read.deployments, target.version
    )
    author = author.with_default(f"deleted by {author.actor}")
    state = endpoint_read.state
    rest = tuple(placed for placed in state.placed if placed.version != target.version)
    after = replace(
        forget(state, target.version),
        placed=rest,
        upkeep=scaled(state.upkeep, target.version, 0),
    )
    deleted = replace(target, deleted=author.reason)
    return written(ports, state, after, "deleted", deleted, author=author), target.version


def _placing(state: EndpointState, placed: Placed) -> EndpointState:
    """``state`` with ``placed`` in place of what its version was."""
    others = (placed if p.version == placed.version else p for p in state.placed)
    return replace(state, placed=tuple(others))
