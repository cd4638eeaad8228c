"""What Lambda may answer to aliases and versions, in its own words, and what becomes of it."""

import io
import json

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody

from halftone.adapters.aws.lambda_aliases import LambdaAliases
from halftone.adapters.aws.lambda_versions import LambdaVersions
from halftone.domain.errors import ConcurrentWrite, Conflict, NotFound, RoutingChanged, Unavailable
from halftone.domain.rollout.routing import ReadRouting, Routing
from halftone.ports.functions import Pointer, VersionStatus
from tests.contract.adapters.functions import NAME

POINTER = Pointer("fraud-r1", "a" * 64)
CARRIED = {"HALFTONE_DEPLOYMENT": "fraud-r1", "HALFTONE_PACKAGE": "a" * 64}
URL = "https://lambda.eu-central-1.amazonaws.com"
SILENCES = [
    ReadTimeoutError(endpoint_url=URL),
    ConnectTimeoutError(endpoint_url=URL),
    EndpointConnectionError(endpoint_url=URL),
]
FAULTS = ["TooManyRequestsException", "ThrottlingException", "ServiceException"]


@pytest.fixture
def aliases(stubbed):
    client, stubber = stubbed("lambda")
    return LambdaAliases(client, "dev"), stubber


@pytest.fixture
def versions(stubbed):
    client, stubber = stubbed("lambda")
    return LambdaVersions(client, client, "dev"), stubber


def configured(stubber, variables=None, revision="rev-1", **more):
    """Let Lambda answer that the function is configured so."""
    answer = {"RevisionId": revision, "Environment": {"Variables": variables or {}}, **more}
    stubber.add_response("get_function_configuration", answer, {"FunctionName": NAME})


def test_a_guarded_write_alone_presents_the_revision(aliases):
    port, stubber = aliases
    written = {"FunctionVersion": "1", "RevisionId": "rev-2"}
    sent = {
        "FunctionName": NAME,
        "Name": "live",
        "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.001}},
    }
    stubber.add_response("update_alias", written, {**sent, "RevisionId": "rev-1"})
    assert port.write("fraud", Routing("1", "2", 0.1), revision="rev-1") == "rev-2"
    stubber.add_response("update_alias", written, sent)
    assert port.write("fraud", Routing("1", "2", 0.1), revision=None) == "rev-2"


def test_taking_the_share_back_clears_the_weights(aliases):
    port, stubber = aliases
    sent = {
        "FunctionName": NAME,
        "Name": "live",
        "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {}},
    }
    stubber.add_response("update_alias", {"RevisionId": "rev-2"}, sent)
    port.write("fraud", Routing("1"), revision=None)


def test_a_weight_of_nothing_is_no_share(aliases):
    port, stubber = aliases
    config = {"AdditionalVersionWeights": {"2": 0.0}}
    fields = {"FunctionVersion": "1", "RevisionId": "rev-1", "RoutingConfig": config}
    stubber.add_response("get_alias", fields)
    assert port.read("fraud").routing == Routing("1")


def test_an_alias_that_moved_on_is_told(aliases):
    port, stubber = aliases
    stubber.add_client_error("update_alias", "PreconditionFailedException")
    with pytest.raises(RoutingChanged, match="no longer at revision rev-1"):
        port.write("fraud", Routing("1"), revision="rev-1")


def test_an_alias_that_is_not_there_is_named(aliases):
    port, stubber = aliases
    stubber.add_client_error("get_alias", "ResourceNotFoundException")
    stubber.add_client_error("update_alias", "ResourceNotFoundException")
    with pytest.raises(NotFound, match=f"no alias 'live' of function '{NAME}'"):
        port.read("fraud")
    with pytest.raises(NotFound, match=f"no alias 'live' of function '{NAME}'"):
        port.write("fraud", Routing("1"), revision=None)
    stubber.add_response("list_aliases", {"Aliases": [listed("live", "1")]})
    with pytest.raises(NotFound, match=f"no alias 'challenger' of function '{NAME}'"):
        port.both("fraud")


def listed(name, version, revision="rev-1", **more):
    """An alias as ListAliases tells of it."""
    return {"Name": name, "FunctionVersion": version, "RevisionId": revision, **more}


