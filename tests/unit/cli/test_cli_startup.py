"""What a command imports before it does anything: a person waits for that at each call."""

import subprocess
import sys

import pytest

AWS = ("boto3", "botocore", "fastapi", "numpy")
LOOK = (*AWS, "pydantic_settings", "aws_cdk", "onnxruntime", "sklearn", "jsii", "uvicorn")
"""What no command that looks imports before it asks; boto3 signs what it asks for."""
ALL = (*AWS, "pydantic", "rich", "yaml")
_SCRIPT = """
import sys
from halftone_cli.main import main
sys.argv = ["halftone", *{words}]
try:
    main()
except SystemExit:
    pass
sys.stderr.write(" ".join(name for name in {heavy} if name in sys.modules))
"""


LOOKS = ("endpoints list", "endpoints show", "status", "history", "traffic", "metrics")


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--version"], ALL),
        (["rollout", "pause", "--no-such-option"], AWS),
        *(
            (["--no-such-option"] if not words else [*words.split(), "--no-such-option"], LOOK)
            for words in LOOKS
        ),
    ],
)
def test_a_command_that_asks_nothing_imports_nothing_heavy(words, heavy):
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(words=words, heavy=heavy)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = ran.stderr.splitlines()[-1].split() if ran.stderr.strip() else []
    assert [name for name in loaded if name in heavy] == []


_INTERRUPTED = """
import builtins, sys
real = builtins.__import__
def interrupting(name, *rest, **named):
    if name == "typer":
        raise KeyboardInterrupt
    return real(name, *rest, **named)
builtins.__import__ = interrupting
from halftone_cli.__main__ import main
main()
"""


def test_ctrl_c_while_modules_load_exits_130_without_a_trace():
    ran = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED], capture_output=True, check=False, text=True
    )
    assert (ran.returncode, ran.stderr) == (130, "interrupted: nothing was changed\n")
