"""A release: from a package in a bucket to a rollout under way.

``cdk deploy`` and every other way to release use this one use case. All that takes time is left to
the ticks of the rollout it starts.
"""

import hashlib
from dataclasses import dataclass, replace

from halftone.domain.access import Action
from halftone.domain.deployment import PackageRef
from halftone.domain.endpoint import EndpointState
from halftone.domain.errors import InvalidInput, NotFound, Refused, StaleWrite, UnderWay
from halftone.domain.interface import misfits
from halftone.domain.package import Manifest
from halftone.domain.plan import Plan, check_mode
from halftone.domain.registry import ModelVersion
from halftone.domain.rollout import Rollout
from halftone.domain.serving import Mode, Serving
from halftone.domain.serving_rules import without
from halftone.service.access import may, must
from halftone.service.model_aliases import mark_released
from halftone.service.models import passed
from halftone.service.ports import Parts
from halftone.service.record import answered, change, made_now, until_written
from halftone.service.registry import registered
from halftone.service.rollback import roll_back

_TOLD = 4
"""How many differences a refusal tells of."""


@dataclass(frozen=True)
class ReleaseRequest:
    """What is to be released, and on whose behalf.

    ``bucket`` and ``object_key`` are where the package lies; both empty if it is kept already.
    ``key`` makes the request idempotent: the same key never starts a second rollout. ``settings``
    identifies the function's configuration; ``previous`` are the digest and the settings of the
    same declaration before, if there was one. ``supersede`` ends a rollout that is under way.
    ``owner`` is the group that a new endpoint belongs to. ``principal`` is whose rights the model's
    group is asked for (None: a deploy's, which IAM alone holds).
    """

    endpoint: str
    bucket: str
    object_key: str
    digest: str
    settings: str
    plan: Plan
    actor: str
    key: str
    previous: tuple[str, str] | None = None
    message: str = ""
    supersede: bool = False
    owner: str | None = None
    principal: str | None = None


def rollout_id(endpoint: str, key: str) -> str:
    """The id of the rollout that a release with ``key`` starts: also its workflow's name."""
    return f"{endpoint}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"


def release(parts: Parts, request: ReleaseRequest) -> Rollout | None:
    """Start the rollout that brings the request about.

    Answers None if there is nothing to bring about: the champion is what is asked for, or the
    request is a replay of one that was served before the present rollout.

    Raises:
        InvalidPackage: if the package is not sound; nothing is stored then.
        InvalidInput: if the plan asks for what the endpoint's mode can't do.
        NotFound: if the package is said to be kept, and is not.
        UnderWay: if another rollout is under way and the request does not supersede it.
        Refused: if the package's version in the registry failed its validation, or clients of the
            champion could not be answered by it.
        Forbidden: if the package would be a new version of a model of a group that the principal
            releases nothing for.
    """
    _must_suit(parts, request)
    if request.bucket:
        manifest = parts.packages.register(request.bucket, request.object_key, request.digest)
    else:
        manifest = parts.packages.manifest(request.digest)
    package = PackageRef(manifest.name, request.digest)
    own = _own_model(parts, request, manifest.name)
    version = registered(
        parts,
        manifest,
        request.digest,
        actor=request.actor,
        reason=f"released to {request.endpoint!r}",
    )

    def attempt() -> Rollout | None:
        state = parts.store.load(request.endpoint)
        if state is None:
            state = made_now(parts, request.endpoint, actor=request.actor, owner=request.owner)
        return _intend(parts, state, request, version, manifest)

    rollout = until_written(request.endpoint, attempt)
    if rollout and not rollout.phase.final:
        parts.workflow.start(request.endpoint, rollout.id)
        begun = rollout.id == rollout_id(request.endpoint, request.key)
        if own and begun and rollout.package == package:
            mark_released(
                parts, version, endpoint=request.endpoint, rollout=rollout.id, actor=request.actor
            )
    return rollout


def _own_model(parts: Parts, request: ReleaseRequest, name: str) -> bool:
    """Whether the model ``name`` is the principal's to point at.

    What a group registered is for all to serve. It alone adds to it, and moves its aliases.

    Raises:
        Forbidden: if it is not, and the package would be a new version of it.
    """
    model = parts.registry.model(name) if request.principal else None
    if request.principal is None or model is None:
        return True
    if parts.registry.number_of(name, request.digest) is None:
        must(parts, request.principal, Action.RELEASE, model.owner)
        return True
    return may(parts, request.principal, Action.RELEASE, model.owner)


