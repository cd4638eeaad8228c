"""How a stage is found: names, outputs, credentials, the local AWS. No AWS is called."""

import socket

import boto3
import pytest
from botocore.exceptions import (
    ConfigParseError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    TokenRetrievalError,
)
from botocore.stub import Stubber
from typer.testing import CliRunner

from halftone.domain.errors import InvalidInput, NotFound, Unavailable
from halftone_cli.main import app
from halftone_cli.stage import aws, connecting
from halftone_cli.stage.place import Place, Where
from halftone_cli.stage.session import Session, connect

OUTPUTS = {"Table": "t", "ArtifactBucket": "b", "Workflow": "w", "Url": "https://api.example"}
ARN = "arn:aws:iam::000000000042:user/ann"


@pytest.fixture
def client(monkeypatch):
    """A client of the service named, without credentials of anybody."""

    def client(service):
        return boto3.client(
            service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    return client


def stack(outputs):
    return {
        "Stacks": [
            {
                "StackName": "halftone-dev",
                "CreationTime": "2026-01-01T00:00:00Z",
                "StackStatus": "UPDATE_COMPLETE",
                "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
            }
        ]
    }


def test_the_outputs_come_from_one_describe_stacks(client):
    cloudformation = client("cloudformation")
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stacks", stack(OUTPUTS), {"StackName": "halftone-dev"})
        assert aws.stage_outputs(cloudformation, "dev", deploy="make deploy") == OUTPUTS
        stub.assert_no_pending_responses()


def test_a_missing_stack_is_told_with_the_command_that_makes_it(client):
    cloudformation = client("cloudformation")
    with Stubber(cloudformation) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist")
        with pytest.raises(NotFound) as caught:
            aws.stage_outputs(cloudformation, "qa", deploy="make deploy STAGE=qa")
    assert str(caught.value) == "there is no stage 'qa'; make it with `make deploy STAGE=qa`"


def test_a_stack_without_an_output_is_told_with_its_status(client):
    cloudformation = client("cloudformation")
    lacking = {name: value for name, value in OUTPUTS.items() if name != "Url"}
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stacks", stack(lacking))
        with pytest.raises(NotFound, match=r"no output 'Url'; .* is UPDATE_COMPLETE: deploy it"):
            aws.stage_outputs(cloudformation, "dev", deploy="make deploy STAGE=dev")


def test_refused_credentials_are_unavailable(client):
    cloudformation = client("cloudformation")
    with Stubber(cloudformation) as stub:
        stub.add_client_error("describe_stacks", "ExpiredToken", "the token has expired")
        with pytest.raises(Unavailable, match=r"looking for the stage 'dev'.*has expired"):
            aws.stage_outputs(cloudformation, "dev", deploy="make deploy STAGE=dev")


def test_the_actor_is_the_callers_arn(client):
    sts = client("sts")
    with Stubber(sts) as stub:
        stub.add_response("get_caller_identity", {"Arn": ARN, "Account": "000000000042"})
        assert aws.caller(sts) == ARN


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NoRegionError(), "set AWS_REGION"),
        (InvalidRegionError(region_name="us east"), "'us east'.*Set AWS_REGION"),
        (NoCredentialsError(), "name a profile in AWS_PROFILE"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), r"expired\): sign in"),
        (ConfigParseError(path="~/.aws/config"), r"~/\.aws/config\): sign in"),
    ],
)
def test_who_has_not_signed_in_is_told_how(error, remedy):
    with pytest.raises(Unavailable, match=remedy), aws.identified():
        raise error


@pytest.fixture
def asked(monkeypatch):
    """What ``open_stage`` is asked for, instead of asking AWS."""
    calls = []
    monkeypatch.delenv("HALFTONE_STAGE", raising=False)
    monkeypatch.setattr(connecting, "open_stage", calls.append)
    return calls


@pytest.mark.parametrize(
    ("said", "environment", "stage"),
    [(None, None, "dev"), (None, "qa", "qa"), ("prod", "qa", "prod"), (None, "", "dev")],
)
def test_the_stage_is_said_or_in_the_environment_or_dev(
    asked, monkeypatch, said, environment, stage
):
    if environment is not None:
        monkeypatch.setenv("HALFTONE_STAGE", environment)

    connect(Where(stage=said))

    assert asked == [Place(stage, f"make deploy STAGE={stage}")]


@pytest.mark.parametrize(
    ("given", "region"),
    [
        ({"AWS_REGION": "eu-west-3"}, "eu-west-3"),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "us-east-2"}, "eu-west-3"),
    ],
)
def test_the_region_is_found_where_the_aws_cli_finds_it(asked, monkeypatch, given, region):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, given.get(name, ""))

    connect(Where(stage="qa"))

    assert boto3.session.Session().region_name == region


def test_a_stage_of_no_possible_name_is_refused_by_its_source(monkeypatch):
    with pytest.raises(InvalidInput, match="--stage is 'Prod!'"):
        connect(Where(stage="Prod!"))
    monkeypatch.setenv("HALFTONE_STAGE", "Q A")
    with pytest.raises(InvalidInput, match="HALFTONE_STAGE is 'Q A'"):
        connect(Where())


def test_a_local_aws_that_does_not_run_says_how_to_start_it(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        monkeypatch.setenv("HALFTONE_LOCAL_PORT", port)
        with pytest.raises(Unavailable) as caught:
            connect(Where(local=True))
    assert str(caught.value) == f"no local AWS runs on port {port}: start it with `make up`"


def test_a_local_port_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("HALFTONE_LOCAL_PORT", "http")
    with pytest.raises(InvalidInput, match="HALFTONE_LOCAL_PORT is 'http'"):
        connect(Where(local=True))


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["status"], Where()),
        (["--stage", "qa", "status"], Where("qa")),
        (["status", "--stage", "qa"], Where("qa")),
        (["--stage", "qa", "status", "--stage", "prod"], Where("prod")),
        (["--local", "status"], Where(local=True)),
        (["status", "--local"], Where(local=True)),
    ],
)
def test_shared_options_may_stand_before_or_after_the_command(cli, words, where):
    observed = []

    def note(asked):
        observed.append(asked)
        raise Unavailable("noted")

    CliRunner().invoke(app, words, obj=Session(connect=note))

    assert observed == [where]