def test_both_aliases_are_found_on_whatever_page_they_stand(aliases):
    port, stubber = aliases
    config = {"AdditionalVersionWeights": {"2": 0.05}}
    live = listed("live", "1", RoutingConfig=config)
    stubber.add_response(
        "list_aliases", {"Aliases": [live, listed("theirs", "7")], "NextMarker": "m"}
    )
    stubber.add_response("list_aliases", {"Aliases": [listed("challenger", "2", "rev-9")]})
    result = port.both("fraud")
    assert result.live == ReadRouting(Routing("1", "2", 5.0), "rev-1")
    assert result.challenger == ReadRouting(Routing("2"), "rev-9")


@pytest.mark.parametrize("code", FAULTS)
def test_lambda_at_fault_is_unavailable(aliases, versions, code):
    port, stubber = aliases
    for call in ("get_alias", "list_aliases", "update_alias"):
        stubber.add_client_error(call, code)
    with pytest.raises(Unavailable, match=code):
        port.read("fraud")
    with pytest.raises(Unavailable, match=code):
        port.both("fraud")
    with pytest.raises(Unavailable, match=code):
        port.write("fraud", Routing("1"), revision="rev-1")
    port, stubber = versions
    stubber.add_client_error("get_function_configuration", code)
    with pytest.raises(Unavailable, match=code):
        port.status("fraud", "1")
    stubber.add_client_error("invoke", code)
    with pytest.raises(Unavailable, match=code):
        port.invoke("fraud", "1", {})


@pytest.mark.parametrize("silence", SILENCES, ids=lambda error: type(error).__name__)
def test_lambda_not_answering_is_unavailable(failing, silence):
    client = failing("lambda", silence)
    aliases, versions = LambdaAliases(client, "dev"), LambdaVersions(client, client, "dev")
    for call in (
        lambda: aliases.read("fraud"),
        lambda: aliases.both("fraud"),
        lambda: aliases.write("fraud", Routing("1"), revision=None),
        lambda: versions.point("fraud", POINTER),
        lambda: versions.publish("fraud", POINTER),
        lambda: versions.status("fraud", "1"),
    ):
        with pytest.raises(Unavailable, match="did not answer while"):
            call()


def test_pointing_keeps_variables_and_presents_the_revision(versions):
    port, stubber = versions
    configured(stubber, {"HALFTONE_ENDPOINT": "fraud", "HALFTONE_PACKAGE": "old"})
    sent = {
        "FunctionName": NAME,
        "Environment": {"Variables": {"HALFTONE_ENDPOINT": "fraud", **CARRIED}},
        "RevisionId": "rev-1",
    }
    stubber.add_response("update_function_configuration", {}, sent)
    assert port.point("fraud", POINTER) is VersionStatus.PENDING


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"State": "Active", "LastUpdateStatus": "InProgress"}, VersionStatus.PENDING),
        ({"State": "Pending"}, VersionStatus.PENDING),
        ({"State": "Active", "LastUpdateStatus": "Successful"}, VersionStatus.READY),
        ({"State": "Active", "LastUpdateStatus": "Failed"}, VersionStatus.FAILED),
    ],
)
def test_a_pointer_that_is_carried_is_as_far_as_lambda_is(versions, state, expected):
    port, stubber = versions
    configured(stubber, CARRIED, **state)
    assert port.point("fraud", POINTER) is expected


def test_another_rollouts_failed_update_does_not_fail_this_one(versions):
    port, stubber = versions
    configured(stubber, {"HALFTONE_PACKAGE": "old"}, LastUpdateStatus="Failed")
    stubber.add_response("update_function_configuration", {})
    assert port.point("fraud", POINTER) is VersionStatus.PENDING


@pytest.mark.parametrize("code", ["ResourceConflictException", "PreconditionFailedException"])
def test_a_function_that_somebody_else_changes_is_stale(versions, code):
    port, stubber = versions
    configured(stubber)
    stubber.add_client_error("update_function_configuration", code)
    with pytest.raises(ConcurrentWrite, match="changed at the same time"):
        port.point("fraud", POINTER)
    configured(stubber, CARRIED)
    stubber.add_client_error("publish_version", code)
    with pytest.raises(ConcurrentWrite, match="does not carry"):
        port.publish("fraud", POINTER)


def test_what_is_published_is_bound_to_what_was_read(versions):
    port, stubber = versions
    configured(stubber, CARRIED, revision="rev-7")
    sent = {
        "FunctionName": NAME,
        "RevisionId": "rev-7",
        "Description": "rollout fraud-r1, package aaaaaaaaaaaa",
    }
    stubber.add_response("publish_version", {"Version": "4"}, sent)
    assert port.publish("fraud", POINTER) == "4"


