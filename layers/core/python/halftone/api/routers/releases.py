"""Releases: a package is uploaded, and sent on its way to all traffic."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from halftone.api.authorizer import RequestContext, posts
from halftone.api.requests import Body, EndpointName, Why
from halftone.api.responses import Shape, answer, router, shown
from halftone.domain.access import Action
from halftone.ports import Ports
from halftone.service.insight.preview import warnings_of
from halftone.service.releases.release import release
from halftone.service.releases.request import RequestedPackage, to_release_request

routes = router("releases")

Digest = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="The SHA-256 of the package's zip.")
]


class Upload(Shape):
    """Leave to upload one package: `method` it to `url` with `headers`.

    A replay has null for `url`: leave is not kept. So has an environment that is `stored` already.
    """

    method: str
    url: str | None
    headers: Mapping[str, str]
    bucket: str
    key: str
    expires_at: datetime
    stored: bool = False


class Release(Shape):
    """What a release has begun: `rollout` is null if the champion is what was asked for.

    `warnings` tell what its plan can't do at the traffic of the last hour, as the preview does;
    there are none where that is not known.
    """

    endpoint: str
    rollout: str | None
    message: str
    warnings: Sequence[str]


class UploadWanted(Body):
    """A package to upload, or the environment of one."""

    digest: Digest
    environment: Annotated[
        bool, Field(description="It is a package's environment, which may be stored already.")
    ] = False


class ReleaseWanted(Body):
    """A package to release: by `digest`, or by `model` where the registry has it."""

    digest: Digest | None = None
    bucket: Annotated[
        str | None,
        Field(max_length=63, description="Where the package is, unless it was uploaded here."),
    ] = None
    key: Annotated[str | None, Field(max_length=1024)] = None
    model: Annotated[
        str | None, Field(max_length=80, description="`name:number` or `name@alias`.")
    ] = None
    plan: Annotated[
        str | dict[str, Any] | None,
        Field(description="A preset's name or a plan; else that of the last release."),
    ] = None
    supersede: Annotated[bool, Field(description="End a rollout that is under way.")] = False
    message: Why = ""


@routes.post("/endpoints/{endpoint}/uploads", status_code=201, responses=shown(Upload, 201))
async def prepare_upload(
    endpoint: EndpointName,  # noqa: ARG001 - whose releaser may upload
    wanted: UploadWanted,
    call: Annotated[RequestContext, posts(Action.RELEASE)],
) -> Response:
    """Get leave to upload a package for a release."""

    def do(ports: Ports) -> Response:
        upload = ports.uploads.prepare(wanted.digest, ports.clock.now())
        stored = wanted.environment and ports.packages.has_environment(wanted.digest)
        shape = Upload(
            method="PUT",
            url=None if stored else upload.url,
            stored=stored,
            headers=upload.headers,
            bucket=upload.bucket,
            key=upload.key,
            expires_at=upload.expires_at,
        )
        return answer(shape, 201)

    return call.once(do, forget=("url",))


@routes.post(
    "/endpoints/{endpoint}/releases",
    status_code=202,
    responses=shown(Release, 202) | shown(Release, 200),
)
async def make_release(
    endpoint: EndpointName,
    wanted: ReleaseWanted,
    call: Annotated[RequestContext, posts(Action.RELEASE)],
) -> Response:
    """Release a package.

    Answers 202 with the rollout that brings it about, 200 if it serves already, 409 with the
    rollout under way if there is one and it is not to be superseded.
    """
    offer = RequestedPackage(wanted.digest, wanted.bucket, wanted.key, wanted.model, wanted.plan)

    def do(ports: Ports) -> Response:
        request = to_release_request(
            ports,
            endpoint,
            offer,
            actor=call.actor,
            message=wanted.message,
            key=call.request,
            supersede=wanted.supersede,
            principal=call.principal,
        )
        begun = release(ports, request)
        if begun is None:
            begun_release = Release(
                endpoint=endpoint, rollout=None, message="it serves already", warnings=()
            )
            return answer(begun_release)
        location = f"/v1/endpoints/{endpoint}/rollouts/{begun.id}"
        begun_release = Release(
            endpoint=endpoint,
            rollout=begun.id,
            message=f"{begun.package} goes out",
            warnings=warnings_of(ports, endpoint),
        )
        return answer(begun_release, 202, location=location)

    # Done again it starts nothing twice: a release is idempotent by its key.
    return call.once(do)
