"""Which stage a run of the command is about. The only module that reads or sets the environment."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halftone.domain.errors import InvalidInput, Unavailable
from halftone.domain.model.target import Target
from halftone.domain.names import checked_name

if TYPE_CHECKING:
    from halftone.ports import Ports
    from halftone_cli.control.api import ControlApi, Upload
    from halftone_local.supervisor import LocalAws


STAGE_VARIABLE = "HALFTONE_STAGE"
LOCAL_VARIABLE = "HALFTONE_LOCAL"
LOCAL_PORT_VARIABLE = "HALFTONE_LOCAL_PORT"
DEFAULT_STAGE = "dev"
LOCAL_STAGE = "local"
_REGION_VARIABLE = "AWS_REGION"


@dataclass(frozen=True)
class Where:
    """What the command line says about the stage: its name, if any, and whether it is local.

    ``profile`` is who acts: a profile of the AWS configuration, or of ``halftone_local.people``.
    """

    stage: str | None = None
    local: bool = False
    profile: str | None = None


@dataclass(frozen=True)
class Stage:
    """A stage that was found.

    ``urgent`` makes parts that give up on the table within a second, for rollbacks; ``actor`` finds
    out in whose name changes go on record; ``api`` is the base URL of the HTTP API, without a slash
    at its end; ``control`` is the control API; ``upload`` puts bytes where it gave leave to;
    ``target`` is what environments are built for.
    """

    name: str
    ports: Ports
    urgent: Callable[[], Ports]
    actor: Callable[[], str]
    api: str
    control: ControlApi
    upload: Upload
    target: Target = field(default_factory=Target)


@dataclass(frozen=True)
class Place:
    """What is known of a stage before AWS is asked: its name, and the command that makes it.

    ``address`` says where its API's URL is reached from here; ``actor`` in whose name changes go on
    record where that is not the caller's ARN.
    """

    stage: str
    deploy: str
    address: Callable[[str], str] = str
    actor: Callable[[], str] | None = None


def place(where: Where) -> Place:
    """The stage that ``where`` and the environment name; if it is local, this process enters it.

    The region is that of AWS_REGION before AWS_DEFAULT_REGION, as for the AWS and the CDK CLI;
    boto3 alone knows the second only.

    Raises:
        InvalidInput: if the name can't be a stage's.
        Unavailable: if no local AWS runs.
    """
    if where.local:
        aws = _local_aws()
        stage = checked_name("--stage", where.stage or LOCAL_STAGE)
        _enter(aws)
        if where.profile:
            _assume(aws, stage, where.profile)
        from halftone_local.addresses import api_url  # noqa: PLC0415

        return Place(
            stage,
            _start_command(),
            lambda url: api_url(aws, url),
            None if where.profile else lambda: f"local/{getpass.getuser()}",
        )
    stage = where.stage or os.environ.get(STAGE_VARIABLE) or DEFAULT_STAGE
    checked_name("--stage" if where.stage else STAGE_VARIABLE, stage)
    if where.profile:
        os.environ["AWS_PROFILE"] = where.profile
    if region := os.environ.get(_REGION_VARIABLE):
        os.environ["AWS_DEFAULT_REGION"] = region
    return Place(stage, f"make deploy STAGE={stage}")


def checkout() -> Path | None:
    """The checkout of Halftone that this command is installed from, if it is."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "package.json").is_file() else None


def local_runs() -> bool:
    """Whether the local AWS that `--local` means still runs."""
    try:
        _local_aws()
    except Unavailable:
        return False
    return True


def _local_aws() -> LocalAws:
    try:
        from halftone_local import pins, supervisor  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable(f"--local needs halftone[local]: {error}") from error
    port = os.environ.get(LOCAL_PORT_VARIABLE) or str(pins.DEFAULT_PORT)
    if not port.isdecimal():
        raise InvalidInput(LOCAL_PORT_VARIABLE, port, "the port of the local AWS")
    running = supervisor.running(int(port))
    if running is None or not running.healthy():
        raise Unavailable(f"no local AWS runs on port {port}: start it with `{_start_command()}`")
    return running


def _start_command() -> str:
    """What starts a local AWS: in a checkout with the examples deployed to it."""
    return "make up" if checkout() else "halftone local up"


def _enter(local: LocalAws) -> None:
    """Make this process a client of ``local`` and of nothing else."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(local.environment())


def _assume(local: LocalAws, stage: str, profile: str) -> None:
    """Act as a person of the stage, whom its policies hold."""
    from halftone_local import people  # noqa: PLC0415
    from halftone_local.supervisor import LocalAwsError  # noqa: PLC0415

    if profile not in people.PROFILES:
        raise InvalidInput("--profile", profile, f"one of {', '.join(people.PROFILES)}")
    try:
        os.environ.update(people.assume(local, stage, profile))
    except LocalAwsError as error:
        raise Unavailable(str(error)) from error
