"""A model server in a process of its own, for packages with an environment."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import cast

import halftone
from halftone.serving.settings import Settings
from halftone_cli.local.flavor_environment import ModelEnvironment
from halftone_cli.local.gateway import Invocation

Write = Callable[[str], object]

_WORKER = Path(__file__).with_name("worker.py")


def core_folder(folder: Path) -> Path:
    """A folder with ``halftone`` alone: beside it may lie everything else that is installed."""
    core = folder / "core"
    core.mkdir(exist_ok=True)
    link = core / "halftone"
    if not link.exists():
        link.symlink_to(Path(halftone.__file__).resolve().parent)
    return core


def offer_environment(folder: Path, digest: str, environment: Path | None) -> None:
    """Let a server that installs below ``folder`` find its environment installed."""
    if environment is None:
        return
    home = folder / "installed" / "environments"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    link = home / digest
    if not link.exists():
        link.symlink_to(environment)


class WorkerServer:
    """Answers events by a process of the package's Python, with its environment and no more.

    ``log`` takes the lines of the function's log.
    """

    def __init__(self, settings: Settings, folder: Path, has: ModelEnvironment, log: Write) -> None:
        self._log = log
        order = folder / "worker.json"
        order.write_text(json.dumps({**asdict(settings), "folder": str(folder)}), encoding="utf-8")
        command = [str(has.python), "-I", "-S", "-B", str(_WORKER)]
        command += [str(has.layer), str(core_folder(folder)), str(order)]
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __call__(self, event: object, context: object) -> dict[str, object]:
        """The answer to one event; as Lambda has it, an error's message if the process ended."""
        invocation = cast("Invocation", context)
        asked = {
            "event": event,
            "context": {
                "aws_request_id": invocation.aws_request_id,
                "function_version": invocation.function_version,
                "milliseconds": invocation.get_remaining_time_in_millis(),
            },
        }
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                said = json.loads(line)
                if "answer" in said:
                    return cast("dict[str, object]", said["answer"])
                self._log(said["log"])
        except (BrokenPipeError, ValueError):
            pass
        code = self._process.wait()
        return {"errorMessage": f"the model ended its process with exit code {code}"}

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
