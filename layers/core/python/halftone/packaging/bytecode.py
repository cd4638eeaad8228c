"""Compiled files for the Python that will run them, made on a machine that may have another one.

Python finds no use for another version's bytecode, and a layer without any costs about twice the
import time at every cold start. The running Python compiles for itself, another that is installed
for its own version, and for CPython 3.13 there is one in the npm package ``pyodide``, which runs on
Node wherever the CDK CLI does.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from halftone.domain.errors import HalftoneError
from halftone.domain.model.target import Target
from halftone.packaging.interpreters import interpreter
from halftone.packaging.places import pyodide

_SCRIPT = Path(__file__).with_name("run.mjs")
_RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"

_MOUNT = "/folder"
"""Where pyodide's file system has the folder."""

_PROGRAM = """
import compileall, importlib.util, json, py_compile, sys
done = compileall.compile_dir(
    {folder!r}, quiet=1, force=True, stripdir={folder!r}, prependdir={prefix!r},
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
print(json.dumps([bool(done), "%d.%d" % sys.version_info[:2], importlib.util.MAGIC_NUMBER.hex()]))
"""


class BytecodeError(HalftoneError):
    """A folder could not be compiled for a target."""


def compile_folder(folder: Path, target: Target, *, prefix: str) -> None:
    """Put a ``__pycache__`` beside every Python file below ``folder``.

    ``prefix`` is where the folder will stand when it is imported; no path of this machine gets
    into the compiled files.

    Raises:
        BytecodeError: if a file does not compile, or no compiler for the target is at hand.
    """
    if target.python == _RUNNING:
        version, magic = _run([sys.executable, "-"], str(folder), prefix)
    elif (other := interpreter(target)) is not None and pyodide() is None:
        version, magic = _run([str(other), "-I", "-"], str(folder), prefix)
    else:
        version, magic = _run(_pyodide(folder), _MOUNT, prefix)
    if version != target.python or bytes.fromhex(magic) != target.pyc_header[:4]:
        raise BytecodeError(
            f"bytecode for Python {target.python} was asked for, but the compiler at hand is"
            f" Python {version} with magic number {magic}; possible are {_RUNNING}, which runs"
            " this, and the version inside the npm package pyodide"
        )
    for compiled in sorted(folder.rglob("*.pyc")):
        if compiled.read_bytes()[:8] != target.pyc_header:
            raise BytecodeError(f"{compiled} is no unchecked bytecode of Python {target.python}")


def _pyodide(folder: Path) -> list[str]:
    node, module = shutil.which("node"), pyodide()
    if node is None or module is None:
        raise BytecodeError(
            f"compiling for another Python than {_RUNNING} needs"
            f" {'Node 20 or later' if node is None else 'the npm package pyodide'}: "
            f"install it ({'nodejs.org' if node is None else 'npm install pyodide'}),"
            f" or synthesise with that Python"
        )
    return [node, str(_SCRIPT), str(module), str(folder), _MOUNT]


def _run(command: list[str], folder: str, prefix: str) -> tuple[str, str]:
    done = subprocess.run(  # noqa: S603 - our own interpreter or node, and our own program
        command,
        input=_PROGRAM.format(folder=folder, prefix=prefix),
        text=True,
        capture_output=True,
        check=False,
        # The order of a set of strings shows in bytecode, and follows this seed.
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    *printed, answer = done.stdout.strip().splitlines() or [""]
    if done.returncode or not answer.startswith("["):
        # Node shows the line that failed, and pyodide's is a megabyte long: the end says why.
        raise BytecodeError(f"{Path(command[0]).name} failed: {done.stderr[-2000:].strip()}")
    compiled, version, magic = json.loads(answer)
    if not compiled:
        raise BytecodeError("\n".join(["these files do not compile:", *printed]))
    return version, magic
