"""Subscriptions: who is told of what happens, and where."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from halftone.api.authorizer import RequestContext, deletes, posts, reads
from halftone.api.requests import Body, Message, Why
from halftone.api.responses import Cursor, Limit, Shape, after, answer, page, router, shown
from halftone.domain.access import EVERYWHERE, Action
from halftone.domain.errors import Conflict
from halftone.domain.names import checked_name
from halftone.domain.notices.subscription import EVERYTHING, Channel
from halftone.domain.notices.subscription import Subscription as Kept
from halftone.ports import Ports
from halftone.service.authorization import must_on, must_on_group
from halftone.service.notices import subscriptions as service

routes = router("subscriptions")

SubscriptionId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", description="A subscription's id.")]


class Subscription(Shape):
    """A subscription. `address` is without what is secret in it."""

    id: str
    endpoint: str
    kinds: Sequence[str]
    channel: str
    address: str
    created_by: str
    created_at: datetime


class Subscriptions(Shape):
    """A page of subscriptions; `next` is null on the last."""

    items: Sequence[Subscription]
    next: str | None


class Subscribed(Shape):
    """A new subscription. `secret` checks a webhook's signatures; a replay has null there."""

    subscription: Subscription
    secret: str | None


class UndeliveredNotice(Shape):
    """A notice that was tried for a day in vain."""

    notice: str
    title: str
    at: datetime
    given_up_at: datetime
    why: str


class UndeliveredNotices(Shape):
    """The newest notices that a subscription was not delivered, the newest first."""

    items: Sequence[UndeliveredNotice]


class SubscriptionWanted(Body):
    """Who is to be told of what, and where."""

    endpoint: Annotated[
        str, Field(max_length=32, description="An endpoint, or `*` for the whole stage.")
    ] = EVERYTHING
    kinds: Annotated[
        list[Annotated[str, Field(max_length=60)]],
        Field(
            min_length=1,
            max_length=20,
            description="Severities (info, action, alert) or kinds; `*` stands for any part.",
        ),
    ]
    channel: Annotated[str, Field(pattern="^(webhook|slack|teams|sns)$")]
    address: Annotated[
        str, Field(min_length=1, max_length=1000, description="A URL, or the ARN of a topic.")
    ]
    message: Why = ""


@routes.get("/subscriptions", responses=shown(Subscriptions))
async def list_subscriptions(
    call: Annotated[RequestContext, reads()], cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """List the stage's subscriptions."""
    first = after(cursor)
    entries = ((s.id, _shown(s)) for s in service.active(call.ports) if s.id > first)
    items, following = page(entries, limit)
    return answer(Subscriptions(items=items, next=following))


@routes.post("/subscriptions", status_code=201, responses=shown(Subscribed, 201))
async def subscribe(
    wanted: SubscriptionWanted, call: Annotated[RequestContext, posts(Action.OPERATE)]
) -> Response:
    """Tell somebody of what happens from now on.

    For an endpoint it takes the right to operate it, for the stage an admin of the group `all`.
    """
    _must(call, wanted.endpoint)

    def do(ports: Ports) -> Response:
        made = service.subscribe(
            ports,
            stage=call.control.stage,
            hosts=call.control.webhook_hosts,
            endpoint=wanted.endpoint,
            kinds=wanted.kinds,
            channel=Channel(wanted.channel),
            address=wanted.address,
            author=call.author(wanted.message),
        )
        return answer(
            Subscribed(subscription=_shown(made), secret=made.secret or None),
            201,
            location=f"/v1/subscriptions/{made.id}",
        )

    def lost(_: Ports) -> Response:
        raise Conflict("the subscription was made, but its secret is lost: end it, make it again")

    return call.once(do, lost=lost, forget=("secret",))


@routes.get("/subscriptions/{subscription}", responses=shown(Subscription))
async def show_subscription(
    subscription: SubscriptionId, call: Annotated[RequestContext, reads()]
) -> Response:
    """Show a subscription."""
    return answer(_shown(service.subscription_named(call.ports, subscription)))


@routes.delete("/subscriptions/{subscription}", responses=shown(Subscription))
async def unsubscribe(
    subscription: SubscriptionId,
    call: Annotated[RequestContext, deletes(Action.OPERATE)],
    message: Annotated[str, Query(max_length=1000, description="Why.")] = "",
) -> Response:
    """End a subscription: it is told of nothing from now on."""
    _must(call, service.subscription_named(call.ports, subscription).endpoint)
    ended = service.unsubscribe(call.ports, subscription, author=call.author(message))
    return answer(_shown(ended))


@routes.post("/subscriptions/{subscription}/test", responses=shown(Subscription))
async def try_subscription(
    subscription: SubscriptionId,
    wanted: Message,
    call: Annotated[RequestContext, posts(Action.OPERATE)],
) -> Response:
    """Have a test notice delivered, by the way that all notices take."""
    _must(call, service.subscription_named(call.ports, subscription).endpoint)

    def do(ports: Ports) -> Response:
        author = call.author(wanted.reason(f"a test, asked for by {call.actor}"))
        return answer(_shown(service.try_out(ports, subscription, author=author)))

    def lost(ports: Ports) -> Response:
        return answer(_shown(service.subscription_named(ports, subscription)))

    return call.once(do, lost=lost)


@routes.get("/subscriptions/{subscription}/undelivered", responses=shown(UndeliveredNotices))
async def list_undelivered(
    subscription: SubscriptionId, call: Annotated[RequestContext, reads()], limit: Limit = 20
) -> Response:
    """List what a subscription was not delivered, and why."""
    entries = service.undelivered(call.ports, subscription, most=limit)
    items = [
        UndeliveredNotice(
            notice=entry.notice,
            title=entry.title,
            at=entry.at,
            given_up_at=entry.given_up_at,
            why=entry.why,
        )
        for entry in entries
    ]
    return answer(UndeliveredNotices(items=items))


def _must(call: RequestContext, endpoint: str) -> None:
    if endpoint == EVERYTHING:
        must_on_group(call.ports, call.principal, Action.ADMINISTER, EVERYWHERE)
    else:
        name = checked_name("endpoint", endpoint)
        must_on(call.ports, call.principal, Action.OPERATE, name)


def _shown(kept: Kept) -> Subscription:
    return Subscription(
        id=kept.id,
        endpoint=kept.endpoint,
        kinds=kept.kinds,
        channel=kept.channel.value,
        address=kept.shown_address,
        created_by=kept.actor,
        created_at=kept.made_at,
    )
