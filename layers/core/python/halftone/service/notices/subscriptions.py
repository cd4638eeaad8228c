"""Subscriptions: made, listed and ended by people, each step on a chain of records."""

from collections.abc import Sequence
from dataclasses import replace

from halftone.domain import audit
from halftone.domain.audit import Author
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.notices.subscription import (
    EVERYTHING,
    MOST,
    TESTED,
    Channel,
    Subscription,
    checked_address,
    checked_kinds,
    shown,
)
from halftone.ports import Ports
from halftone.ports.notices import Undelivered
from halftone.service.unit_of_work import retry_on_conflict

_ID_LENGTH = 12


def subscribe(
    ports: Ports,
    *,
    stage: str,
    hosts: Sequence[str],
    endpoint: str,
    kinds: Sequence[str],
    channel: Channel,
    address: str,
    author: Author,
) -> Subscription:
    """Make a subscription. ``hosts`` are those that the stage allows besides public ones.

    Raises:
        InvalidInput: naming the field that can't be taken.
        NotFound: if there is no such endpoint.
        Conflict: if the stage has as many as it may, or the same one already.
    """
    wanted = checked_kinds("kinds", kinds)
    checked = checked_address(channel, address, stage=stage, hosts=hosts)
    if endpoint != EVERYTHING and ports.store.load(endpoint) is None:
        raise NotFound("endpoint", endpoint, "GET /v1/endpoints lists those there are")
    standing = active(ports)
    if len(standing) >= MOST:
        raise Conflict(f"the stage has {MOST} subscriptions, and may have no more: end one first")
    for other in standing:
        same = (other.endpoint, other.kinds, other.channel, other.address)
        if same == (endpoint, wanted, channel, checked):
            raise Conflict(f"subscription {other.id} is the same: it was made by {other.actor}")
    secret = ports.new_secret()
    made = Subscription(
        id=ports.new_secret()[:_ID_LENGTH],
        endpoint=endpoint,
        kinds=wanted,
        channel=channel,
        address=checked,
        secret=secret if channel is Channel.WEBHOOK else "",
        actor=author.actor,
        made_at=ports.clock.now(),
    )
    return _commit(ports, None, made, action="subscribed", author=author)


@retry_on_conflict
def unsubscribe(ports: Ports, key: str, *, author: Author) -> Subscription:
    """End a subscription; one that has ended stays as it is.

    Raises:
        NotFound: if there is none of that id.
    """
    before = subscription_named(ports, key)
    if before.ended:
        return before
    ended = author.reason or f"ended by {author.actor}"
    after = replace(before, ended=ended, revision=before.revision + 1)
    return _commit(ports, before, after, action="unsubscribed", author=author)


@retry_on_conflict
def try_out(ports: Ports, key: str, *, author: Author) -> Subscription:
    """Have a test notice delivered: its record goes the way of all others.

    Raises:
        NotFound: if there is none of that id.
        Conflict: if it has ended.
    """
    before = subscription_named(ports, key)
    if before.ended:
        raise Conflict(f"subscription {key} has ended: {before.ended}")
    after = replace(before, revision=before.revision + 1)
    return _commit(ports, before, after, action=TESTED, author=author)


def active(ports: Ports) -> Sequence[Subscription]:
    """The subscriptions that have not ended."""
    return [s for s in ports.subscriptions.subscriptions() if not s.ended]


def subscription_named(ports: Ports, key: str) -> Subscription:
    """The subscription of that id, also one that has ended.

    Raises:
        NotFound: if there is none.
    """
    for subscription in ports.subscriptions.subscriptions():
        if subscription.id == key:
            return subscription
    raise NotFound("subscription", key, "GET /v1/subscriptions lists those there are")


def undelivered(ports: Ports, key: str, *, most: int) -> Sequence[Undelivered]:
    """What a subscription was not delivered, the newest first.

    Raises:
        NotFound: if there is none of that id.
    """
    subscription_named(ports, key)
    return ports.undelivered.undelivered(key, most=most)


def _commit(
    ports: Ports,
    before: Subscription | None,
    after: Subscription,
    *,
    action: str,
    author: Author,
) -> Subscription:
    record = audit.append(
        after.audit,
        endpoint=after.subject,
        at=ports.clock.now(),
        actor=author.actor,
        action=action,
        before=shown(before) if before else {},
        after=shown(after),
        reason=author.reason or f"{action} by {author.actor}",
        numbers={},
    )
    written = replace(after, audit=record.head)
    ports.subscriptions.commit_subscription(before, written, record, request=ports.request)
    return written
