"""All of an endpoint in one answer: what a page about it shows."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Response

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, reads
from halftone.api.requests import EndpointName
from halftone.api.responses import Shape, answer, router, shown
from halftone.api.routers.capacity import Settings, Signature, settings, signature_shown
from halftone.api.routers.clients import ClientShown, clients
from halftone.api.routers.deployments import DeploymentShown, described
from halftone.api.routers.traffic import Serving, serving
from halftone.service.deployments.deployments import newest
from halftone.service.endpoints.endpoints import as_read
from halftone.service.endpoints.signature import signature

routes = router("endpoints")

DEPLOYMENTS = 5
"""How many of the newest deployments it has; the listing of deployments has all."""


class Overview(Shape):
    """An endpoint with its settings, how it serves, its newest deployments, clients and signature.

    `signature` is null where nothing serves it.
    """

    endpoint: schemas.Endpoint
    settings: Settings
    serving: Serving
    deployments: Sequence[DeploymentShown]
    clients: Sequence[ClientShown]
    signature: Signature | None


@routes.get("/endpoints/{endpoint}/overview", responses=shown(Overview))
async def show_overview(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show all of an endpoint: status, settings, traffic, deployments, clients, signature."""
    read = as_read(call.ports, endpoint)
    body = Overview(
        endpoint=schemas.endpoint(read),
        settings=settings(read.state),
        serving=serving(read),
        deployments=[described(each) for each in newest(call.ports, endpoint, DEPLOYMENTS)],
        clients=clients(read.state),
        signature=signature_shown(signature(call.ports, endpoint)) if read.state.champion else None,
    )
    return answer(body, etag=read.state.revision)
