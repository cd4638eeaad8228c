"""The registry's use cases: register a package, say something of a version, move an alias.

Each is one conditional write of the model with its audit record, in the chain of that model, or
nothing where nothing differs. ``expected`` is the revision that the caller has seen; with it, a
change by somebody else in between is refused instead of written over.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

from halftone.domain import audit
from halftone.domain.audit import AuditHead
from halftone.domain.deployment import PackageRef
from halftone.domain.errors import InvalidInput, NotFound, Refused
from halftone.domain.package import Manifest
from halftone.domain.registry import (
    Details,
    Model,
    ModelAlias,
    ModelReference,
    ModelVersion,
    Validation,
)
from halftone.domain.registry_form import details_as_given, patched
from halftone.service.ports import Parts
from halftone.service.record import must_be_at, until_written
from halftone.service.registry_ports import ModelChange


def register(
    parts: Parts,
    digest: str,
    *,
    actor: str,
    reason: str = "",
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
        Refused: if it is registered with other details.
    """
    try:
        manifest = parts.packages.manifest(digest)
    except NotFound:
        manifest = parts.packages.register(*parts.uploads.place(digest), digest)
    if model is not None and manifest.name != model:
        raise InvalidInput("digest", digest, f"a package of {model!r}, not of {manifest.name!r}")
    return registered(parts, manifest, digest, actor=actor, reason=reason, details=details)


def registered(
    parts: Parts,
    manifest: Manifest,
    digest: str,
    *,
    actor: str,
    reason: str = "",
    details: object = None,
) -> ModelVersion:
    """``register`` of a package whose manifest the caller has."""
    given = patched(Details(description=manifest.description), details or {}, at="details")

    def attempt() -> ModelVersion:
        known = parts.registry.number_of(manifest.name, digest)
        if known is not None:
            found = version_of(parts, ModelReference(manifest.name, number=known))
            return _same(found, details)
        before = parts.registry.model(manifest.name)
        model = before or Model(manifest.name)
        made = ModelVersion(
            number=model.newest + 1,
            package=PackageRef(manifest.name, digest),
            flavor=manifest.flavor.value,
            registered_at=parts.clock.now(),
            registered_by=actor,
            details=given,
        )
        _commit(
            parts,
            before,
            replace(model, newest=made.number),
            action="registered",
            actor=actor,
            reason=reason or f"{made.package} registered as {made.name}",
            said=({}, {"version": made.number, "digest": digest, **details_as_given(given)}),
            version=made,
        )
        return made

    return until_written(manifest.name, attempt)


def describe(
    parts: Parts,
    reference: ModelReference,
    changes: object,
    *,
    actor: str,
    reason: str = "",
    expected: int | None = None,
) -> ModelVersion:
    """Change what is said of a version, by a merge patch.

    Raises:
        NotFound: if there is no such version.
        InvalidInput: if a value can't be taken; nothing is changed then.
        Outdated: if the model is not at revision ``expected`` any more.
    """

    def attempt() -> ModelVersion:
        model = model_named(parts, reference.model)
        version = _resolved(parts, model, reference)
        after = patched(version.details, changes)
        must_be_at(f"model {model.name!r}", model.revision, expected)
        if after == version.details:
            return version
        if after.validation is Validation.FAILED and ModelAlias.CHAMPION in model.aliases_of(
            version.number
        ):
            raise Refused(
                f"{version.name} is the champion of {model.name!r}: point the alias at another "
                "version before this one is tagged FAILED"
            )
        changed = replace(version, details=after)
        _commit(
            parts,
            model,
            model,
            action="described",
            actor=actor,
            reason=reason or f"details of {version.name} changed",
            said=_difference(version, changed),
            version=changed,
        )
        return changed

    return until_written(reference.model, attempt)


def set_alias(
    parts: Parts,
    name: str,
    alias: ModelAlias,
    number: int | None,
    *,
    actor: str,
    reason: str = "",
    expected: int | None = None,
) -> Model:
    """Point ``alias`` at version ``number`` (None: at nothing).

    Raises:
        NotFound: if there is no such model or version.
        Refused: if the version's ``validation_status`` is FAILED.
        Outdated: if the model is not at revision ``expected`` any more.
    """

    def attempt() -> Model:
        model = model_named(parts, name)
        must_be_at(f"model {model.name!r}", model.revision, expected)
        if number is not None:
            passed(version_of(parts, ModelReference(name, number=number)))
        if model.aliases.get(alias) == number:
            return model
        return _point(parts, model, alias, number, actor=actor, reason=reason)

    return until_written(name, attempt)


