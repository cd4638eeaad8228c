"""Whether a package answers its own samples with exactly what its flavor has on Lambda."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.model.manifest import Manifest
from halftone.domain.names import package_key
from halftone.packaging.folder import BuiltPackage
from halftone_cli.local.flavor_environment import model_environment, packages_of
from halftone_cli.local.worker_server import core_folder, offer_environment

_CHECK = Path(__file__).with_name("sample_check.py")
_MISSING = re.compile(r"No module named '([^'.]+)")


def sample_faults(built: BuiltPackage) -> list[str]:
    """What is wrong with a package's answers to its own samples, and to the first one sent twice in
    one request; [] if nothing is.

    The model runs in a process of its own, which has the packages of its flavor's layer and of its
    own environment, and none of this command's. What it prints goes to stderr.

    Raises:
        Unavailable: if the flavor's packages can't be installed here.
    """
    manifest = built.manifest
    has = model_environment(built)
    spec = EndpointSpec(built.manifest.name, ".")
    with tempfile.TemporaryDirectory(prefix="halftone-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        archive = folder / package_key(built.digest)
        archive.parent.mkdir(parents=True)
        archive.write_bytes(built.data)
        core = core_folder(folder)
        if manifest.environment is not None:
            offer_environment(folder, manifest.environment.digest, has.environment)
        order = folder / "order.json"
        question: dict[str, Any] = {
            "artifacts": str(folder),
            "digest": built.digest,
            "endpoint": spec.name,
            "seconds": spec.timeout.total_seconds(),
            "max_body": spec.max_body,
        }
        order.write_text(json.dumps(question), encoding="utf-8")
        command = [str(has.python), "-I", "-S", "-B", str(_CHECK)]
        command += [str(has.layer), str(core), str(order)]
        code = _run(command)
        if code:
            return [f"the model ended its process: {_ending(code)}"]
        faults: list[str] = json.loads(order.read_text(encoding="utf-8"))
    return [_with_remedy(fault, manifest) for fault in faults]


def _run(command: list[str]) -> int:
    """Run a command, and pass on to stderr what it prints; its exit code."""
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
    ) as process:
        assert process.stdout is not None  # noqa: S101
        try:
            for line in process.stdout:
                sys.stderr.write(line)
        except BaseException:
            process.kill()
            raise
    return process.returncode


def _ending(code: int) -> str:
    """How a process ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _with_remedy(fault: str, manifest: Manifest) -> str:
    missing = _MISSING.search(fault)
    if missing is None:
        return fault
    has = ", ".join(packages_of(manifest.flavor))
    own = ", ".join(manifest.environment.packages) if manifest.environment else ""
    more = f" and its environment {own}" if own else ""
    return (
        f"{fault}; flavor {manifest.flavor} has {has}{more}, and nothing else: name {missing[1]} in"
        f" {manifest.requirements or 'a requirements.txt, and that under `requirements`'}"
        " (docs/serving.md, What is installed)"
    )
