"""A release: from a package in a bucket to a rollout under way.

``cdk deploy`` and every other way to release use this one use case. All that takes time is left to
the ticks of the rollout it starts.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from halftone.domain.access import Action
from halftone.domain.audit import Author
from halftone.domain.endpoint.deploy_fields import live_fields
from halftone.domain.endpoint.policy_rules import without
from halftone.domain.endpoint.state import EndpointState
from halftone.domain.errors import ConcurrentWrite, Conflict, InvalidInput, NotFound, UnderWay
from halftone.domain.model.compatibility import incompatibilities
from halftone.domain.model.manifest import Manifest, PackageRef
from halftone.domain.model.registry import ModelVersion
from halftone.domain.rollout.phase import Phase
from halftone.domain.rollout.plan import Plan, check_mode
from halftone.domain.rollout.rollout import Rollout
from halftone.domain.traffic.policy import Mode, TrafficPolicy
from halftone.ports import Ports
from halftone.service.authorization import may, must
from halftone.service.registry.aliases import mark_released
from halftone.service.registry.environments import keep_environment
from halftone.service.registry.models import passed
from halftone.service.registry.registry import registered
from halftone.service.rollouts.rollback import roll_back
from halftone.service.unit_of_work import answered, commit, made_now, retry_on_conflict

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
    group is asked for (None: a deploy's, which IAM alone holds). ``deploy`` names the record of the
    deploy that asks ("": none does): nothing starts once that deploy was taken back.
    ``environment_key`` is where the package's environment lies in ``bucket``; empty if it has none,
    or was uploaded.
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
    deploy: str = ""
    environment_key: str = ""


def rollout_id(endpoint: str, key: str) -> str:
    """The id of the rollout that a release with ``key`` starts: also its workflow's name."""
    return f"{endpoint}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True)
class PreparedRelease:
    """A release whose package is sound, kept and registered.

    ``own``: whether the principal may point the model's aliases at what is released.
    """

    request: ReleaseRequest
    manifest: Manifest
    version: ModelVersion
    own: bool


def release(ports: Ports, request: ReleaseRequest) -> Rollout | None:
    """Start the rollout that brings the request about.

    Answers None if there is nothing to bring about: the champion is what is asked for, the
    declaration changed in nothing that a version holds, the request's deploy was taken back, or the
    request is a replay of one that was served before the present rollout.

    Raises:
        InvalidPackage: if the package is not sound; nothing is stored then.
        InvalidInput: if the plan asks for what the endpoint's mode can't do.
        NotFound: if the package is said to be kept, and is not.
        UnderWay: if another rollout is under way and the request does not supersede it.
        Conflict: if the package's version in the registry failed its validation, or clients of the
            champion could not be answered by it.
        Forbidden: if the package would be a new version of a model of a group that the principal
            releases nothing for.
    """
    _must_suit(ports, request)
    return start(ports, prepared(ports, request))


def prepared(ports: Ports, request: ReleaseRequest) -> PreparedRelease:
    """Check, keep and register the package of a release; the endpoint is not touched.

    Raises:
        HalftoneError: as ``release`` says of packages.
    """
    if request.bucket:
        manifest = ports.packages.register(request.bucket, request.object_key, request.digest)
        keep_environment(ports, manifest, request.bucket, request.environment_key)
    else:
        manifest = ports.packages.manifest(request.digest)
    own = _own_model(ports, request, manifest.name)
    version = registered(
        ports,
        manifest,
        request.digest,
        author=Author(request.actor, f"released to {request.endpoint!r}"),
    )
    return PreparedRelease(request, manifest, version, own)


def check(ports: Ports, state: EndpointState, release: PreparedRelease) -> None:
    """Check that ``release`` is possible at ``state``; nothing is written.

    Raises:
        HalftoneError: as ``release`` says.
    """
    request = release.request
    check_mode(request.plan, state.serving.mode)
    course, package = _course(state, request, release.version.package)
    if course is _Course.STARTS and package == release.version.package:
        passed(release.version)
        _must_fit(ports, state, package, release.manifest)


