"""One patched local AWS for all contract tests of a session, on a free port.

The tests speak to it with boto3 alone, as they would to AWS, and each says which behaviour of AWS
it states. They share the server, so each makes resources under names of its own.
"""

import io
import json
import textwrap
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from halftone_local.supervisor import LocalAws, start

ROLE = "arn:aws:iam::000000000042:role/test"


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    server = start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def client(aws: LocalAws) -> Callable[[str], Any]:
    """A boto3 client by service name, set up by the environment that the local AWS gives."""
    environment = aws.environment()
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    config = Config(retries={"total_max_attempts": 1})
    made: dict[str, Any] = {}

    def get(service: str) -> Any:
        if service not in made:
            made[service] = session.client(
                service, endpoint_url=environment["AWS_ENDPOINT_URL"], config=config
            )
        return made[service]

    return get


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A name nobody else uses."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:8]}"


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
        self.ready()
        self.versions = [self.publish()]
        for source in sources[1:]:
            self.lambda_.update_function_code(FunctionName=name, ZipFile=zipped(source))
            self.ready()
            self.versions.append(self.publish())
        self.arn = self.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]

    def ready(self) -> None:
        self.lambda_.get_waiter("function_updated_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )

    def publish(self) -> str:
        return str(self.lambda_.publish_version(FunctionName=self.name)["Version"])

    def alias(self, name: str, version: str, **weights: float) -> str:
        """Create an alias; ``_2=0.3`` sends 30 % to version 2. Returns its ARN."""
        extra = {version.removeprefix("_"): weight for version, weight in weights.items()}
        return str(
            self.lambda_.create_alias(
                FunctionName=self.name,
                Name=name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": extra},
            )["AliasArn"]
        )

    def invoke(self, event: Any = None, **how: Any) -> Any:
        answer = self.lambda_.invoke(FunctionName=self.name, Payload=json.dumps(event), **how)
        answer["Payload"] = json.loads(answer["Payload"].read() or "null")
        return answer


@pytest.fixture
def function(client: Callable[[str], Any], unique: Callable[[str], str]) -> Iterator[Any]:
    """Deploy a function from one source per version; deleted after the test."""
    made: list[Function] = []

    def deploy(*sources: str, **config: Any) -> Function:
        made.append(Function(client, unique("fn"), list(sources), **config))
        return made[-1]

    yield deploy
    for each in made:
        each.lambda_.delete_function(FunctionName=each.name)


@pytest.fixture
def http_route(aws: LocalAws, client: Callable[[str], Any], unique: Callable[[str], str]) -> Any:
    """Put an HTTP API in front of a function, version or alias ARN; returns a callable GET."""

    def route(arn: str) -> Callable[[], tuple[int, Any]]:
        api = client("apigatewayv2")
        id_ = api.create_api(Name=unique("api"), ProtocolType="HTTP")["ApiId"]
        integration = api.create_integration(
            ApiId=id_,
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        api.create_route(ApiId=id_, RouteKey="GET /", Target=f"integrations/{integration}")
        api.create_stage(ApiId=id_, StageName="$default", AutoDeploy=True)
        url = f"{aws.endpoint_url}/_aws/execute-api/{id_}/$default/"

        def get() -> tuple[int, Any]:
            try:
                with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - loopback
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        return get

    return route


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
