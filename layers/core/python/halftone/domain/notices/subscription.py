"""Subscriptions: who is told of what, and where. Checked field by field."""

import fnmatch
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from halftone.domain.audit import AuditHead
from halftone.domain.errors import InvalidInput
from halftone.domain.notices.notice import KIND_NAMES, Notice, Severity

EVERYTHING = "*"
TESTED = "tested"
"""The action of the record by which a subscription is tried."""
MOST = 100
"""How many subscriptions a stage may have: each record is matched with all of them."""


class Channel(StrEnum):
    """How a notice is delivered.

    ``webhook``: a signed POST of JSON. ``slack`` and ``teams``: a POST of a text to an incoming
    webhook of theirs. ``sns``: a message to a topic, which mails and text messages may subscribe.
    """

    WEBHOOK = "webhook"
    SLACK = "slack"
    TEAMS = "teams"
    SNS = "sns"


@dataclass(frozen=True)
class Subscription:
    """One subscription, as it stands on record.

    ``endpoint`` is a name or ``*``; ``kinds`` are names of kinds with ``*`` for any part, or a
    severity. ``address`` is a URL, or a topic's ARN. ``secret`` signs webhooks (64 hex digits).
    ``ended`` is why it is told of nothing any more ("": it is).
    """

    id: str
    endpoint: str
    kinds: tuple[str, ...]
    channel: Channel
    address: str
    secret: str
    actor: str
    made_at: datetime
    revision: int = 1
    audit: AuditHead = field(default_factory=AuditHead)
    ended: str = ""

    def wants(self, notice: Notice) -> bool:
        """Whether ``notice`` is to be delivered to it; its own test always is."""
        if not self.ended and (notice.subject, notice.action) == (self.subject, TESTED):
            return True
        if self.ended or self.endpoint not in (EVERYTHING, notice.subject):
            return False
        return any(
            kind == notice.severity or fnmatch.fnmatchcase(notice.kind, kind) for kind in self.kinds
        )

    @property
    def subject(self) -> str:
        """What its own records are about."""
        return f"subscription:{self.id}"

    @property
    def shown_address(self) -> str:
        """The address without what is secret in it: paths of Slack's and Teams' URLs are."""
        if self.channel is Channel.SNS:
            return self.address
        parts = urlsplit(self.address)
        hidden = self.channel in (Channel.SLACK, Channel.TEAMS)
        return f"{parts.scheme}://{parts.netloc}{'/…' if hidden else parts.path}"


_KIND = re.compile(r"[a-z_*]+(\.[a-z_*]+)?")
_TOPIC = re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:(?P<name>[A-Za-z0-9_-]{1,256})")


def checked_kinds(field: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """``kinds`` if each of them is a severity or matches some kind.

    Raises:
        InvalidInput: naming the first that does neither, and the kinds that there are.
    """
    severities = [severity.value for severity in Severity]
    for index, kind in enumerate(kinds):
        known = kind in severities or (_KIND.fullmatch(kind) and fnmatch.filter(KIND_NAMES, kind))
        if not known:
            expected = f"a severity ({', '.join(severities)}) or one of {', '.join(KIND_NAMES)}"
            raise InvalidInput(f"{field}[{index}]", kind, f"{expected}; * stands for any part")
    if not kinds:
        raise InvalidInput(field, list(kinds), "at least one kind, such as alert or rollout.*")
    return tuple(dict.fromkeys(kinds))


def checked_address(
    channel: Channel, address: str, *, stage: str, hosts: Sequence[str] = ()
) -> str:
    """``address`` if notices can be delivered there by ``channel``.

    ``hosts`` are those that the stage allows besides public ones, which may also speak HTTP.

    Raises:
        InvalidInput: naming what is wrong with it.
    """
    if channel is Channel.SNS:
        topic = _TOPIC.fullmatch(address)
        prefix = f"halftone-{stage}"
        if topic is None or not topic["name"].startswith(prefix):
            expected = f"the ARN of an SNS topic whose name begins with {prefix}"
            raise InvalidInput("address", address, expected)
        return address
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidInput("address", address, f"a URL: {error}") from None
    allowed = host in hosts
    if not host or parts.scheme not in (("https", "http") if allowed else ("https",)):
        raise InvalidInput("address", address, "a URL that begins with https://")
    if parts.username or parts.password or parts.fragment:
        raise InvalidInput("address", address, "a URL without a user, a password or a fragment")
    if not address.isascii() or len(address) > 1000 or re.search(r"[\x00-\x20\x7f]", address):
        raise InvalidInput("address", address, "at most 1000 printable ASCII characters")
    if not allowed and (port not in (None, 443) or not is_public(host, names=True)):
        raise InvalidInput("address", address, "a public host on port 443")
    return address


def is_public(host: str, *, names: bool = False) -> bool:
    """Whether ``host``, an IP address, belongs to the public Internet.

    ``names``: a name with a dot counts, too; which addresses it has is asked when it is called.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        local = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
        return names and "." in host and not local
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    return address.is_global and not address.is_multicast


def shown(subscription: Subscription) -> Mapping[str, object]:
    """What the audit says of a subscription: never its secret, nor a URL that is one."""
    return {
        "endpoint": subscription.endpoint,
        "kinds": list(subscription.kinds),
        "channel": subscription.channel.value,
        "address": subscription.shown_address,
        "ended": subscription.ended,
    }
