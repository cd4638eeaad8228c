"""The aliases ``champion`` and ``challenger`` of a model: moved by people, and by releases.

Each move is one conditional write of the model with its audit record, or nothing where the alias
is there already.
"""

from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.model.registry import Model, ModelAlias, ModelReference, ModelVersion
from halftone.ports import RegistryPorts
from halftone.service.registry.models import model_named, passed, version_of, write_model
from halftone.service.unit_of_work import must_be_at, retry_on_conflict


@retry_on_conflict
def set_alias(
    ports: RegistryPorts,
    name: str,
    alias: ModelAlias,
    number: int | None,
    *,
    author: Author,
) -> Model:
    """Point ``alias`` at version ``number`` (None: at nothing).

    Raises:
        NotFound: if there is no such model or version.
        Conflict: if the version's ``validation_status`` is FAILED.
        PreconditionFailed: if the model is not at revision ``expected`` any more.
    """
    model = model_named(ports, name)
    must_be_at(f"model {model.name!r}", model.revision, author.revision)
    if number is not None:
        passed(version_of(ports, ModelReference(name, number=number)))
    if model.aliases.get(alias) == number:
        return model
    return _point(ports, model, alias, number, author=author)


@retry_on_conflict
def mark_released(
    ports: RegistryPorts, version: ModelVersion, *, endpoint: str, rollout: str, actor: str
) -> None:
    """Point ``challenger`` at what an endpoint begins to roll out: once for each rollout."""
    model = model_named(ports, version.package.name)
    if model.released.get(endpoint) == rollout:
        return
    noted = replace(model, released={**model.released, endpoint: rollout})
    reason = f"{endpoint!r} rolls out {version.name} ({rollout})"
    _point(
        ports,
        noted,
        ModelAlias.CHALLENGER,
        version.number,
        author=Author(actor, reason),
        before=model,
    )


def _point(
    ports: RegistryPorts,
    model: Model,
    alias: ModelAlias,
    number: int | None,
    *,
    author: Author,
    before: Model | None = None,
) -> Model:
    aliases = {name: pointed for name, pointed in model.aliases.items() if name != alias}
    if number is not None:
        aliases[alias.value] = number
    message = f"{alias} is {model.name}:{number}" if number else f"{alias} points at nothing"
    return write_model(
        ports,
        before or model,
        replace(model, aliases=aliases),
        action="alias",
        author=author.with_default(message),
        change=({alias.value: model.aliases.get(alias)}, {alias.value: number}),
    )
