"""How an endpoint serves: traffic, rules, mirror, mode, access, capture, and whether at all."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Response
from pydantic import Field

from halftone.api.authorizer import RequestContext, edits, posts, reads
from halftone.api.requests import Body, EndpointName, Message, Why
from halftone.api.responses import Shape, answer, router, shown
from halftone.domain.access import Action
from halftone.domain.endpoint.policy_rules import dump_state_policy
from halftone.domain.endpoint.state import EndpointState
from halftone.ports import Ports
from halftone.service.endpoints import availability
from halftone.service.endpoints import policy as service
from halftone.service.endpoints.endpoints import ReadEndpoint, as_read
from halftone.service.endpoints.endpoints import endpoint as found

routes = router("serving")


class Matching(Shape, omit_defaults=True):
    """Which requests are meant: all conditions must hold, each by any of its values."""

    headers: Mapping[str, Sequence[str]] = {}
    query: Mapping[str, Sequence[str]] = {}
    clients: Sequence[str] = ()
    addresses: Sequence[str] = ()


class RuleShown(Shape):
    """Requests that match go to the deployment `to`."""

    match: Matching
    to: str


class MirrorShown(Shape):
    """The deployment that scores a share of requests unseen."""

    to: str
    share: float
    match: Matching | None = None


class CaptureShown(Shape):
    """The share of requests that is kept, and the fields that are not."""

    share: float
    redact: Sequence[str]


class CorsShown(Shape):
    """Which pages of other origins may call the endpoint from a browser."""

    origins: Sequence[str]
    headers: Sequence[str]
    max_age: str


class Serving(Shape):
    """How an endpoint serves. `probation` is the deployment whose share the alarms watch.

    Until `probation_armed` it takes no requests. `answering` are the shares by version as aliases
    and fronts act on them now, where no rule matches: during a rollout, or until a deployment is
    watched, they differ from `traffic`. `difference` is how the aliases as they were read differ
    from the record ("": they do not; null: they could not be read).
    """

    endpoint: str
    revision: int
    mode: str
    access: str
    key: str | Mapping[str, str] | None
    salt: str
    rules: Sequence[RuleShown]
    traffic: Mapping[str, float]
    mirror: MirrorShown | None
    capture: CaptureShown
    latency_budget: str | None
    label: str
    stopped: str
    cors: CorsShown | None
    probation: str | None
    probation_since: datetime | None
    probation_armed: bool
    answering: Mapping[str, float]
    difference: str | None


def serving(read: ReadEndpoint) -> Serving:
    """The serving of ``state`` as it is shown; what is shown can be sent back."""
    state = read.state
    watched = state.serving.probation
    return msgspec.convert(
        {
            **dump_state_policy(state),
            "endpoint": state.endpoint,
            "revision": state.revision,
            "probation": watched.version if watched else None,
            "probation_since": watched.since if watched else None,
            "probation_armed": watched is None or watched.armed,
            "answering": dict(read.shares),
            "difference": read.difference,
        },
        Serving,
    )


_Share = float | str
_Rule = Annotated[
    dict[str, Any],
    Field(examples=[{"match": {"headers": {"x-tier": ["internal"]}}, "to": "green"}]),
]
_Traffic = Annotated[
    dict[str, _Share],
    Field(description="Shares sum to 100, or to 0.", examples=[{"champion": 90, "green": 10}]),
]
_Mirror = Annotated[
    dict[str, Any] | Literal["none"] | None, Field(examples=[{"to": "green", "share": 10}])
]


class Changes(Body):
    """The fields to change, all at once; what is not named stays as it is."""

    mode: Literal["weighted", "guarded"] = "weighted"
    access: Literal["public", "private"] = "public"
    key: Annotated[str | dict[str, str] | None, Field(examples=[{"header": "x-user"}])] = None
    salt: str = ""
    rules: Annotated[list[_Rule], Field(default_factory=list)]
    traffic: Annotated[_Traffic, Field(default_factory=dict)]
    mirror: _Mirror = None
    capture: Annotated[_Share | dict[str, Any], Field(examples=[{"share": 10}])] = 0.0
    latency_budget: Annotated[str | None, Field(examples=["250ms"])] = None
    label: str | None = None
    stopped: str = ""
    cors: Annotated[
        dict[str, Any] | Literal["none"] | None,
        Field(examples=[{"origins": ["https://shop.example"]}]),
    ] = None
    message: Why = ""


class TrafficWanted(Body):
    """Who is to answer how much."""

    traffic: _Traffic
    message: Why = ""


class MirrorWanted(Body):
    """Who is to score along unseen; null: nobody."""

    mirror: _Mirror
    message: Why = ""


class RulesWanted(Body):
    """Which requests go where, whatever the shares; an empty list: no rule."""

    rules: list[_Rule]
    message: Why = ""


@routes.get("/endpoints/{endpoint}/serving", responses=shown(Serving))
async def show_serving(
    endpoint: EndpointName, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show how an endpoint serves."""
    return _answer(call.ports, endpoint)


