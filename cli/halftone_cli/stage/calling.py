"""Calling an endpoint over HTTP, as its clients do."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from halftone.domain.errors import Unavailable

_SECONDS = 35
"""Longer than an HTTP API waits for a function: its word on that is heard."""


@dataclass(frozen=True)
class Response:
    """What came back. ``version`` is "" where no model function answered."""

    status: int
    version: str
    request_id: str
    body: str

    @property
    def good(self) -> bool:
        """Whether it is a prediction."""
        return 200 <= self.status < 300


def authorization(token: str) -> str:
    """The header by which a client of a private endpoint says who it is.

    ``name:token`` goes as Basic, a token alone as Bearer.
    """
    if ":" in token:
        return f"Basic {base64.b64encode(token.encode()).decode()}"
    return f"Bearer {token}"


def caller(url: str, headers: Mapping[str, str] | None = None) -> Callable[[str], Response]:
    """A function that posts a JSON text to ``url``, over one connection that is kept.

    botocore's HTTP client is used because it knows proxies and certificates as the AWS tools do;
    it tries nothing twice. The function raises Unavailable if no answer comes.
    """
    # A fifth of a second to import, which help and completion need not pay.
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415
    from botocore.utils import get_environ_proxies  # noqa: PLC0415

    client = URLLib3Session(timeout=_SECONDS, proxies=get_environ_proxies(url))

    def post(body: str) -> Response:
        sent_headers = {"content-type": "application/json", **(headers or {})}
        request = AWSRequest(method="POST", url=url, headers=sent_headers, data=body.encode())
        try:
            response: Any = client.send(request.prepare())
        except BotoCoreError as error:
            raise Unavailable(f"{url} did not answer: {error}") from error
        return Response(
            status=response.status_code,
            version=response.headers.get("x-halftone-version", ""),
            request_id=response.headers.get("x-request-id", ""),
            body=response.content.decode(errors="replace"),
        )

    return post
