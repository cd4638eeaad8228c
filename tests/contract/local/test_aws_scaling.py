"""Concurrency of functions and versions, and throttles of single routes, on the adapters that use
them: "Configuring reserved concurrency" and "Configuring provisioned concurrency" in the Lambda
developer guide, UpdateStage and DeleteRouteSettings in the API Gateway v2 reference.
"""

import pytest
from botocore.exceptions import ClientError

from halftone.adapters.aws.http_api import HttpGate
from halftone.adapters.aws.lambda_concurrency import LambdaScaling
from halftone.adapters.aws.lambda_versions import LambdaVersions
from halftone.domain.endpoint.capacity import Throttle
from halftone.domain.errors import Conflict, NotFound
from halftone.domain.names import function_name
from halftone.ports.capacity import Provisioned
from halftone.ports.functions import VersionStatus
from tests.contract.local.support import Function

PLAIN = "def handler(event, context): return 'fine'"


@pytest.fixture
def published(client, unique):
    """A stage's name, and the function of its endpoint ``fraud`` with two versions."""
    stage = unique("s")
    fn = Function(client, function_name(stage, "fraud"), [PLAIN, PLAIN + "\n"])
    yield stage, fn
    fn.lambda_.delete_function(FunctionName=fn.name)


def test_reserved_concurrency_is_set_and_given_back(client, published):
    stage, fn = published
    scaling = LambdaScaling(client("lambda"), stage)
    scaling.reserve("fraud", 7)
    found = fn.lambda_.get_function_concurrency(FunctionName=fn.name)
    assert found["ReservedConcurrentExecutions"] == 7
    scaling.reserve("fraud", None)
    found = fn.lambda_.get_function_concurrency(FunctionName=fn.name)
    assert "ReservedConcurrentExecutions" not in found
    with pytest.raises(NotFound):
        scaling.reserve("spam", 7)


def test_replicas_are_of_one_version(client, published):
    stage, _ = published
    scaling = LambdaScaling(client("lambda"), stage)
    scaling.provision("fraud", "2", 3)
    assert scaling.provisioned("fraud", "2").wanted == 3
    assert scaling.provisioned("fraud", "1") == Provisioned()
    scaling.provision("fraud", "2", 0)
    assert scaling.provisioned("fraud", "2") == Provisioned()
    with pytest.raises(NotFound):
        scaling.provision("fraud", "9", 1)


def test_a_version_is_deleted_unless_an_alias_points_at_it(client, published):
    stage, fn = published
    versions = LambdaVersions(client("lambda"), client("lambda"), stage)
    fn.alias("live", "1", _2=0.05)
    for version in ("1", "2"):
        with pytest.raises(Conflict, match="held by an alias"):
            versions.delete("fraud", version)
    fn.lambda_.update_alias(
        FunctionName=fn.name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    for _ in range(2):
        versions.delete("fraud", "2")
    with pytest.raises(NotFound):
        versions.status("fraud", "2")
    assert versions.status("fraud", "1")[0] is VersionStatus.READY


INVOKE, DESCRIBE = "POST /endpoints/fraud/invocations", "GET /endpoints/fraud"
OTHER = "POST /endpoints/spam/invocations"


@pytest.fixture
def api(client, unique):
    """An HTTP API with routes of two endpoints: the port, its stage, a reader of the settings."""
    gateway = client("apigatewayv2")
    made = gateway.create_api(Name=unique("api"), ProtocolType="HTTP")
    for key in (INVOKE, DESCRIBE, OTHER):
        gateway.create_route(ApiId=made["ApiId"], RouteKey=key)
    where = {"ApiId": made["ApiId"], "StageName": "$default"}
    gateway.create_stage(
        **where, AutoDeploy=True, DefaultRouteSettings={"ThrottlingRateLimit": 1000.0}
    )
    gate = HttpGate(gateway, made["ApiId"])
    yield gate, where, lambda: gateway.get_stage(**where).get("RouteSettings", {})
    gateway.delete_api(ApiId=made["ApiId"])


def test_each_endpoint_has_throttles_of_its_own(api):
    gate, _, settings = api
    assert gate.throttle("spam", Throttle(5.0, 2)) == 1
    assert gate.throttle("fraud", Throttle(100.0, 50)) == 2
    rates = {key: found["ThrottlingRateLimit"] for key, found in settings().items()}
    assert rates == {OTHER: 5.0, INVOKE: 100.0, DESCRIBE: 100.0}
    for _ in range(2):
        assert gate.throttle("fraud", None) == 2
    assert list(settings()) == [OTHER]


def test_a_stage_outlives_its_routes_settings(client, api):
    gate, where, settings = api
    gate.throttle("fraud", Throttle(100.0, 50))
    gate.throttle("fraud", None)
    stage = client("apigatewayv2").get_stage(**where)
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 1000.0
    assert settings() == {}


def test_settings_of_a_route_that_is_not_there_are_refused(client, api):
    _, where, settings = api
    with pytest.raises(ClientError, match="Unable to find Route"):
        client("apigatewayv2").update_stage(
            **where, RouteSettings={"GET /nowhere": {"ThrottlingRateLimit": 1.0}}
        )
    assert settings() == {}