@routes.patch("/endpoints/{endpoint}/serving", responses=shown(Serving))
async def change_serving(
    endpoint: EndpointName, wanted: Changes, call: Annotated[RequestContext, edits(Action.RELEASE)]
) -> Response:
    """Change how an endpoint serves, without a deploy: the fields that are given, all at once."""
    fields = wanted.model_dump(include=wanted.model_fields_set - {"message"})
    return _set(call, endpoint, fields, "set", wanted.message)


@routes.put("/endpoints/{endpoint}/traffic", responses=shown(Serving))
async def set_traffic(
    endpoint: EndpointName,
    wanted: TrafficWanted,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Split requests among deployments."""
    return _set(call, endpoint, {"traffic": wanted.traffic}, "set-traffic", wanted.message)


@routes.put("/endpoints/{endpoint}/mirror", responses=shown(Serving))
async def set_mirror(
    endpoint: EndpointName,
    wanted: MirrorWanted,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Send a share of requests to a deployment that no client hears of, too."""
    return _set(call, endpoint, {"mirror": wanted.mirror}, "set-mirror", wanted.message)


@routes.put("/endpoints/{endpoint}/rules", responses=shown(Serving))
async def set_rules(
    endpoint: EndpointName,
    wanted: RulesWanted,
    call: Annotated[RequestContext, edits(Action.RELEASE)],
) -> Response:
    """Say which requests go to which deployment, whatever the shares."""
    return _set(call, endpoint, {"rules": wanted.rules}, "set-rules", wanted.message)


@routes.post("/endpoints/{endpoint}/disable", responses=shown(Serving))
async def disable_endpoint(
    endpoint: EndpointName, body: Message, call: Annotated[RequestContext, posts(Action.OPERATE)]
) -> Response:
    """Answer 503 with the message, until the endpoint is enabled."""
    return _say(call, availability.disable, endpoint, body.reason("disabled"))


@routes.post("/endpoints/{endpoint}/enable", responses=shown(Serving))
async def enable_endpoint(
    endpoint: EndpointName, body: Message, call: Annotated[RequestContext, posts(Action.OPERATE)]
) -> Response:
    """Answer again after the endpoint was disabled."""
    return _say(call, availability.enable, endpoint, body.reason("enabled"))


@routes.post("/endpoints/{endpoint}/unpublish", responses=shown(Serving))
async def unpublish_endpoint(
    endpoint: EndpointName, body: Message, call: Annotated[RequestContext, posts(Action.RELEASE)]
) -> Response:
    """Answer 503 until the endpoint is published."""
    return _say(call, availability.unpublish, endpoint, body.reason("unpublished"))


@routes.post("/endpoints/{endpoint}/publish", responses=shown(Serving))
async def publish_endpoint(
    endpoint: EndpointName, body: Message, call: Annotated[RequestContext, posts(Action.RELEASE)]
) -> Response:
    """Answer again after the endpoint was unpublished."""
    return _say(call, availability.publish, endpoint, body.reason("published"))


def _set(
    call: RequestContext, endpoint: str, fields: Mapping[str, object], action: str, message: str
) -> Response:
    state = found(call.ports, endpoint)
    call = call.at(state.revision, dump_state_policy(state))
    service.set_serving(
        call.ports,
        endpoint,
        fields,
        action=action,
        author=call.author(message or action),
    )
    return _answer(call.ports, endpoint)


def _say(
    call: RequestContext, operation: Callable[..., EndpointState], endpoint: str, reason: str
) -> Response:
    def do(ports: Ports) -> Response:
        operation(ports, endpoint, author=call.author(reason))
        return _answer(ports, endpoint)

    def lost(ports: Ports) -> Response:
        return _answer(ports, endpoint)

    return call.once(do, lost=lost)


def _answer(ports: Ports, endpoint: str) -> Response:
    read = as_read(ports, endpoint)
    return answer(serving(read), etag=read.state.revision, editable=dump_state_policy(read.state))