@pytest.mark.parametrize("variables", [None, {**CARRIED, "HALFTONE_DEPLOYMENT": "fraud-r0"}])
def test_a_function_with_another_pointer_is_not_published(versions, variables):
    port, stubber = versions
    configured(stubber, variables)
    with pytest.raises(ConcurrentWrite, match="does not carry"):
        port.publish("fraud", POINTER)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"State": "Pending"}, (VersionStatus.PENDING, "")),
        ({"State": "Active"}, (VersionStatus.READY, "")),
        ({"State": "Inactive"}, (VersionStatus.READY, "")),
        (
            {"State": "Failed", "StateReason": "the layer is gone"},
            (VersionStatus.FAILED, "the layer is gone"),
        ),
        ({"State": "Failed"}, (VersionStatus.FAILED, "no reason given")),
    ],
)
def test_the_status_of_a_version_is_lambdas_with_its_words(versions, found, expected):
    port, stubber = versions
    fields = {"FunctionName": NAME, "Qualifier": "3"}
    stubber.add_response("get_function_configuration", found, fields)
    assert port.status("fraud", "3") == expected


def answer(payload, **more):
    """Lambda's answer to an invocation, with ``payload`` as the function gave it."""
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload)), **more}


def test_exactly_that_version_is_invoked_with_the_event(versions):
    port, stubber = versions
    sent = {
        "FunctionName": NAME,
        "Qualifier": "3",
        "Payload": json.dumps({"rawPath": "/"}).encode(),
    }
    fields = {"statusCode": 200, "body": "{}"}
    stubber.add_response("invoke", answer(json.dumps(fields).encode()), sent)
    assert port.invoke("fraud", "3", {"rawPath": "/"}) == fields


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(b'{"errorMessage": "boom"}', FunctionError="Unhandled"), "boom"),
        (answer(b'{"statusCode": 200}', FunctionError="Unhandled"), "statusCode"),
        (answer(b"null"), "None"),
        (answer(b""), "None"),
        (answer(b"[1]"), "[1]"),
    ],
    ids=["crashed", "crashed with an answer's shape", "null", "nothing", "a list"],
)
def test_a_function_that_fails_answers_500(versions, said, expected):
    port, stubber = versions
    stubber.add_response("invoke", said)
    reply = port.invoke("fraud", "3", {})
    assert reply["statusCode"] == 500
    assert expected in str(reply["body"])


def test_a_model_that_does_not_answer_in_time_answers_500(failing):
    client = failing("lambda", ReadTimeoutError(endpoint_url=URL))
    reply = LambdaVersions(client, client, "dev").invoke("fraud", "3", {})
    assert reply["statusCode"] == 500
    assert "no answer in time" in str(reply["body"])


@pytest.mark.parametrize("silence", SILENCES[1:], ids=lambda error: type(error).__name__)
def test_lambda_out_of_reach_says_nothing_about_the_model(failing, silence):
    client = failing("lambda", silence)
    with pytest.raises(Unavailable, match="did not answer while invoking version 3"):
        LambdaVersions(client, client, "dev").invoke("fraud", "3", {})


def test_what_is_not_there_is_named(versions):
    port, stubber = versions
    for _ in range(3):
        stubber.add_client_error("get_function_configuration", "ResourceNotFoundException")
    with pytest.raises(NotFound, match=f"no version '9'.*{NAME}"):
        port.status("fraud", "9")
    for call in (port.point, port.publish):
        with pytest.raises(NotFound, match=f"no endpoint 'fraud'.*{NAME}"):
            call("fraud", POINTER)


def test_a_version_that_an_alias_points_at_is_not_deleted(versions):
    port, stubber = versions
    fields = {"FunctionName": NAME, "Qualifier": "7"}
    stubber.add_client_error("delete_function", "ResourceConflictException", expected_params=fields)
    with pytest.raises(Conflict, match="version 7 of 'fraud' is held by an alias"):
        port.delete("fraud", "7")


def test_a_version_that_is_still_there_is_not_told_as_deleted(versions):
    port, stubber = versions
    stubber.add_response("delete_function", {})
    stubber.add_response("get_function_configuration", {"FunctionName": NAME, "Version": "7"})
    with pytest.raises(Unavailable, match="still has version 7 of 'fraud'"):
        port.delete("fraud", "7")


@pytest.mark.parametrize("code", FAULTS)
def test_a_deletion_that_lambda_does_not_take_is_unavailable(versions, code):
    port, stubber = versions
    stubber.add_client_error("delete_function", code)
    with pytest.raises(Unavailable, match=code):
        port.delete("fraud", "7")
