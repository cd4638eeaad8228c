"""People with credentials, in front of the deployed control API."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from demo.cloud import STAGE
from halftone_local.people import assume
from halftone_local.supervisor import LocalAws


@dataclass(frozen=True)
class Person:
    """Somebody with credentials, in front of the deployed API."""

    base: str
    arn: str
    keys: Credentials

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, headers and JSON of the answer to a signed request."""
        data = None if body is None else json.dumps(body)
        named = {"content-type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, self.base + path, data=data, headers=named)
        SigV4Auth(self.keys, "execute-api", "us-east-1").add_auth(request)
        sent = urllib.request.Request(
            request.url, data.encode() if data else None, dict(request.headers), method=method
        )
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return answer.status, answer.headers, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.loads(error.read())

    def post(self, path: str, body: Any = None, *, key: str) -> tuple[int, Any, Any]:
        return self.ask("POST", path, body or {}, idempotency_key=key)


def made(aws: LocalAws, base: str, name: str, profile: str = "admin") -> Person:
    """A session of a new role of that name, with the policies of a profile of the stage."""
    keys = assume(aws, STAGE, profile, name=name, session="today")
    value = (keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"])
    arn = boto3.Session(*value).client("sts").get_caller_identity()["Arn"]
    return Person(base, arn, Credentials(*value))
