"""Starts and stops the local AWS and says how to reach it.

Runs in the development environment and knows the server only by its process, its log and its
health address. Everything it leaves on disk is below ``installation.HOME``.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from halftone_local import installation
from halftone_local.access.mode import VARIABLE, Mode, mode
from halftone_local.installation import HOME, IMPORTS, PYTHON, LocalAwsError, Report
from halftone_local.machine import command_line, free_port, in_use
from halftone_local.pins import ACCOUNT, REGION

__all__ = ["LocalAws", "LocalAwsError", "running", "start", "to_stderr"]

START_SECONDS = 60
STOP_SECONDS = 10


def to_stderr(message: str) -> None:
    """The default report: one line of progress for whoever waits."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS; ``pid`` leads the process group that all its processes belong to."""

    port: int
    pid: int
    child: subprocess.Popen[bytes] | None = field(default=None, compare=False, repr=False)
    """The server, where this process started it: only its parent can take note of its end."""

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return HOME / f"aws-{self.port}.log"

    @property
    def state(self) -> Path:
        return HOME / f"aws-{self.port}.json"

    @property
    def scratch(self) -> Path:
        return HOME / f"tmp-{self.port}"

    def environment(self) -> dict[str, str]:
        """What a client needs in its environment: boto3, the AWS CLI and the CDK CLI alike.

        Profiles (by a path at which there is no file), instance metadata, the CDK CLI's telemetry
        and its notices are switched off, so that nothing asks any other host. A profile or session
        token of the caller's own environment must be removed from it (``python -m halftone_local
        env`` prints how).
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": str(HOME / "no-profiles"),
            "AWS_SHARED_CREDENTIALS_FILE": str(HOME / "no-profiles"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CDK_NOTICES": "false",
        }

    def healthy(self) -> bool:
        """Whether it answers on its port."""
        with contextlib.suppress(OSError):
            url = f"{self.endpoint_url}/_ministack/ready"
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - own loopback port
                return bool(answer.status == 200)
        return False

    def alive(self) -> bool:
        """Whether its process lives; a number in an old state file may have a new owner."""
        if self.child is not None:
            return self.child.poll() is None
        return self.pid > 0 and "halftone_local.server" in command_line(self.pid)

    def stop(self) -> None:
        """End the server and every function worker, and remove what they left; repeatable."""
        if self.alive():
            os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.1)
            # Whatever ignored the request, workers included, shares the server's process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.state.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)


def running(port: int) -> LocalAws | None:
    """The local AWS on that port, if its process lives and it was started from here."""
    state = HOME / f"aws-{port}.json"
    try:
        aws = LocalAws(port=port, pid=int(json.loads(state.read_text())["pid"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LocalAwsError(f"{state} is not readable ({error}): remove it") from error
    return aws if aws.alive() else None


def start(
    port: int | None = None, *, detached: bool = False, report: Report = to_stderr
) -> LocalAws:
    """Start the local AWS and wait until it answers.

    Without ``port`` a free one is chosen. Unless ``detached`` the server ends with the process
    that called this, however that ends. Raises LocalAwsError with the tail of the log.
    """
    installation.require(PYTHON, report)
    if port is None:
        port = free_port()
    elif in_use(port):
        raise LocalAwsError(f"port {port} is used by another program: choose another with --port")
    _tidy()
    aws = LocalAws(port=port, pid=0)
    shutil.rmtree(aws.scratch, ignore_errors=True)
    aws.scratch.mkdir(parents=True)
    with aws.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own server on our own interpreter
            [str(PYTHON), "-m", "halftone_local.server"],
            env=_server_environment(aws, follows_parent=not detached),
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    aws = LocalAws(port=port, pid=process.pid, child=process)
    aws.state.write_text(json.dumps({"pid": process.pid, "endpoint": aws.endpoint_url}))
    try:
        _wait_healthy(aws, process, report)
    except BaseException:
        aws.stop()
        raise
    return aws


def _server_environment(aws: LocalAws, *, follows_parent: bool) -> dict[str, str]:
    """A short environment of its own: workers inherit it, and ministack obeys many variables."""
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ
    }
    if follows_parent:
        environment["HALFTONE_LOCAL_FOLLOWS_PARENT"] = "1"
    return environment | {
        # The key of an administrator, which deploys: ministack takes the account's number as one.
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "PYTHONPATH": str(IMPORTS),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(aws.scratch),
        "HALFTONE_LOCAL_LAYERS": str(HOME / "layers"),
        "GATEWAY_PORT": str(aws.port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_EXECUTOR": "local",
        "AUTH": str(mode() is not Mode.OFF).lower(),
        VARIABLE: mode().value,
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A socket that does not exist: ministack must neither look for nor tidy up containers.
        "DOCKER_HOST": f"unix://{aws.scratch}/no-docker.sock",
        "LOG_LEVEL": "INFO",
    }


def _wait_healthy(aws: LocalAws, process: subprocess.Popen[bytes], report: Report) -> None:
    began = time.monotonic()
    reported = 0
    while not aws.healthy():
        waited = time.monotonic() - began
        if process.poll() is not None:
            raise LocalAwsError(
                f"the local AWS ended with status {process.returncode}; {_tail(aws.log)}"
            )
        if waited > START_SECONDS:
            raise LocalAwsError(
                f"the local AWS did not answer within {START_SECONDS} s; {_tail(aws.log)}"
            )
        if int(waited) > reported:
            reported = int(waited)
            report(f"waiting for the local AWS on port {aws.port}: {reported} s")
        time.sleep(0.1)
    report(f"local AWS ready on {aws.endpoint_url} after {time.monotonic() - began:.1f} s")


def _tail(log: Path, lines: int = 20) -> str:
    text = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"end of {log}:", *text])


def _tidy() -> None:
    """Remove what servers left that ended without a ``stop()``, and the logs of a day ago."""
    for state in HOME.glob("aws-*.json"):
        port = int(state.stem.removeprefix("aws-"))
        if running(port) is None:
            LocalAws(port=port, pid=0).stop()
    for log in HOME.glob("aws-*.log"):
        if not log.with_suffix(".json").exists() and time.time() - log.stat().st_mtime > 86400:
            log.unlink(missing_ok=True)