def superseded(state: EndpointState, release: PreparedRelease) -> Rollout | None:
    """The rollout under way that ``release`` would end, if it is told to supersede it."""
    course, _ = _course(state, release.request, release.version.package)
    return state.active if course in (_Course.STARTS, _Course.SERVES) else None


def start(ports: Ports, release: PreparedRelease) -> Rollout | None:
    """Start the rollout of a release that was prepared; see ``release``."""
    request, version = release.request, release.version
    rollout = _recorded(ports, release)
    if rollout and not rollout.phase.final:
        ports.workflow.start(request.endpoint, rollout.id)
        begun = rollout.id == rollout_id(request.endpoint, request.key)
        if release.own and begun and rollout.package == version.package:
            mark_released(
                ports, version, endpoint=request.endpoint, rollout=rollout.id, actor=request.actor
            )
    return rollout


@retry_on_conflict
def _recorded(ports: Ports, release: PreparedRelease) -> Rollout | None:
    """The rollout that brings the release about, once it is on record."""
    request = release.request
    state = ports.store.load(request.endpoint)
    if state is None:
        state = made_now(ports, request.endpoint, actor=request.actor, owner=request.owner)
    return _intend(ports, state, release)


def _own_model(ports: Ports, request: ReleaseRequest, name: str) -> bool:
    """Whether the model ``name`` is the principal's to point at.

    What a group registered is for all to serve. It alone adds to it, and moves its aliases.

    Raises:
        Forbidden: if it is not, and the package would be a new version of it.
    """
    model = ports.registry.model(name) if request.principal else None
    if request.principal is None or model is None:
        return True
    if ports.registry.number_of(name, request.digest) is None:
        must(ports, request.principal, Action.RELEASE, model.owner)
        return True
    return may(ports, request.principal, Action.RELEASE, model.owner)


def _must_suit(ports: Ports, request: ReleaseRequest) -> None:
    """Refuse a plan that the endpoint's mode can't do, before anything of the package is kept."""
    state = ports.store.load(request.endpoint)
    try:
        check_mode(request.plan, (state.serving if state else TrafficPolicy()).mode)
    except InvalidInput:
        # Asked while the mode was another, it has its answer, and gets the same again.
        if not answered(ports, request.endpoint, rollout_id(request.endpoint, request.key)):
            raise


class _Course(StrEnum):
    """What a release does at an endpoint."""

    UNCHANGED = "unchanged"
    JOINS = "joins"
    SERVES = "serves"
    STARTS = "starts"


def _course(
    state: EndpointState, request: ReleaseRequest, package: PackageRef
) -> tuple[_Course, PackageRef]:
    """What the release of ``package`` does at ``state``, and which package it is about then."""
    champion, running = state.champion, state.active
    if champion and request.previous == (request.digest, request.settings):
        return _Course.UNCHANGED, package  # nothing that a version holds was declared otherwise
    if champion and request.previous and request.previous[0] == request.digest:
        # Only the function's settings changed. What is declared may have been rolled back since:
        # what goes out again is what serves, or what is on its way.
        declared = running and running.package == package
        package = package if declared else champion.package
    if running and (running.package, running.settings) == (package, request.settings):
        # What is being taken back can't be joined: it is released anew once that is over.
        back = running.phase is Phase.ROLLING_BACK
        return (_Course.STARTS if back else _Course.JOINS), package
    serves = champion and (champion.package, champion.settings) == (package, request.settings)
    return (_Course.SERVES if serves else _Course.STARTS), package


