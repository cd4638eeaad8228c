"""People of a stage on the local AWS: roles with the stage's managed policies, and sessions.

The key that ``LocalAws.environment`` gives is an administrator's: it deploys, and no policy
restricts it. ``halftone --local --profile NAME`` acts as one of ``PROFILES`` instead.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from halftone_local.supervisor import LocalAws, LocalAwsError

PROFILES: Mapping[str, tuple[str, ...]] = {
    "viewer": ("viewer", "command"),
    "releaser": ("releaser", "command"),
    "approver": ("approver", "command"),
    "admin": ("admin", "command"),
    "breakglass": ("viewer", "command", "direct"),
}
"""By profile, the managed policies ``halftone-<stage>-<name>`` that its role has."""

_TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def assume(
    aws: LocalAws, stage: str, profile: str, *, name: str = "", session: str = ""
) -> dict[str, str]:
    """The environment of a person who has assumed the stage's role ``profile``.

    Args:
        name: of the role, if it is not ``halftone-<stage>-<profile>``; it is made if need be.
        session: its name on record, which is the user's by default.

    Raises:
        LocalAwsError: if there is no such profile, or the stage is not deployed.
    """
    if profile not in PROFILES:
        raise LocalAwsError(f"no profile {profile!r}: one of {', '.join(PROFILES)}")
    environment = aws.environment()
    client = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    ).client
    iam = client("iam", endpoint_url=aws.endpoint_url)
    sts = client("sts", endpoint_url=aws.endpoint_url)
    account = environment["AWS_ACCESS_KEY_ID"]
    role = name or f"halftone-{stage}-{profile}"
    try:
        _make_role(
            iam, role, [f"halftone-{stage}-{policy}" for policy in PROFILES[profile]], account
        )
        answer = sts.assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{role}",
            RoleSessionName=session or os.environ.get("USER") or "local",
        )
    except ClientError as error:
        raise LocalAwsError(f"the stage {stage!r} has no role for {profile!r}: {error}") from error
    keys = answer["Credentials"]
    return environment | {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def _make_role(iam: Any, role: str, policies: list[str], account: str) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    try:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    for policy in policies:
        iam.attach_role_policy(RoleName=role, PolicyArn=f"arn:aws:iam::{account}:policy/{policy}")
