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

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


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


def made(base: str, name: str) -> Person:
    """A session of a new role of that name."""
    iam = boto3.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    session = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="today")
    given = session["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return Person(base, session["AssumedRoleUser"]["Arn"], keys)
