"""What the contract tests of the local AWS share: a deployed function, a package, a wait."""

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

ROLE = "arn:aws:iam::000000000042:role/test"
"""What functions and state machines run as; it may do everything (``make_role``)."""

SERVICES = ("apigateway", "events", "logs", "lambda.alarms.cloudwatch")


def make_role(iam: Any, name: str, *statements: dict[str, Any]) -> str:
    """Make a role that anybody may assume, with these statements; its ARN."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=_document(*statements))
    return str(arn)


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Function:
    """A deployed function with as many published versions as it was given sources."""

    def __init__(self, client: Callable[[str], Any], name: str, sources: list[str], **config: Any):
        self.lambda_ = client("lambda")
        self.name = name
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": zipped(sources[0])},
            **config,
        )
        self.let_in()
        self.ready()
        self.versions = [self.publish()]
        for source in sources[1:]:
            self.lambda_.update_function_code(FunctionName=name, ZipFile=zipped(source))
            self.ready()
            self.versions.append(self.publish())
        self.arn = self.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]

    def let_in(self, qualifier: str | None = None) -> None:
        """Let AWS's services invoke the function, or one of its versions or aliases."""
        which = {"Qualifier": qualifier} if qualifier else {}
        for service in SERVICES:
            self.lambda_.add_permission(
                FunctionName=self.name,
                StatementId=f"{service.replace('.', '-')}-{qualifier or 'function'}",
                Action="lambda:InvokeFunction",
                Principal=f"{service}.amazonaws.com",
                **which,
            )

    def ready(self) -> None:
        self.lambda_.get_waiter("function_updated_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )

    def publish(self) -> str:
        return str(self.lambda_.publish_version(FunctionName=self.name)["Version"])

    def alias(self, name: str, version: str, **weights: float) -> str:
        """Create an alias; ``_2=0.3`` sends 30 % to version 2. Returns its ARN."""
        extra = {version.removeprefix("_"): weight for version, weight in weights.items()}
        made = self.lambda_.create_alias(
            FunctionName=self.name,
            Name=name,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": extra},
        )
        self.let_in(name)
        return str(made["AliasArn"])

    def invoke(self, event: Any = None, **how: Any) -> Any:
        answer = self.lambda_.invoke(FunctionName=self.name, Payload=json.dumps(event), **how)
        answer["Payload"] = json.loads(answer["Payload"].read() or "null")
        return answer


def zipped(source: str, name: str = "index.py") -> bytes:
    """A deployment package with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, textwrap.dedent(source))
    return buffer.getvalue()


def eventually(read: Callable[[], Any], *, seconds: float = 25, every: float = 0.2) -> Any:
    """The first true answer of ``read``; fails with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        answer = read()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s; last answer {answer!r}")
        time.sleep(every)
