"""What a command imports before it does anything: a person waits for that at each call."""

import subprocess
import sys

import pytest

AWS = ("boto3", "botocore", "fastapi", "numpy")
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


@pytest.mark.parametrize(
    ("words", "heavy"), [(["--version"], ALL), (["rollout", "pause", "--no-such-option"], AWS)]
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
