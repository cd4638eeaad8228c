"""Models as they are: found by name or reference, verified, and written with their audit."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

from halftone.domain import audit
from halftone.domain.audit import AuditHead, Author
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.model.registry import Model, ModelReference, ModelVersion, Validation
from halftone.ports import RegistryPorts
from halftone.ports.registry import ModelChange


def model_named(ports: RegistryPorts, name: str) -> Model:
    """The model of that name.

    Raises:
        NotFound: if nothing was ever registered under it.
    """
    model = ports.registry.model(name)
    if model is None:
        raise NotFound("model", name, "register a package of that name, or release one")
    return model


def version_of(ports: RegistryPorts, reference: ModelReference) -> ModelVersion:
    """The version that a reference means now.

    Raises:
        NotFound: if there is no such model, version, or alias.
    """
    if reference.number is not None:
        version = ports.registry.version(reference.model, reference.number)
        if version is not None:
            return version
    return resolved(ports, model_named(ports, reference.model), reference)


def resolved(ports: RegistryPorts, model: Model, reference: ModelReference) -> ModelVersion:
    """``version_of`` where the model has been read.

    Raises:
        NotFound: if there is no such version or alias.
    """
    number = reference.number
    if reference.alias:
        number = model.aliases.get(reference.alias)
        if number is None:
            set_ = ", ".join(sorted(model.aliases)) or "none"
            raise NotFound("model version", str(reference), f"aliases that are set: {set_}")
    version = ports.registry.version(model.name, number or 0)
    if version is None:
        raise NotFound("model version", str(reference), f"the newest is {model.newest}")
    return version


def passed(version: ModelVersion) -> ModelVersion:
    """``version``, unless its validation failed.

    Raises:
        Conflict: if it did.
    """
    if version.details.validation is Validation.FAILED:
        raise Conflict(
            f"{version.name} has validation_status FAILED: choose another version, or set the tag "
            "once it has passed"
        )
    return version


def verified(ports: RegistryPorts, name: str) -> tuple[int, AuditHead]:
    """Check a model's whole audit chain; how many records it has, and where it ends.

    Raises:
        NotFound: if there is no such model.
        BrokenChain: naming the first record that does not fit.
    """
    model = model_named(ports, name)
    records = ports.registry_pages.model_audit(name)
    # What was written since the model was read is of no harm: the chain is checked up to there.
    chained = takewhile(lambda record: record.seq <= model.audit.seq, records)
    return audit.verify(model.chain, chained, model.audit), model.audit


def write_model(
    ports: RegistryPorts,
    before: Model | None,
    after: Model,
    *,
    action: str,
    author: Author,
    change: tuple[Mapping[str, object], Mapping[str, object]],
    version: ModelVersion | None = None,
) -> Model:
    """Write ``after`` in place of ``before`` (None: it is new) with its record; as it was written.

    ``said`` is what the record says of before and after, ``version`` the one that changes along.

    Raises:
        ConcurrentWrite: if somebody else wrote first. Nothing is written then.
    """
    record = audit.append(
        after.audit,
        endpoint=after.chain,
        at=ports.clock.now(),
        actor=author.actor,
        action=action,
        before=change[0],
        after=change[1],
        reason=author.reason,
        numbers={},
    )
    written = replace(after, revision=after.revision + 1, audit=record.head)
    ports.registry.commit_model(ModelChange(before, written, record, version))
    return written
