"""The registry's use cases: register a package, say something of a version, give a model away.

Each is one conditional write of the model with its audit record, in the chain of that model, or
nothing where nothing differs. ``expected`` is the revision that the caller has seen; with it, a
change by somebody else in between is refused instead of written over.
"""

from dataclasses import replace

from halftone.domain.audit import Author
from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.model.manifest import Manifest, PackageRef
from halftone.domain.model.registry import (
    Details,
    Model,
    ModelAlias,
    ModelReference,
    ModelVersion,
    Validation,
)
from halftone.domain.model.registry_schema import details_as_given, patched
from halftone.ports import RegistryPorts
from halftone.service.registry.environments import keep_environment
from halftone.service.registry.models import model_named, resolved, version_of, write_model
from halftone.service.unit_of_work import must_be_at, retry_on_conflict


def register(
    ports: RegistryPorts,
    digest: str,
    *,
    author: Author,
    details: object = None,
    model: str | None = None,
) -> ModelVersion:
    """The version of a package that is kept or was uploaded, under the number it has or gets now.

    ``details`` are those of a new version, in their JSON form; of one that is registered already
    they must ask for nothing new. ``model`` is the name that the package is expected to have.

    Raises:
        NotFound: if no such package is kept or was uploaded.
        InvalidPackage: if the one that was uploaded is not sound.
        InvalidInput: if the details are not sound, or the package is another model's.
        Conflict: if it is registered with other details.
    """
    try:
        manifest = ports.packages.manifest(digest)
    except NotFound:
        manifest = ports.packages.register(*ports.uploads.place(digest), digest)
        keep_environment(ports, manifest)
    if model is not None and manifest.name != model:
        raise InvalidInput("digest", digest, f"a package of {model!r}, not of {manifest.name!r}")
    return registered(ports, manifest, digest, author=author, details=details)


@retry_on_conflict
def registered(
    ports: RegistryPorts,
    manifest: Manifest,
    digest: str,
    *,
    author: Author,
    details: object = None,
) -> ModelVersion:
    """``register`` of a package whose manifest the caller has."""
    merged_details = patched(Details(description=manifest.description), details or {}, at="details")

    number = ports.registry.number_of(manifest.name, digest)
    if number is not None:
        existing = version_of(ports, ModelReference(manifest.name, number=number))
        return _same(existing, details)
    before = ports.registry.model(manifest.name)
    model = before or Model(manifest.name)
    version = ModelVersion(
        number=model.newest + 1,
        package=PackageRef(manifest.name, digest),
        flavor=manifest.flavor.value,
        registered_at=ports.clock.now(),
        registered_by=author.actor,
        details=merged_details,
    )
    write_model(
        ports,
        before,
        replace(model, newest=version.number),
        action="registered",
        author=author.with_default(f"{version.package} registered as {version.name}"),
        change=(
            {},
            {
                "version": version.number,
                "digest": digest,
                **_environment(manifest),
                **details_as_given(merged_details),
            },
        ),
        version=version,
    )
    return version


def _environment(manifest: Manifest) -> dict[str, object]:
    """What the audit says of a package's environment."""
    return {"environment": manifest.environment.digest} if manifest.environment else {}


@retry_on_conflict
def describe(
    ports: RegistryPorts,
    reference: ModelReference,
    changes: object,
    *,
    author: Author,
) -> ModelVersion:
    """Change what is said of a version, by a merge patch.

    Raises:
        NotFound: if there is no such version.
        InvalidInput: if a value can't be taken; nothing is changed then.
        PreconditionFailed: if the model is not at revision ``expected`` any more.
    """
    model = model_named(ports, reference.model)
    version = resolved(ports, model, reference)
    after = patched(version.details, changes)
    must_be_at(f"model {model.name!r}", model.revision, author.revision)
    if after == version.details:
        return version
    if after.validation is Validation.FAILED and ModelAlias.CHAMPION in model.aliases_of(
        version.number
    ):
        raise Conflict(
            f"{version.name} is the champion of {model.name!r}: point the alias at another "
            "version before this one is tagged FAILED"
        )
    changed = replace(version, details=after)
    difference = _difference(version, changed)
    aliases = dict(model.aliases)
    if after.validation is Validation.FAILED:
        # What failed is nobody's candidate any more.
        aliases = {alias: number for alias, number in aliases.items() if number != version.number}
    for alias in model.aliases.keys() - aliases.keys():
        difference[0][alias], difference[1][alias] = version.number, None
    write_model(
        ports,
        model,
        replace(model, aliases=aliases),
        action="described",
        author=author.with_default(f"details of {version.name} changed"),
        change=difference,
        version=changed,
    )
    return changed


@retry_on_conflict
def set_owner(
    ports: RegistryPorts,
    name: str,
    owner: str | None,
    *,
    author: Author,
) -> Model:
    """Give a model to a group, or to nobody.

    Raises:
        NotFound: if there is no such model or group.
        PreconditionFailed: if the model is not at revision ``expected`` any more.
    """
    if owner is not None and ports.groups.load_group(owner) is None:
        raise NotFound("group", owner, "POST /v1/groups makes one")

    model = model_named(ports, name)
    must_be_at(f"model {model.name!r}", model.revision, author.revision)
    if model.owner == owner:
        return model
    return write_model(
        ports,
        model,
        replace(model, owner=owner),
        action="owner",
        author=author.with_default(f"owned by {owner}" if owner else "owned by nobody"),
        change=({"owner": model.owner}, {"owner": owner}),
    )


def _same(version: ModelVersion, details: object) -> ModelVersion:
    """A version that is registered already, if that is all that is asked for."""
    if details and patched(version.details, details, at="details") != version.details:
        raise Conflict(
            f"this package is registered as {version.name} with other details: change them there"
        )
    return version


def _difference(
    before: ModelVersion, after: ModelVersion
) -> tuple[dict[str, object], dict[str, object]]:
    """What the audit says of a changed version: its number and the fields that differ."""
    old, new = details_as_given(before.details), details_as_given(after.details)
    differing = [name for name in new if new[name] != old[name]]
    number = {"version": after.number}
    return (
        {**number, **{name: old[name] for name in differing}},
        {**number, **{name: new[name] for name in differing}},
    )
