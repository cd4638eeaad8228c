"""Where the command meets AWS: parts, account and control API with the caller's credentials."""

from collections.abc import Mapping

import boto3

from halftone import bootstrap
from halftone.adapters.aws.clients import PATIENT
from halftone.domain.model.target import Architecture, Runtime, Target
from halftone_cli.control.api import ControlApi
from halftone_cli.stage.account import Account
from halftone_cli.stage.aws import caller, identified, stage_outputs
from halftone_cli.stage.place import Place, Stage
from halftone_cli.stage.signing import put, signed


def open_stage(there: Place) -> Stage:
    """The stage that is ``there``, by the outputs of its platform stack.

    Raises:
        NotFound: if it is not deployed.
        Unavailable: if AWS does not answer, or does not know who asks.
    """
    with identified():
        session = boto3.session.Session()
        cloudformation = session.client("cloudformation", config=PATIENT)
    outputs = stage_outputs(cloudformation, there.stage, deploy=there.deploy)
    settings = bootstrap.Settings(
        stage=there.stage,
        table=outputs["Table"],
        artifacts=outputs["ArtifactBucket"],
        workflow=outputs["Workflow"],
    )
    api = there.address(outputs["Url"]).rstrip("/")
    return Stage(
        name=there.stage,
        # A client costs 10 to 100 ms to make: a command pays for those that it uses.
        ports=bootstrap.ports(settings, lazy=True),
        urgent=lambda: bootstrap.ports(settings, urgent=True, lazy=True),
        actor=there.actor or (lambda: caller(session.client("sts", config=PATIENT))),
        api=api,
        control=ControlApi(signed(session, api)),
        upload=put,
        target=_target(outputs),
    )


def _target(outputs: Mapping[str, str]) -> Target:
    """What the stage runs on; the default of a stage that does not say, being deployed earlier."""
    usual = Target()
    return Target(
        Runtime.named("Runtime", outputs.get("Runtime", usual.runtime)),
        Architecture.named("Architecture", outputs.get("Architecture", usual.architecture)),
    )


def open_account(there: Place) -> Account:
    """The account that the caller's credentials are of.

    Raises:
        Unavailable: if there is no region.
    """
    with identified():
        return Account(boto3.session.Session(), there.stage, deploy=there.deploy)
