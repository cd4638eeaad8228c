"""Versions of models: registered, described, and meant by aliases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import Field

from halftone.api.authorizer import RequestContext, edits, posts, reads
from halftone.api.requests import Body, Why
from halftone.api.responses import Cursor, Limit, Shape, after_number, answer, page, router, shown
from halftone.api.routers.models import Model, ModelName, shown_model
from halftone.domain.access import Action
from halftone.domain.model import registry as domain
from halftone.ports import Ports
from halftone.service.registry import aliases as model_aliases
from halftone.service.registry import models
from halftone.service.registry import registry as service

routes = router("models")

Number = Annotated[int, Path(ge=1, le=999_999_999, description="The version's number.")]
Alias = Annotated[domain.ModelAlias, Path(description="champion or challenger.")]


class ModelVersion(Shape):
    """A version of a model: one package, and what is said of it."""

    name: str
    model: str
    number: int
    digest: str
    flavor: str
    registered_at: datetime
    registered_by: str
    aliases: Sequence[str]
    validation_status: str
    description: str
    tags: Mapping[str, str]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    metadata: Mapping[str, Any]


class ModelVersions(Shape):
    """A page of versions, newest first; `next` is null on the last."""

    items: Sequence[ModelVersion]
    next: str | None


Said = Annotated[
    dict[str, Any] | None, Field(description="Names and values; null takes one away in an edit.")
]


class Details(Body):
    """What is said of a version. `validation_status` among the tags: PENDING, PASSED or FAILED."""

    description: str | None = None
    tags: Said = None
    parameters: Said = None
    metrics: Said = None
    metadata: Said = None
    message: Why = ""

    @property
    def given(self) -> dict[str, Any]:
        """The fields that were named."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"message", "digest"}}


class Registration(Details):
    """A package to register: one that was uploaded or released before."""

    digest: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="The SHA-256 of the package's zip.")
    ]


class Pointing(Body):
    """Where an alias is to point; null: nowhere."""

    number: Annotated[int, Field(ge=1, le=999_999_999)] | None
    message: Why = ""


@routes.get("/models/{model}/versions", responses=shown(ModelVersions))
async def list_versions(
    model: ModelName,
    call: Annotated[RequestContext, reads()],
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """List a model's versions, newest first."""
    model_kept = models.model_named(call.ports, model)
    versions = call.ports.registry_pages.versions(
        model, before=after_number(cursor) or None, most=limit + 1
    )
    items, following = page(((str(v.number), _version(model_kept, v)) for v in versions), limit)
    return answer(ModelVersions(items=items, next=following))


@routes.post("/models/{model}/versions", status_code=201, responses=shown(ModelVersion, 201))
async def register_version(
    model: ModelName, wanted: Registration, call: Annotated[RequestContext, posts(Action.RELEASE)]
) -> Response:
    """Register a package: its number is given once and for all."""
    _may(call, model)

    def do(ports: Ports) -> Response:
        version = service.register(
            ports,
            wanted.digest,
            model=model,
            details=wanted.given,
            author=call.author(wanted.message),
        )
        model_kept = models.model_named(ports, model)
        location = f"/v1/models/{model}/versions/{version.number}"
        return answer(
            _version(model_kept, version), 201, etag=model_kept.revision, location=location
        )

    # Done again it registers nothing twice.
    return call.once(do)


@routes.get("/models/{model}/versions/{number}", responses=shown(ModelVersion))
async def show_version(
    model: ModelName, number: Number, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show a version of a model."""
    return _shown(call, domain.ModelReference(model, number=number))


@routes.patch("/models/{model}/versions/{number}", responses=shown(ModelVersion))
async def describe_version(
    model: ModelName,
    number: Number,
    wanted: Details,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Change what is said of a version, by a merge patch (RFC 7396).

    The ETag is the model's.
    """
    _may(call, model)
    version = service.describe(
        call.ports,
        domain.ModelReference(model, number=number),
        wanted.given,
        author=call.author(wanted.message),
    )
    model_kept = models.model_named(call.ports, model)
    return answer(_version(model_kept, version), etag=model_kept.revision)


@routes.get("/models/{model}/aliases/{alias}", responses=shown(ModelVersion))
async def show_alias(
    model: ModelName, alias: Alias, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show the version that an alias means now."""
    return _shown(call, domain.ModelReference(model, alias=alias))


@routes.put("/models/{model}/aliases/{alias}", responses=shown(Model))
async def set_alias(
    model: ModelName,
    alias: Alias,
    wanted: Pointing,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Point an alias at a version, or at none."""
    _may(call, model)
    model_kept = model_aliases.set_alias(
        call.ports,
        model,
        alias,
        wanted.number,
        author=call.author(wanted.message),
    )
    return answer(shown_model(model_kept), etag=model_kept.revision)


def _may(call: RequestContext, model: str) -> None:
    """A model that a group owns is changed by its members alone; a new one is nobody's yet."""
    model_kept = call.ports.registry.model(model)
    call.must(Action.RELEASE, model_kept.owner if model_kept else None)


def _shown(call: RequestContext, reference: domain.ModelReference) -> Response:
    model = models.model_named(call.ports, reference.model)
    return answer(_version(model, models.version_of(call.ports, reference)), etag=model.revision)


def _version(model: domain.Model, version: domain.ModelVersion) -> ModelVersion:
    details = version.details
    return ModelVersion(
        name=version.name,
        model=model.name,
        number=version.number,
        digest=version.package.digest,
        flavor=version.flavor,
        registered_at=version.registered_at,
        registered_by=version.registered_by,
        aliases=model.aliases_of(version.number),
        validation_status=details.validation.value,
        description=details.description,
        tags=dict(details.tags),
        parameters=dict(details.parameters),
        metrics=dict(details.metrics),
        metadata=dict(details.metadata),
    )