def _intend(ports: Ports, state: EndpointState, release: PreparedRelease) -> Rollout | None:
    """The rollout for the request: recorded now, or found to have been recorded before."""
    request, version = release.request, release.version
    new_id = rollout_id(request.endpoint, request.key)
    if state.rollout and state.rollout.id == new_id:
        return state.rollout
    before = answered(ports, request.endpoint, new_id)
    if before:
        # Answered once already: there is nothing to repeat. What it joined may still be there.
        joined = state.rollout and before.numbers.get("joined") == state.rollout.id
        return state.rollout if joined else None
    if request.deploy and state.deploys.record(request.deploy) is None:
        return None  # the deploy that asks for it was taken back meanwhile
    check_mode(request.plan, state.serving.mode)
    champion, running = state.champion, state.active
    course, package = _course(state, request, version.package)
    if course is _Course.UNCHANGED:
        return None
    if course is _Course.JOINS and running:
        _remember(ports, state, request, f"{package} is rolling out already", joined=running.id)
        return running
    if course is _Course.STARTS and package == version.package:
        passed(version)
        _must_fit(ports, state, version.package, release.manifest)
    if running and not request.supersede:
        raise UnderWay(
            running.id,
            f"{request.endpoint!r} is rolling out {running.package} ({running.id}, "
            f"{running.phase} at {running.share:g} %): wait, roll it back, or supersede it",
        )
    if running:
        reason = f"superseded by {package} ({new_id})"
        roll_back(
            ports,
            request.endpoint,
            author=Author(request.actor, reason),
            rollout=running.id,
            bars=False,
        )
        raise ConcurrentWrite("the rollout under way was ended: look at what serves now")
    if course is _Course.SERVES:
        _remember(ports, state, request, f"{package} serves already", joined=None)
        return None
    probation = state.serving.probation
    if probation and not request.supersede:
        raise Conflict(
            f"version {probation.version} of {request.endpoint!r} is on probation, and the alarms "
            "watch it: set its traffic to 0, or supersede it"
        )
    # The alarms will watch the challenger, and nothing takes traffic unwatched.
    serving = without(state.serving, probation.version) if probation else state.serving
    rollout = Rollout(
        id=new_id,
        plan=request.plan,
        package=package,
        settings=request.settings,
        actor=request.actor,
        started_at=ports.clock.now(),
        champion=champion.version if champion else None,
        message=request.message,
        mode=state.serving.mode,
        sticky=state.serving.mode is Mode.GUARDED and state.serving.key is not None,
    )
    after = replace(state, rollout=rollout, serving=serving)
    deploy = state.deploys.record(request.deploy) if request.deploy else None
    if deploy:
        # What a failed deploy has started is taken back with it.
        deploy = deploy.changing(live_fields(state), live_fields(after))
        deploy = replace(deploy, rollout=rollout.id, champion=rollout.champion)
        after = replace(after, deploys=state.deploys.having(deploy))
    commit(
        ports,
        state,
        after,
        action="release",
        author=Author(request.actor, request.message or f"release of {package}"),
        numbers={
            "stages": [stage.told for stage in request.plan.stages],
            **({"withdrawn": probation.version} if probation else {}),
            **_environment_number(release.manifest, package, version.package),
        },
    )
    return rollout


def _environment_number(
    manifest: Manifest, package: PackageRef, asked: PackageRef
) -> dict[str, object]:
    """The environment of the package that goes out, where it is the one that was asked for."""
    if package != asked or manifest.environment is None:
        return {}
    return {"environment": manifest.environment.digest}


def _must_fit(ports: Ports, state: EndpointState, package: PackageRef, manifest: Manifest) -> None:
    """Refuse a package that what clients send does not fit, or that leaves out what they read.

    They would be answered 4xx, which counts against nobody. Of a disabled endpoint there are none.
    """
    champion = state.champion
    if champion is None or champion.package.digest == package.digest or state.serving.stopped:
        return
    try:
        problems = incompatibilities(ports.packages.manifest(champion.package.digest), manifest)
    except NotFound:
        return  # kept no more: then there is nothing to compare with
    if problems:
        more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise Conflict(
            f"clients of {state.endpoint!r} could not be answered by {package}: "
            f"{'; '.join(problems[:_TOLD])}{more}. Make it a new endpoint, "
            "or disable this one first"
        )


def _remember(
    ports: Ports, state: EndpointState, request: ReleaseRequest, reason: str, *, joined: str | None
) -> None:
    """Record a request that starts nothing, so that its repetition starts nothing either."""
    new_id = rollout_id(request.endpoint, request.key)
    numbers = {"request": new_id, "joined": joined}
    commit(
        ports, state, state, action="asked", author=Author(request.actor, reason), numbers=numbers
    )
