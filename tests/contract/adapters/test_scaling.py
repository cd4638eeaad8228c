"""What Lambda and API Gateway may answer to concurrency and throttles, in their own words.

moto knows neither provisioned concurrency nor a change of a stage: that both adapters work on a
running AWS is held by ``contract/local/test_aws_scaling.py``.
"""

import pytest
from botocore.exceptions import ReadTimeoutError

from halftone.adapters.aws.http_api import HttpGate
from halftone.adapters.aws.lambda_concurrency import LambdaScaling
from halftone.domain.endpoint.capacity import Throttle
from halftone.domain.errors import Conflict, NotFound, Unavailable
from halftone.ports.capacity import Provisioned
from tests.contract.adapters.functions import NAME

VERSION = {"FunctionName": NAME, "Qualifier": "7"}
FAULTS = ["TooManyRequestsException", "ServiceException"]
LIMIT = Throttle(100.0, 50)
INVOKE, DESCRIBE = "POST /endpoints/fraud/invocations", "GET /endpoints/fraud"
OIP, OTHER = "POST /v2/models/fraud/infer", "POST /endpoints/fraud-eu/invocations"


@pytest.fixture
def scaling(stubbed):
    client, stubber = stubbed("lambda")
    return LambdaScaling(client, "dev"), stubber


def test_concurrency_is_reserved_and_given_back(scaling):
    port, stubber = scaling
    stubber.add_response(
        "put_function_concurrency", {},
        {"FunctionName": NAME, "ReservedConcurrentExecutions": 20},
    )  # fmt: skip
    port.reserve("fraud", 20)
    stubber.add_response("delete_function_concurrency", {}, {"FunctionName": NAME})
    port.reserve("fraud", None)
    stubber.assert_no_pending_responses()


def test_replicas_are_asked_for_on_the_version_and_given_back(scaling):
    port, stubber = scaling
    stubber.add_response(
        "put_provisioned_concurrency_config", {},
        {**VERSION, "ProvisionedConcurrentExecutions": 3},
    )  # fmt: skip
    port.provision("fraud", "7", 3)
    stubber.add_response("delete_provisioned_concurrency_config", {}, VERSION)
    port.provision("fraud", "7", 0)
    stubber.assert_no_pending_responses()


def test_replicas_are_told_as_far_as_they_stand_ready(scaling):
    port, stubber = scaling
    stubber.add_response(
        "get_provisioned_concurrency_config",
        {
            "RequestedProvisionedConcurrentExecutions": 3,
            "AvailableProvisionedConcurrentExecutions": 1,
            "Status": "IN_PROGRESS",
            "StatusReason": "allocating",
        },
        VERSION,
    )
    assert port.provisioned("fraud", "7") == Provisioned(3, 1, "allocating")
    stubber.add_client_error(
        "get_provisioned_concurrency_config", "ProvisionedConcurrencyConfigNotFoundException"
    )
    assert port.provisioned("fraud", "7") == Provisioned()


REFUSALS = [
    "InvalidParameterValueException",
    "ResourceConflictException",
    "LimitExceededException",
]


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_told_in_lambdas_words(scaling, code):
    port, stubber = scaling
    stubber.add_client_error("put_function_concurrency", code, "below its minimum value of [100]")
    with pytest.raises(Conflict, match=r"for 'fraud': below its minimum value of \[100\]"):
        port.reserve("fraud", 990)
    stubber.add_client_error("put_provisioned_concurrency_config", code, "SnapStart is on")
    with pytest.raises(Conflict, match="3 replicas of version 7 of 'fraud' ready: SnapStart is on"):
        port.provision("fraud", "7", 3)


def test_what_is_not_there_is_named(scaling):
    port, stubber = scaling
    stubber.add_client_error("put_function_concurrency", "ResourceNotFoundException")
    with pytest.raises(NotFound, match="no endpoint 'fraud'"):
        port.reserve("fraud", 5)
    for call, ask in [
        ("get_provisioned_concurrency_config", lambda: port.provisioned("fraud", "7")),
        ("put_provisioned_concurrency_config", lambda: port.provision("fraud", "7", 1)),
    ]:
        stubber.add_client_error(call, "ResourceNotFoundException")
        with pytest.raises(NotFound, match="no version '7'"):
            ask()


@pytest.mark.parametrize("code", FAULTS)
def test_a_lambda_that_is_throttled_or_out_is_unavailable(scaling, code):
    port, stubber = scaling
    stubber.add_client_error("put_function_concurrency", code)
    with pytest.raises(Unavailable, match=code):
        port.reserve("fraud", 5)
    stubber.add_client_error("get_provisioned_concurrency_config", code)
    with pytest.raises(Unavailable, match=code):
        port.provisioned("fraud", "7")


def test_a_lambda_that_does_not_answer_is_unavailable(failing):
    error = ReadTimeoutError(endpoint_url="https://lambda.eu-central-1.amazonaws.com")
    with pytest.raises(Unavailable, match="did not answer while reserving"):
        LambdaScaling(failing("lambda", error), "dev").reserve("fraud", 5)


# The HTTP API


@pytest.fixture
def gate(stubbed):
    client, stubber = stubbed("apigatewayv2")
    return HttpGate(client, "a1"), stubber