def set_owner(
    parts: Parts,
    name: str,
    owner: str | None,
    *,
    actor: str,
    reason: str = "",
    expected: int | None = None,
) -> Model:
    """Give a model to a group, or to nobody.

    Raises:
        NotFound: if there is no such model or group.
        Outdated: if the model is not at revision ``expected`` any more.
    """
    if owner is not None and parts.groups.load_group(owner) is None:
        raise NotFound("group", owner, "POST /v1/groups makes one")

    def attempt() -> Model:
        model = model_named(parts, name)
        must_be_at(f"model {model.name!r}", model.revision, expected)
        if model.owner == owner:
            return model
        return _commit(
            parts,
            model,
            replace(model, owner=owner),
            action="owner",
            actor=actor,
            reason=reason or (f"owned by {owner}" if owner else "owned by nobody"),
            said=({"owner": model.owner}, {"owner": owner}),
        )

    return until_written(name, attempt)


def verified(parts: Parts, name: str) -> tuple[int, AuditHead]:
    """Check a model's whole audit chain; how many records it has, and where it ends.

    Raises:
        NotFound: if there is no such model.
        BrokenChain: naming the first record that does not fit.
    """
    model = model_named(parts, name)
    records = parts.registry_pages.model_audit(name)
    # What was written since the model was read is of no harm: the chain is checked up to there.
    known = takewhile(lambda record: record.seq <= model.audit.seq, records)
    return audit.verify(model.chain, known, model.audit), model.audit


def mark_released(
    parts: Parts, version: ModelVersion, *, endpoint: str, rollout: str, actor: str
) -> None:
    """Point ``challenger`` at what an endpoint begins to roll out: once for each rollout."""

    def attempt() -> None:
        model = model_named(parts, version.package.name)
        if model.released.get(endpoint) == rollout:
            return
        noted = replace(model, released={**model.released, endpoint: rollout})
        reason = f"{endpoint!r} rolls out {version.name} ({rollout})"
        _point(
            parts, noted, ModelAlias.CHALLENGER, version.number, actor=actor, reason=reason,
            before=model,
        )  # fmt: skip

    until_written(version.package.name, attempt)


def model_named(parts: Parts, name: str) -> Model:
    """The model of that name.

    Raises:
        NotFound: if nothing was ever registered under it.
    """
    model = parts.registry.model(name)
    if model is None:
        raise NotFound("model", name, "register a package of that name, or release one")
    return model


def version_of(parts: Parts, reference: ModelReference) -> ModelVersion:
    """The version that a reference means now.

    Raises:
        NotFound: if there is no such model, version, or alias.
    """
    if reference.number is not None:
        found = parts.registry.version(reference.model, reference.number)
        if found is not None:
            return found
    return _resolved(parts, model_named(parts, reference.model), reference)


def passed(version: ModelVersion) -> ModelVersion:
    """``version``, unless its validation failed.

    Raises:
        Refused: if it did.
    """
    if version.details.validation is Validation.FAILED:
        raise Refused(
            f"{version.name} has validation_status FAILED: choose another version, or set the tag "
            "once it has passed"
        )
    return version


def _resolved(parts: Parts, model: Model, reference: ModelReference) -> ModelVersion:
    number = reference.number
    if reference.alias:
        number = model.aliases.get(reference.alias)
        if number is None:
            set_ = ", ".join(sorted(model.aliases)) or "none"
            raise NotFound("model version", str(reference), f"aliases that are set: {set_}")
    found = parts.registry.version(model.name, number or 0)
    if found is None:
        raise NotFound("model version", str(reference), f"the newest is {model.newest}")
    return found


def _same(found: ModelVersion, details: object) -> ModelVersion:
    """A version that is registered already, if that is all that is asked for."""
    if details and patched(found.details, details, at="details") != found.details:
        raise Refused(
            f"this package is registered as {found.name} with other details: change them there"
        )
    return found


def _point(
    parts: Parts,
    model: Model,
    alias: ModelAlias,
    number: int | None,
    *,
    actor: str,
    reason: str,
    before: Model | None = None,
) -> Model:
    aliases = {name: pointed for name, pointed in model.aliases.items() if name != alias}
    if number is not None:
        aliases[alias.value] = number
    words = f"{alias} is {model.name}:{number}" if number else f"{alias} points at nothing"
    return _commit(
        parts,
        before or model,
        replace(model, aliases=aliases),
        action="alias",
        actor=actor,
        reason=reason or words,
        said=({alias.value: model.aliases.get(alias)}, {alias.value: number}),
    )


def _commit(
    parts: Parts,
    before: Model | None,
    after: Model,
    *,
    action: str,
    actor: str,
    reason: str,
    said: tuple[Mapping[str, object], Mapping[str, object]],
    version: ModelVersion | None = None,
) -> Model:
    record = audit.append(
        after.audit,
        endpoint=after.chain,
        at=parts.clock.now(),
        actor=actor,
        action=action,
        before=said[0],
        after=said[1],
        reason=reason,
        numbers={},
    )
    written = replace(after, revision=after.revision + 1, audit=record.head)
    parts.registry.commit_model(ModelChange(before, written, record, version))
    return written


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
