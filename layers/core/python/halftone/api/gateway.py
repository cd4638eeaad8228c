"""The app behind API Gateway's HTTP API (payload format 2.0)."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mangum import Mangum

from halftone.api.app import create_app
from halftone.api.authorizer import ApiContext
from halftone.domain.access import person_arn
from halftone.domain.errors import Forbidden
from halftone.ports import Ports

# All else travels in base64.
_TEXTS = ["application/json", "application/problem+json", "application/x-ndjson", "text/"]


@dataclass(frozen=True)
class ConsolePool:
    """Whose people the control API knows by name: the stage's own.

    ``users`` is the id of the user pool, ``identities`` that of the identity pool before the
    console's roles. Both empty: the stage has none, and people of no pool may ask.
    """

    users: str = ""
    identities: str = ""


def behind_gateway(
    ports: Ports,
    *,
    self_approval: bool = False,
    stage: str = "local",
    webhook_hosts: tuple[str, ...] = (),
    console: ConsolePool | None = None,
) -> Mangum:
    """The Lambda handler of the control API on ``ports``; ``console`` is the stage's own pool."""
    who = partial(signed_by, console=console or ConsolePool())
    app = create_app(ApiContext(ports, who, self_approval, stage, webhook_hosts))
    return Mangum(app, lifespan="off", text_mime_types=_TEXTS)


def signed_by(scope: MutableMapping[str, Any], console: ConsolePool) -> str:
    """The ARN of who signed a request that came through API Gateway; "" if nobody did.

    API Gateway alone writes a request's context: no client can. Credentials of an identity pool are
    those of a role that many people share: the person is in ``cognitoIdentity.amr`` then.

    Raises:
        Forbidden: if the person is of another pool than the stage's own, or of none.
    """
    authorizer = scope["aws.event"]["requestContext"].get("authorizer") or {}
    iam = authorizer.get("iam") or {}
    arn = str(iam.get("userArn") or "")
    identity = iam.get("cognitoIdentity") or {}
    if not identity.get("identityId"):
        # Without an identity, a session that only Cognito makes is nobody that can be told.
        if arn.endswith("/CognitoIdentityCredentials"):
            raise Forbidden("the credentials are an identity pool's, and name no person")
        return arn
    pool = str(identity.get("identityPoolId") or "")
    if not console.identities or pool != console.identities:
        named = repr(pool) if pool else "without an id"
        raise Forbidden(f"identity pool {named} is not this stage's: sign in to its console")
    # "<provider>:CognitoSignIn:<sub>": the provider ends with the user pool's id.
    for method in identity.get("amr") or ():
        provider, _, subject = str(method).rpartition(":CognitoSignIn:")
        if subject and console.users and provider == _provider(console.users):
            partition = arn.split(":")[1] if arn.startswith("arn:") else "aws"
            account = str(iam.get("accountId") or "")
            return person_arn(
                partition=partition, account=account, pool=console.users, subject=subject
            )
    raise Forbidden("the person was not signed in by this stage's user pool: sign in again")


def _provider(pool: str) -> str:
    return f"cognito-idp.{pool.partition('_')[0]}.amazonaws.com/{pool}"
