"""The way out for notices: topics by SNS, all others by HTTP to public addresses alone."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from halftone.adapters.aws.clients import translated
from halftone.domain.errors import Unavailable
from halftone.domain.notices import message
from halftone.domain.notices.notice import Notice
from halftone.domain.notices.subscription import Channel, Subscription, is_public

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_SECONDS = 5.0
_READ = 1_000
"""Bytes of an answer that are read, to be shown when it is a refusal."""
_SUBJECT = 100
"""Characters that SNS takes as the subject of a mail."""


class NoticeSender:
    """Port ``Sender``. ``hosts`` are those that the stage allows besides public ones."""

    def __init__(self, sns: SNSClient, hosts: Sequence[str] = ()) -> None:
        self._sns = sns
        self._hosts = frozenset(hosts)

    def send(self, subscription: Subscription, notice: Notice, now: datetime) -> None:
        """See the port. One call; a redirect is a refusal, for it may lead anywhere."""
        if subscription.channel is Channel.SNS:
            with translated(f"publishing to {subscription.address}"):
                self._sns.publish(
                    TopicArn=subscription.address,
                    Subject=notice.title.encode("ascii", "replace").decode()[:_SUBJECT],
                    Message=message.text(notice),
                    MessageAttributes={
                        "kind": {"DataType": "String", "StringValue": notice.kind},
                        "severity": {"DataType": "String", "StringValue": notice.severity},
                        "id": {"DataType": "String", "StringValue": notice.id},
                    },
                )
            return
        if subscription.channel is Channel.WEBHOOK:
            body = message.body(notice)
            signed = message.signature(subscription.secret, notice.id, now, body)
        else:
            body, signed = message.chat_body(notice), {}
        self._post(subscription, body, signed)

    def _post(self, subscription: Subscription, body: bytes, signed: Mapping[str, str]) -> None:
        parts = urlsplit(subscription.address)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        connection = _Connection(host, port, self._address(host, port), secure=secure)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"content-type": "application/json", "user-agent": "halftone", **signed}
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answered = response.read(_READ).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{host} did not answer: {error}") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise Unavailable(f"{host} answered {response.status}: {answered[:200]}")

    def _address(self, host: str, port: int) -> str:
        """An address of ``host``: all that it has must be public, unless the stage allows it."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unavailable(f"{host} has no address: {error}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if host not in self._hosts:
            for address in addresses:
                if not is_public(str(ipaddress.ip_address(address.partition("%")[0]))):
                    raise Unavailable(f"{host} has the address {address}, which is not public")
        return addresses[0]


class _Connection(http.client.HTTPConnection):
    """A connection to the address that was checked: the name is not resolved a second time."""

    def __init__(self, host: str, port: int, address: str, *, secure: bool) -> None:
        super().__init__(host, port, timeout=_SECONDS)
        self._checked = address
        self._secure = secure

    def connect(self) -> None:
        """Connect, with TLS for the name where the URL says https."""
        self.sock = socket.create_connection((self._checked, self.port), _SECONDS)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
