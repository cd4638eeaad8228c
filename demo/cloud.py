"""A stage on a local AWS: bootstrapped and deployed by the real CDK CLI, as on any account."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from halftone import bootstrap
from halftone.domain.errors import Unavailable
from halftone.domain.names import endpoint_stack_name, platform_stack_name
from halftone.ports import Ports
from halftone_local.addresses import api_url
from halftone_local.supervisor import LocalAws
from tools.cdk import is_frame, reasons

ROOT = Path(__file__).resolve().parents[1]
STAGE = "local"
_EVENT = re.compile(r"(\d+/\d+)? +\| \S+ [AP]M \| (\w+) +\| (\S+) +\| (\S+)")
_NEWS = re.compile(r"✅|❌|building layer|FAILED")


@dataclass
class Cloud:
    """A local AWS with endpoints of its own folder, so that a story may edit them."""

    aws: LocalAws
    home: Path
    report: Callable[[str], None] = field(default=lambda _: None)

    @property
    def endpoints(self) -> Path:
        """The folder of the endpoints that this stage deploys."""
        return self.home / "endpoints"

    def activate(self) -> None:
        """Make this process, and all it starts, a client of this local AWS and of nothing else."""
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        os.environ.update(self.aws.environment())

    def copy_example(self, name: str, called: str = "") -> Path:
        """A fresh copy of an example, in a folder ``called`` otherwise if so; its declaration."""
        target = self.endpoints / (called or name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / "examples" / name, target)
        return target / "endpoint.yaml"

    def bootstrap(self) -> None:
        """``cdk bootstrap``."""
        self._cdk("bootstrap", f"aws://{self.aws.environment()['AWS_ACCESS_KEY_ID']}/us-east-1")

    def deploy(self, *endpoints: str, options: Sequence[str] = ()) -> None:
        """``cdk deploy`` of the endpoints named, or of everything, with more ``options``."""
        stacks = [endpoint_stack_name(STAGE, endpoint) for endpoint in endpoints]
        # The platform is there when an endpoint is named; asking whether it changed takes seconds.
        which = [*stacks, "--exclusively"] if stacks else ["--all"]
        usual = ("--require-approval", "never", "--concurrency", "4")
        self._cdk("deploy", *which, *usual, *options, endpoints=self._only(endpoints))

    def _only(self, endpoints: tuple[str, ...]) -> Path:
        """A folder with nothing but those endpoints, if any are named: each costs synth time."""
        if not endpoints:
            return self.endpoints
        folder = self.home / "deployed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in endpoints:
            (folder / name).symlink_to(self.endpoints / name, target_is_directory=True)
        return folder

    def _cdk(self, *arguments: str, endpoints: Path | None = None) -> None:
        command = [
            *("node_modules/.bin/cdk", *arguments, "--ci", "--progress", "events"),
            *("-c", f"stage={STAGE}", "-c", f"endpoints={endpoints or self.endpoints}"),
            *("--output", str(self.home / "cdk.out")),
        ]
        lines: list[str] = []
        with subprocess.Popen(  # noqa: S603 - the pinned CDK CLI with words of our own
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                progress = _progress(lines[-1])
                if progress:
                    self.report(progress)
        self.report("")
        if process.returncode:
            told = [line for line in lines if not is_frame(line)]
            why = "\n".join(reasons(lines) or ["no reason was given"])
            raise Unavailable("\n".join([*told[-20:], f"cdk {arguments[0]} failed: {why}"]))

    def outputs(self) -> dict[str, str]:
        """The outputs of the platform stack."""
        return _outputs()

    def ports(self) -> Ports:
        """The engine's ports on this stage."""
        return stage_parts()

    def url(self, endpoint: str) -> str:
        """Where an endpoint takes requests."""
        return f"{api_url(self.aws, self.outputs()['Url'])}/endpoints/{endpoint}/invocations"


def stage_parts() -> Ports:
    """The engine's ports on the local stage that this process is a client of."""
    outputs = _outputs()
    return bootstrap.ports(
        bootstrap.Settings(
            stage=STAGE,
            table=outputs["Table"],
            artifacts=outputs["ArtifactBucket"],
            workflow=outputs["Workflow"],
        )
    )


def _outputs() -> dict[str, str]:
    stacks = boto3.client("cloudformation").describe_stacks(StackName=platform_stack_name(STAGE))
    return {o["OutputKey"]: o["OutputValue"] for o in stacks["Stacks"][0].get("Outputs", [])}


def _progress(line: str) -> str:
    """What of a line of the CDK CLI tells how far it is; nothing for most lines."""
    event = _EVENT.search(line)
    if event and event[2].endswith("_COMPLETE"):
        return f"{event[1] or '':>7} {event[2]:<17} {event[3].removeprefix('AWS::')} {event[4]}"
    return line.strip() if _NEWS.search(line) else ""