def _must_suit(parts: Parts, request: ReleaseRequest) -> None:
    """Refuse a plan that the endpoint's mode can't do, before anything of the package is kept."""
    state = parts.store.load(request.endpoint)
    try:
        check_mode(request.plan, (state.serving if state else Serving()).mode)
    except InvalidInput:
        # Asked while the mode was another, it has its answer, and gets the same again.
        if not answered(parts, request.endpoint, rollout_id(request.endpoint, request.key)):
            raise


def _intend(
    parts: Parts,
    state: EndpointState,
    request: ReleaseRequest,
    version: ModelVersion,
    manifest: Manifest,
) -> Rollout | None:
    """The rollout for the request: recorded now, or found to have been recorded before."""
    package = version.package
    wanted = rollout_id(request.endpoint, request.key)
    if state.rollout and state.rollout.id == wanted:
        return state.rollout
    before = answered(parts, request.endpoint, wanted)
    if before:
        # Answered once already: there is nothing to repeat. What it joined may still be there.
        joined = state.rollout and before.numbers.get("joined") == state.rollout.id
        return state.rollout if joined else None
    check_mode(request.plan, state.serving.mode)
    champion, running = state.champion, state.active
    if champion and request.previous == (request.digest, request.settings):
        return running  # the declaration changed in nothing that a version holds
    if champion and request.previous and request.previous[0] == request.digest:
        # Only the function's settings changed. What is declared may have been rolled back since:
        # what goes out again is what serves, or what is on its way.
        declared = running and running.package == package
        package = package if declared else champion.package
    if running and (running.package, running.settings) == (package, request.settings):
        _remember(parts, state, request, f"{package} is rolling out already", joined=running.id)
        return running
    serves = champion and (champion.package, champion.settings) == (package, request.settings)
    if package == version.package and not serves:
        passed(version)
        _must_fit(parts, state, version.package, manifest)
    if running and not request.supersede:
        raise UnderWay(
            running.id,
            f"{request.endpoint!r} is rolling out {running.package} ({running.id}, "
            f"{running.phase} at {running.share:g} %): wait, roll it back, or supersede it",
        )
    if running:
        reason = f"superseded by {package} ({wanted})"
        roll_back(parts, request.endpoint, actor=request.actor, reason=reason, rollout=running.id)
        raise StaleWrite("the rollout under way was ended: look at what serves now")
    if serves:
        _remember(parts, state, request, f"{package} serves already", joined=None)
        return None
    probation = state.serving.probation
    if probation and not request.supersede:
        raise Refused(
            f"version {probation.version} of {request.endpoint!r} is on probation, and the alarms "
            "watch it: set its traffic to 0, or supersede it"
        )
    # The alarms will watch the challenger, and nothing takes traffic unwatched.
    serving = without(state.serving, probation.version) if probation else state.serving
    rollout = Rollout(
        id=wanted,
        plan=request.plan,
        package=package,
        settings=request.settings,
        actor=request.actor,
        started_at=parts.clock.now(),
        champion=champion.version if champion else None,
        message=request.message,
        mode=state.serving.mode,
        sticky=state.serving.mode is Mode.GUARDED and state.serving.key is not None,
    )
    change(
        parts,
        state,
        replace(state, rollout=rollout, serving=serving),
        action="release",
        actor=request.actor,
        reason=request.message or f"release of {package}",
        numbers={
            "stages": [stage.told for stage in request.plan.stages],
            **({"withdrawn": probation.version} if probation else {}),
        },
    )
    return rollout


def _must_fit(parts: Parts, state: EndpointState, package: PackageRef, manifest: Manifest) -> None:
    """Refuse a package that what clients send does not fit, or that leaves out what they read.

    They would be answered 4xx, which counts against nobody. Of a disabled endpoint there are none.
    """
    champion = state.champion
    if champion is None or champion.package.digest == package.digest or state.serving.stopped:
        return
    try:
        found = misfits(parts.packages.manifest(champion.package.digest), manifest)
    except NotFound:
        return  # kept no more: then there is nothing to compare with
    if found:
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise Refused(
            f"clients of {state.endpoint!r} could not be answered by {package}: "
            f"{'; '.join(found[:_TOLD])}{more}. Make it a new endpoint, or disable this one first"
        )


def _remember(
    parts: Parts, state: EndpointState, request: ReleaseRequest, reason: str, *, joined: str | None
) -> None:
    """Record a request that starts nothing, so that its repetition starts nothing either."""
    wanted = rollout_id(request.endpoint, request.key)
    numbers = {"request": wanted, "joined": joined}
    change(parts, state, state, action="asked", actor=request.actor, reason=reason, numbers=numbers)
