"""The model registry: models, whose they are, and their audit."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from halftone.api import schemas
from halftone.api.authorizer import RequestContext, edits, reads
from halftone.api.requests import Body, Why
from halftone.api.responses import (
    BROKEN,
    Cursor,
    Limit,
    Shape,
    after,
    after_number,
    answer,
    page,
    router,
    shown,
)
from halftone.domain.access import Action
from halftone.domain.model import registry as domain
from halftone.domain.names import checked_name
from halftone.service.registry import models
from halftone.service.registry import registry as service

routes = router("models")

ModelName = Annotated[
    str,
    Path(max_length=32, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", description="The model's name."),
]


class Model(Shape):
    """A model: its newest number, and the versions that its aliases mean."""

    name: str
    newest: int
    aliases: Mapping[str, int]
    owner: str | None
    revision: int


class Models(Shape):
    """A page of models; `next` is null on the last."""

    items: Sequence[Model]
    next: str | None


class ModelRecords(Shape):
    """A page of a model's audit; `next` is null on the last."""

    items: Sequence[schemas.AuditRecord]
    next: str | None


class ModelVerified(Shape):
    """That a model's audit chain is whole: how many records, and the hash of the last."""

    records: int
    hash: str


class Owned(Body):
    """Whose a model is to be; null: nobody's."""

    owner: Annotated[str, Field(max_length=32)] | None
    message: Why = ""


@routes.get("/models", responses=shown(Models))
async def list_models(
    call: Annotated[RequestContext, reads()], cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """List models, in the order of their names."""
    names = call.ports.registry_pages.models(after=after(cursor), most=limit + 1)
    items, following = page(((model.name, shown_model(model)) for model in names), limit)
    return answer(Models(items=items, next=following))


@routes.get("/models/{model}", responses=shown(Model))
async def show_model(model: ModelName, call: Annotated[RequestContext, reads()]) -> Response:
    """Show a model with its aliases."""
    kept = models.model_named(call.ports, model)
    return answer(shown_model(kept), etag=kept.revision)


@routes.put("/models/{model}/owner", responses=shown(Model))
async def set_model_owner(
    model: ModelName, wanted: Owned, call: Annotated[RequestContext, edits(Action.ADMINISTER)]
) -> Response:
    """Give a model to a group: then only its members change what is said of it."""
    call.must(Action.ADMINISTER, models.model_named(call.ports, model).owner)
    if wanted.owner is not None:
        call.must(Action.ADMINISTER, checked_name("owner", wanted.owner))
    kept = service.set_owner(
        call.ports,
        model,
        wanted.owner,
        author=call.author(wanted.message),
    )
    return answer(shown_model(kept), etag=kept.revision)


@routes.get("/models/{model}/audit", responses=shown(ModelRecords))
async def list_model_audit(
    model: ModelName,
    call: Annotated[RequestContext, reads()],
    since: Annotated[int, Query(ge=0, description="Only records after this number.")] = 0,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List the audit records of a model, oldest first."""
    models.model_named(call.ports, model)
    # No key of the table has more digits.
    last = after_number(cursor) or min(since, 10**12)
    records = call.ports.registry_pages.model_audit(model, after=last)
    items, following = page(((str(r.seq), schemas.record(r)) for r in records), limit)
    return answer(ModelRecords(items=items, next=following))


@routes.get("/models/{model}/audit/verify", responses=shown(ModelVerified) | BROKEN)
async def verify_model_audit(
    model: ModelName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Verify a model's audit chain: answers 409 naming the record at which it breaks."""
    records, head = models.verified(call.ports, model)
    return answer(ModelVerified(records=records, hash=head.hash))


def shown_model(model: domain.Model) -> Model:
    """A model as answers show it."""
    return Model(
        name=model.name,
        newest=model.newest,
        aliases=dict(model.aliases),
        owner=model.owner,
        revision=model.revision,
    )
