"""Settings of an endpoint that change without a deploy, its signature, and how to call it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from halftone.api.authorizer import RequestContext, edits, reads
from halftone.api.requests import Body, EndpointName, Why
from halftone.api.responses import Shape, answer, router, shown
from halftone.domain.access import Action
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.model.schema import fields_as_given
from halftone.service.endpoints import capacity as service
from halftone.service.endpoints import signature as service_signature
from halftone.service.endpoints.endpoints import endpoint as found
from halftone.service.endpoints.signature import signature

routes = router("settings")


class ThrottleShown(Shape):
    """At most `rate` requests a second on average to one route, and `burst` at once."""

    rate: float
    burst: int


class Settings(Shape):
    """What may be changed about an endpoint besides what it serves.

    `concurrency` null: what the account has left; `throttle` null: the stage's. `replicas` are by
    version; they are changed at the deployment.
    """

    description: str
    tags: Mapping[str, str]
    concurrency: int | None
    throttle: ThrottleShown | None
    replicas: Mapping[str, int]


class Signature(Shape):
    """What the champion takes and gives, with a request that works.

    `curl` of a private endpoint takes the client's name and token from the shell's variables
    CLIENT and TOKEN.
    """

    version: str
    model: str
    digest: str
    description: str
    flavor: str
    inputs: Sequence[Mapping[str, Any]]
    outputs: Sequence[Mapping[str, Any]]
    sample: Mapping[str, Any]
    url: str
    curl: str


class SettingsEdit(Body):
    """What is to change; null gives a setting back to its default, and takes a tag away."""

    description: Annotated[str, Field(max_length=200)] | None = None
    tags: dict[str, str | None] | None = None
    concurrency: int | None = None
    throttle: dict[str, Any] | None = None
    message: Why = ""


@routes.get("/endpoints/{endpoint}/settings", responses=shown(Settings))
async def show_settings(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show an endpoint's settings."""
    return _shown(found(call.ports, endpoint))


@routes.patch("/endpoints/{endpoint}/settings", responses=shown(Settings))
async def edit_settings(
    endpoint: EndpointName,
    wanted: SettingsEdit,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Change an endpoint's settings, by a merge patch (RFC 7396).

    What the platform refuses, such as more concurrency than the account has, is taken back and
    answered 409 in its words.
    """
    changes = {name: getattr(wanted, name) for name in wanted.model_fields_set - {"message"}}
    before = found(call.ports, endpoint)
    call = call.at(before.revision, settings(before))
    state = service.edit(
        call.ports,
        endpoint,
        changes,
        author=call.author(wanted.message),
    )
    return _shown(state)


@routes.get("/endpoints/{endpoint}/signature", responses=shown(Signature))
async def show_signature(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show what an endpoint takes and gives, and a call that works when pasted."""
    return answer(signature_shown(signature(call.ports, endpoint)))


def signature_shown(shown_signature: service_signature.Signature) -> Signature:
    """A signature as it is shown."""
    manifest = shown_signature.manifest
    return Signature(
        version=shown_signature.deployment.version,
        model=manifest.name,
        digest=shown_signature.deployment.package.digest,
        description=manifest.description,
        flavor=manifest.flavor.value,
        inputs=fields_as_given(manifest.inputs),
        outputs=fields_as_given(manifest.outputs),
        sample=shown_signature.sample,
        url=shown_signature.url,
        curl=shown_signature.curl,
    )


def _shown(state: EndpointState) -> Response:
    body = settings(state)
    return answer(body, etag=state.revision, editable=body)


def settings(state: EndpointState) -> Settings:
    """An endpoint's settings as they are shown."""
    upkeep = state.upkeep
    throttle = upkeep.throttle
    return Settings(
        description=upkeep.description,
        tags=dict(upkeep.tags),
        concurrency=upkeep.concurrency,
        throttle=ThrottleShown(rate=throttle.rate, burst=throttle.burst) if throttle else None,
        replicas=dict(upkeep.replicas),
    )
