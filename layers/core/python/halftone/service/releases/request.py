"""Turn a release request from a person or a pipeline into a release."""

from dataclasses import dataclass
from typing import Any

from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import Conflict, InvalidInput, NotFound
from halftone.domain.model.registry import parse_reference
from halftone.domain.rollout.plan import PRESETS, Plan
from halftone.domain.rollout.plan_schema import load_plan
from halftone.domain.rollout.rollout import is_return
from halftone.ports import Ports
from halftone.service.endpoints.endpoints import endpoint
from halftone.service.registry.models import version_of
from halftone.service.releases.release import ReleaseRequest


@dataclass(frozen=True)
class RequestedPackage:
    """What is offered: a package by ``digest``, or the registry's ``model``; and by what plan.

    ``bucket`` and ``key`` are where the zip is; None for both: where an upload of that digest is,
    or where it has been kept since it was first released.
    """

    digest: str | None
    bucket: str | None = None
    key: str | None = None
    model: str | None = None
    plan: str | dict[str, Any] | None = None


def to_release_request(
    ports: Ports,
    name: str,
    offer: RequestedPackage,
    *,
    actor: str,
    message: str,
    key: str,
    supersede: bool,
    principal: str | None = None,
) -> ReleaseRequest:
    """The release that brings ``offer`` to the endpoint ``name``, with its function as it is.

    ``principal`` is whose rights the model's group is asked for.

    Raises:
        InvalidInput: if the offer does not say what is offered, or its plan can't be read.
        NotFound: if there is no such endpoint or model.
        Conflict: if nothing was ever deployed there: the function comes from ``cdk deploy``.
    """
    state = endpoint(ports, name)
    settings = _settings(state)
    bucket, object_key, digest = _place(ports, offer)
    return ReleaseRequest(
        endpoint=name,
        bucket=bucket,
        object_key=object_key,
        digest=digest,
        settings=settings,
        plan=_plan(state, offer),
        actor=actor,
        key=key,
        message=message,
        supersede=supersede,
        principal=principal,
    )


def _settings(state: EndpointState) -> str:
    """What identifies the function's configuration: as it was when it was last released to."""
    if state.active:
        return state.active.settings
    if state.champion:
        return state.champion.settings
    if state.rollout:
        return state.rollout.settings
    raise Conflict(f"{state.endpoint!r} serves nothing: deploy its stack first (cdk deploy)")


def _place(ports: Ports, offer: RequestedPackage) -> tuple[str, str, str]:
    """Bucket, key and digest of what is offered; bucket and key "" if it is kept already."""
    if offer.model is not None:
        if offer.digest is not None or offer.bucket is not None or offer.key is not None:
            raise InvalidInput("model", offer.model, "alone: digest, bucket and key name another")
        return "", "", version_of(ports, parse_reference("model", offer.model)).package.digest
    if offer.digest is None:
        raise InvalidInput("digest", None, "the SHA-256 of a package, or a model of the registry")
    if (offer.bucket is None) is not (offer.key is None):
        missing = "bucket" if offer.bucket is None else "key"
        raise InvalidInput(missing, None, "bucket and key, or neither")
    if offer.bucket is not None and offer.key is not None:
        return offer.bucket, offer.key, offer.digest
    try:
        ports.packages.manifest(offer.digest)
    except NotFound:
        return *ports.uploads.place(offer.digest), offer.digest
    return "", "", offer.digest


def _plan(state: EndpointState, offer: RequestedPackage) -> Plan:
    if offer.plan is not None:
        return load_plan(offer.plan)
    newest = state.rollout
    # A return's plan is not one that anybody wants for a release.
    return newest.plan if newest and not is_return(newest) else PRESETS["gradual"]
