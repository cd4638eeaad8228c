"""Whether a package answers its own samples with exactly what its flavor has on Lambda."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import halftone
from halftone.domain.endpoint.spec import EndpointSpec
from halftone.domain.model.manifest import Flavor
from halftone.domain.names import package_key
from halftone.packaging.folder import BuiltPackage
from halftone_cli.local.flavor_environment import flavor_environment, packages_of

_CHECK = Path(__file__).with_name("sample_check.py")
_MISSING = re.compile(r"No module named '([^'.]+)")


def sample_faults(built: BuiltPackage) -> list[str]:
    """What is wrong with a package's answers to its own samples, and to the first one sent twice in
    one request; [] if nothing is.

    The model runs in a process of its own, which has the packages of its flavor's layer and none of
    this environment's. What it prints goes to stderr.

    Raises:
        Unavailable: if the flavor's packages can't be installed here.
    """
    flavor = built.manifest.flavor
    layer = flavor_environment(flavor)
    spec = EndpointSpec(built.manifest.name, ".")
    with tempfile.TemporaryDirectory(prefix="halftone-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        archive = folder / package_key(built.digest)
        archive.parent.mkdir(parents=True)
        archive.write_bytes(built.data)
        core = folder / "core"
        core.mkdir()
        # This package alone: beside it may lie everything else that is installed.
        (core / "halftone").symlink_to(Path(halftone.__file__).resolve().parent)
        order = folder / "order.json"
        question: dict[str, Any] = {
            "artifacts": str(folder),
            "digest": built.digest,
            "endpoint": spec.name,
            "seconds": spec.timeout.total_seconds(),
            "max_body": spec.max_body,
        }
        order.write_text(json.dumps(question), encoding="utf-8")
        command = [sys.executable, "-I", "-S", "-B", str(_CHECK), str(layer), str(core), str(order)]
        code = _run(command)
        if code:
            return [f"the model ended its process: {_ending(code)}"]
        faults: list[str] = json.loads(order.read_text(encoding="utf-8"))
    return [_with_remedy(fault, flavor) for fault in faults]


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


def _with_remedy(fault: str, flavor: Flavor) -> str:
    missing = _MISSING.search(fault)
    if missing is None:
        return fault
    has = ", ".join(packages_of(flavor))
    return (
        f"{fault}; flavor {flavor} has {has} and nothing else: carry {missing[1]} in the package if"
        " it is pure Python, or take another flavor (docs/serving.md, What is installed)"
    )
