"""``halftone local``: start and stop the local AWS, and print how to reach it."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from halftone.domain.errors import NotFound
from halftone_cli.console import note, one_line, say_json, show
from halftone_cli.stage.place import LOCAL_PORT_VARIABLE
from halftone_cli.stage.session import Session

if TYPE_CHECKING:
    from halftone_local.supervisor import LocalAws

PortOption = Annotated[
    int,
    typer.Option(
        metavar="PORT",
        envvar=LOCAL_PORT_VARIABLE,
        show_envvar=False,
        min=1,
        max=65535,
        help=f"The port of the local AWS, else {LOCAL_PORT_VARIABLE}, else 4566.",
        show_default=False,
    ),
]
_PORT = 4566


def start_local(session: Session, port: PortOption = _PORT) -> None:
    """Start a local AWS in the background; it runs until it is stopped.

    Where it runs already, nothing changes. Needs no account, no containers and no credentials.
    The first start outside a checkout installs it.

    \b
    Examples:
      halftone local up
      halftone local up --port 4600
    """
    from halftone_local import supervisor  # noqa: PLC0415 - its start-up time is for this command

    aws = supervisor.running(port) or supervisor.start(port, detached=True, report=note)
    if session.as_json:
        say_json(_described(aws))
        return
    option = "" if port == _PORT else f" --port {port}"
    show(
        one_line(f"local AWS on {aws.endpoint_url} (process {aws.pid}, log {aws.log})"),
        f'use it:   eval "$(halftone local env{option})"; npx cdk bootstrap; npx cdk deploy --all',
        f"stop it:  halftone local down{option}",
    )


def stop_local(session: Session, port: PortOption = _PORT) -> None:
    """Stop the local AWS and remove what was deployed to it.

    Where none runs, nothing changes.

    \b
    Examples:
      halftone local down
      halftone local down --port 4600
    """
    from halftone_local import supervisor  # noqa: PLC0415

    aws = supervisor.running(port)
    if aws is not None:
        aws.stop()
    if session.as_json:
        say_json({"port": port, "stopped": aws is not None})
        return
    show(f"stopped {aws.endpoint_url}" if aws else f"no local AWS runs on port {port}")


def show_local(session: Session, port: PortOption = _PORT) -> None:
    """Show whether the local AWS runs and answers.

    \b
    Examples:
      halftone local status
      halftone local status --json
    """
    aws = _running(port)
    if session.as_json:
        say_json({**_described(aws), "ready": aws.healthy()})
        return
    state = "ready" if aws.healthy() else "not answering"
    show(one_line(f"{aws.endpoint_url} {state} (process {aws.pid}, log {aws.log})"))


def export_local(session: Session, port: PortOption = _PORT) -> None:
    """Print the shell commands that make AWS clients use the local AWS.

    boto3, the AWS CLI and the CDK CLI read these variables. No file on disk changes.

    \b
    Examples:
      eval "$(halftone local env)"
      halftone local env --json
    """
    aws = _running(port)
    variables = {**aws.environment(), LOCAL_PORT_VARIABLE: str(aws.port)}
    if session.as_json:
        say_json(variables)
        return
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    typer.echo("\n".join(["unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN", *lines]))


def _running(port: int) -> "LocalAws":
    from halftone_local import supervisor  # noqa: PLC0415

    aws = supervisor.running(port)
    if aws is None:
        raise NotFound("local AWS on port", str(port), "start it with `halftone local up`")
    return aws


def _described(aws: "LocalAws") -> dict[str, object]:
    return {"port": aws.port, "url": aws.endpoint_url, "pid": aws.pid, "log": str(aws.log)}