def routes(stubber, *pages):
    for number, keys in enumerate(pages):
        more = {"NextToken": str(number)} if number + 1 < len(pages) else {}
        stubber.add_response("get_routes", {"Items": [{"RouteKey": k} for k in keys], **more})


def stage(stubber, settings):
    stubber.add_response(
        "get_stage",
        {"StageName": "$default", "RouteSettings": settings},
        {"ApiId": "a1", "StageName": "$default"},
    )


def limited(rate=100.0, burst=50):
    return {
        "DetailedMetricsEnabled": False, "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst,
    }  # fmt: skip


def test_a_throttle_holds_for_every_route_of_the_endpoint_alone(gate):
    port, stubber = gate
    routes(stubber, [INVOKE, OTHER], ["ANY /v1/{proxy+}", "$default"], [DESCRIBE, OIP])
    mine = dict.fromkeys((INVOKE, DESCRIBE, OIP), limited())
    stage(stubber, {OTHER: limited(1.0, 1)})
    stubber.add_response(
        "update_stage", {}, {"ApiId": "a1", "StageName": "$default", "RouteSettings": mine}
    )
    stage(stubber, {**mine, OTHER: limited(1.0, 1)})
    assert port.throttle("fraud", LIMIT) == 3


@pytest.mark.parametrize("more", [{}, {"DetailedMetricsEnabled": False, "LoggingLevel": "OFF"}])
def test_a_throttle_is_in_force_whatever_else_the_api_answers(gate, more):
    port, stubber = gate
    routes(stubber, [INVOKE])
    stage(stubber, {})
    stubber.add_response("update_stage", {})
    settings = {"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 50, **more}
    stage(stubber, {INVOKE: settings})
    assert port.throttle("fraud", LIMIT) == 1


def test_a_throttle_that_is_not_in_force_is_unavailable(gate):
    port, stubber = gate
    routes(stubber, [INVOKE])
    stage(stubber, {})
    stubber.add_response("update_stage", {})
    stage(stubber, {INVOKE: limited(7.0)})
    with pytest.raises(Unavailable, match=rf"the throttle of '{INVOKE}' reads .*7\.0"):
        port.throttle("fraud", LIMIT)


GONE = "POST /endpoints/fraud/old"


@pytest.mark.parametrize("limit", [LIMIT, None], ids=["set", "taken away"])
def test_settings_whose_route_is_gone_are_cleared_first(gate, limit):
    port, stubber = gate
    routes(stubber, [INVOKE, OTHER])
    stage(stubber, {GONE: limited(), OTHER: limited()})
    gone = {"ApiId": "a1", "StageName": "$default", "RouteKey": GONE}
    stubber.add_response("delete_route_settings", {}, gone)
    if limit:
        stubber.add_response("update_stage", {})
        stage(stubber, {INVOKE: limited(), OTHER: limited()})
    assert port.throttle("fraud", limit) == 1
    stubber.assert_no_pending_responses()


def test_a_throttle_is_taken_away_where_it_stands(gate):
    port, stubber = gate
    routes(stubber, [INVOKE, DESCRIBE, OIP, OTHER])
    stage(stubber, {INVOKE: limited(), OIP: limited(), OTHER: limited()})
    for key in (INVOKE, OIP):
        fields = {"ApiId": "a1", "StageName": "$default", "RouteKey": key}
        if key == OIP:
            stubber.add_client_error(
                "delete_route_settings", "NotFoundException", expected_params=fields
            )
        else:
            stubber.add_response("delete_route_settings", {}, fields)
    assert port.throttle("fraud", None) == 3


def test_an_endpoint_without_routes_is_named(gate):
    port, stubber = gate
    routes(stubber, [OTHER])
    with pytest.raises(NotFound, match="no endpoint 'fraud'"):
        port.throttle("fraud", LIMIT)


def test_a_refusal_is_told_in_the_apis_words(gate):
    port, stubber = gate
    routes(stubber, [INVOKE])
    stage(stubber, {})
    stubber.add_client_error("update_stage", "BadRequestException", "rate above the account's")
    with pytest.raises(Conflict, match="routes of 'fraud': rate above the account's"):
        port.throttle("fraud", LIMIT)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "NotFoundException"])
def test_an_api_that_is_throttled_or_gone_is_unavailable(gate, code):
    port, stubber = gate
    routes(stubber, [INVOKE])
    stage(stubber, {})
    stubber.add_client_error("update_stage", code)
    with pytest.raises(Unavailable, match=code):
        port.throttle("fraud", LIMIT)


def test_the_address_is_below_the_apis_own_and_read_once(gate):
    port, stubber = gate
    api = {"ProtocolType": "HTTP", "RouteSelectionExpression": "x", "Name": "halftone-dev"}
    stubber.add_response("get_api", {**api, "ApiEndpoint": "https://a1.example"}, {"ApiId": "a1"})
    for _ in range(2):
        assert port.url("fraud") == "https://a1.example/endpoints/fraud"


def test_a_stage_without_its_api_is_told(gate):
    port, stubber = gate
    stubber.add_client_error("get_api", "NotFoundException")
    with pytest.raises(NotFound, match="no HTTP API 'a1'; deploy"):
        port.url("fraud")
