"""Deployments one by one: list, show, name, stop, start, scale, delete."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, deletes, edits, posts, reads
from halftone.api.requests import Body, EndpointName, Message, Why
from halftone.api.responses import Cursor, Limit, Shape, after, answer, page, router, shown
from halftone.domain.access import Action
from halftone.domain.endpoint.deployment_status import DeploymentStatus
from halftone.domain.endpoint.status import Status
from halftone.domain.errors import InvalidInput
from halftone.ports import Ports
from halftone.service.deployments import changes
from halftone.service.deployments import deployments as service
from halftone.service.deployments.scale import scale

routes = router("deployments")

DeploymentName = Annotated[
    str,
    Path(max_length=32, pattern=r"^[a-z0-9-]+$", description="The deployment's name or version."),
]


class Deployment(Shape):
    """A deployment: a package made runnable as one version of the endpoint's function.

    `share` is the percentage of the requests that it answers of those that name no deployment.
    """

    version: str
    name: str
    status: Status
    message: str
    share: float
    package: schemas.Package
    rollout: str
    created_at: datetime
    deleted: bool


class DeploymentShown(Deployment):
    """A deployment with its number in the registry, and its replicas.

    `model` is null if the registry does not have it. `replicas` are asked for, `ready` stand ready.
    `memory` is the function's size in MB (null: published before it was recorded).
    """

    model: str | None
    replicas: int
    ready: int
    replicas_message: str
    memory: int | None


class Deployments(Shape):
    """A page of deployments, newest first; `next` is null on the last."""

    items: Sequence[Deployment]
    next: str | None


class DeploymentEdit(Body):
    """What is to change: the name (its version: none of its own), the replicas."""

    name: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    replicas: Annotated[int, Field(ge=0, le=100)] | None = None
    message: Why = ""


@routes.get("/endpoints/{endpoint}/deployments", responses=shown(Deployments))
async def list_deployments(
    *,
    endpoint: EndpointName,
    call: Annotated[RequestContext, reads()],
    deleted: Annotated[bool, Query(description="Deleted ones, too.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List an endpoint's deployments, newest first."""
    last = after(cursor)
    if last and not last.isdecimal():
        raise InvalidInput("cursor", cursor, "`next` of the page before")
    statuses = service.listed(call.ports, endpoint, deleted=deleted)
    rest = (
        (each.deployment.version, Deployment(**_told(each)))
        for each in statuses
        if not last or int(each.deployment.version) < int(last)
    )
    items, following = page(rest, limit)
    return answer(Deployments(items=items, next=following))


@routes.get("/endpoints/{endpoint}/deployments/{deployment}", responses=shown(DeploymentShown))
async def show_deployment(
    endpoint: EndpointName, deployment: DeploymentName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show a deployment. The ETag is the endpoint's."""
    return _shown(call.ports, endpoint, deployment)


@routes.patch("/endpoints/{endpoint}/deployments/{deployment}", responses=shown(DeploymentShown))
async def edit_deployment(
    endpoint: EndpointName,
    deployment: DeploymentName,
    wanted: DeploymentEdit,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Name a deployment, or say how many replicas of it stand ready.

    The ETag is the endpoint's. Both at once are two records: the name comes first.
    """
    if wanted.name is None and wanted.replicas is None:
        raise InvalidInput("body", None, "a name, replicas or both")
    author, name = call.author(wanted.message), deployment
    if wanted.name is not None:
        state = changes.rename(call.ports, endpoint, name, wanted.name, author=author)
        name = wanted.name
        author = author.at(author.revision and state.revision)
    if wanted.replicas is not None:
        scale(call.ports, endpoint, name, wanted.replicas, author=author)
    return _shown(call.ports, endpoint, name)


@routes.post(
    "/endpoints/{endpoint}/deployments/{deployment}/stop", responses=shown(DeploymentShown)
)
async def stop_deployment(
    endpoint: EndpointName,
    deployment: DeploymentName,
    body: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """Let a deployment take no requests, not even those that name it."""

    def do(ports: Ports) -> Response:
        changes.stop(ports, endpoint, deployment, author=call.author(body.message))
        return _shown(ports, endpoint, deployment)

    return call.once(do, lost=lambda ports: _shown(ports, endpoint, deployment))


@routes.post(
    "/endpoints/{endpoint}/deployments/{deployment}/start", responses=shown(DeploymentShown)
)
async def start_deployment(
    endpoint: EndpointName,
    deployment: DeploymentName,
    body: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """Let a deployment that was stopped take requests again."""

    def do(ports: Ports) -> Response:
        changes.start(ports, endpoint, deployment, author=call.author(body.message))
        return _shown(ports, endpoint, deployment)

    return call.once(do, lost=lambda ports: _shown(ports, endpoint, deployment))


@routes.delete("/endpoints/{endpoint}/deployments/{deployment}", responses=shown(DeploymentShown))
async def delete_deployment(
    endpoint: EndpointName,
    deployment: DeploymentName,
    call: Annotated[RequestContext, deletes(Action.ADMINISTER)],
    message: Annotated[str, Query(max_length=1000, description="Why: it goes on record.")] = "",
) -> Response:
    """Delete a deployment with its version, for good; what it was stays on record.

    Refused for the champion, for either version of a rollout, for what a share, a rule, a mirror or
    an alias points at, and for the last one that is known to have answered well.
    """
    _, before = service.shown(call.ports, endpoint, deployment)
    version = before.standing.deployment.version
    changes.delete(call.ports, endpoint, version, author=call.author(message))
    return _shown(call.ports, endpoint, version)


def _shown(ports: Ports, endpoint: str, deployment: str) -> Response:
    state, deployment_shown = service.shown(ports, endpoint, deployment)
    return answer(described(deployment_shown), etag=state.revision)


def described(deployment_shown: service.Shown) -> DeploymentShown:
    """A deployment as it is shown."""
    package = deployment_shown.standing.deployment.package
    return DeploymentShown(
        **_told(deployment_shown.standing),
        model=f"{package.name}:{deployment_shown.number}" if deployment_shown.number else None,
        replicas=deployment_shown.replicas.wanted,
        ready=deployment_shown.replicas.ready,
        replicas_message=deployment_shown.replicas.message,
        memory=deployment_shown.memory,
    )


def _told(status: DeploymentStatus) -> dict[str, Any]:
    deployment = status.deployment
    return {
        "version": deployment.version,
        "name": status.name,
        "status": status.status,
        "message": status.message,
        "share": status.share,
        "package": schemas.package(deployment.package),
        "rollout": deployment.rollout,
        "created_at": deployment.created_at,
        "deleted": bool(deployment.deleted),
    }
