"""The app behind API Gateway's HTTP API (payload format 2.0)."""

from collections.abc import MutableMapping
from typing import Any

from mangum import Mangum

from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext
from halftone.ports import Ports

# All else travels in base64.
_TEXTS = ["application/json", "application/problem+json", "application/x-ndjson", "text/"]


def behind_gateway(
    ports: Ports,
    *,
    self_approval: bool = False,
    stage: str = "local",
    webhook_hosts: tuple[str, ...] = (),
) -> Mangum:
    """The Lambda handler of the control API on ``ports``."""
    app = create_app(ApiContext(ports, signed_by, self_approval, stage, webhook_hosts))
    return Mangum(app, lifespan="off", text_mime_types=_TEXTS)


def signed_by(scope: MutableMapping[str, Any]) -> str:
    """The ARN of who signed a request that came through API Gateway; "" if nobody did.

    API Gateway alone writes a request's context: no client can.
    """
    authorizer = scope["aws.event"]["requestContext"].get("authorizer") or {}
    return str((authorizer.get("iam") or {}).get("userArn") or "")
