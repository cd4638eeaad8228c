"""One patched local AWS for all contract tests of a session, on a free port.

The tests speak to it with boto3 alone, as they would to AWS, and each says which behaviour of AWS
it states. They share the server, so each makes resources under names of its own.
"""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from halftone_local.supervisor import LocalAws, start
from tests.contract.local.support import ROLE, Function, make_role


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    server = start()
    make_role(
        boto3.client(
            "iam",
            endpoint_url=server.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=server.environment()["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=server.environment()["AWS_SECRET_ACCESS_KEY"],
        ),
        ROLE.rpartition("/")[2],
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    )
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


@pytest.fixture(scope="session", autouse=True)
def scheduled(client: Callable[[str], Any]) -> Function:
    """A function under ``rate(1 minute)``, the shortest schedule there is.

    Set up before everything else, so that its minute passes while the other tests run.
    """
    fn = Function(client, "scheduled", ["def handler(event, context): print('GOT', event)"])
    events = client("events")
    events.put_rule(Name="scheduled", ScheduleExpression="rate(1 minute)")
    target = {"Id": "fn", "Arn": fn.arn, "Input": json.dumps({"reconcile": "all"})}
    events.put_targets(Rule="scheduled", Targets=[target])
    return fn


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A name nobody else uses."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:8]}"


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
                with urllib.request.urlopen(url, timeout=30) as answer:
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        return get

    return route
