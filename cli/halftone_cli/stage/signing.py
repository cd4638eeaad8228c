"""Requests to the control API over HTTP, signed by the caller's own AWS credentials (SigV4)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from boto3.session import Session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from halftone.domain.errors import Unavailable
from halftone_cli.control.api import Reply, Request, Send
from halftone_cli.stage.aws import identified

_SERVICE = "execute-api"
_SECONDS = 35
"""Longer than an HTTP API waits for a function: its word on that is heard."""
_UPLOAD_SECONDS = 120
_UPLOAD_ATTEMPTS = 3


def signed(session: Session, base: str) -> Send:
    """A ``Send`` to the API at ``base`` over one connection that is kept.

    botocore signs and sends, because it knows profiles, proxies and certificates as the AWS tools
    do. It tries nothing twice.
    """
    client = URLLib3Session(timeout=_SECONDS, proxies=get_environ_proxies(base))

    def send(request: Request) -> Reply:
        with identified():
            credentials = session.get_credentials()
            region = session.region_name
            if credentials is None or region is None:
                missing = "credentials" if credentials is None else "region"
                raise Unavailable(f"no AWS {missing}: sign in, or name a profile in AWS_PROFILE")
            frozen: Any = credentials.get_frozen_credentials()
        path, _, query = request.path.partition("?")
        # A space is %20 in what is signed; forms and browsers write it as +, and a plus as %2B.
        query = query.replace("+", "%20")
        url = f"{base}{quote(path)}" + (f"?{query}" if query else "")
        prepared = AWSRequest(
            method=request.method, url=url, headers=dict(request.headers), data=request.body
        )
        SigV4Auth(frozen, _SERVICE, region).add_auth(prepared)
        try:
            answer: Any = client.send(prepared.prepare())
        except BotoCoreError as error:
            raise Unavailable(f"{url} did not answer: {error}") from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, headers, answer.content)

    return send


def put(url: str, headers: Mapping[str, str], data: bytes) -> None:
    """See ``Upload``. The URL is signed already, by who gave leave."""
    client = URLLib3Session(timeout=_UPLOAD_SECONDS, proxies=get_environ_proxies(url))
    request = AWSRequest(method="PUT", url=url, headers=dict(headers), data=data)
    where = url.partition("?")[0]
    for attempt in range(1, _UPLOAD_ATTEMPTS + 1):
        try:
            answer: Any = client.send(request.prepare())
        except BotoCoreError as error:
            if attempt == _UPLOAD_ATTEMPTS:
                raise Unavailable(f"{where} did not take the package: {error}") from error
            continue
        if answer.status_code < 300:
            return
        if answer.status_code < 500 or attempt == _UPLOAD_ATTEMPTS:
            detail = answer.content.decode(errors="replace")[:200]
            raise Unavailable(f"{where} did not take the package: {answer.status_code} {detail}")
